"""layers/: what a Python forward hook sees at every submodule of torchvision's networks.

NAME.hooks.pt is a common.Record. Its input is BATCH×3×SIDE×SIDE ~ N(0, 1), fed to the network as it is
(network space, no preprocessing). It has one entry a call, in the order in which the calls returned: leaves
before their containers, the whole network (name "") last. `kind` is the Python class. The hook clones:
torchvision's in-place ReLUs overwrite what a batch norm or convolution returned.

Not in a record, but listed in summary.json:
  never_called   submodules whose forward nobody calls (Swin hands the parameters of `attn.qkv` and
                 `attn.proj` to a function)
  not_tensor     submodules whose output is not a Tensor
"""

import concurrent.futures
import json
import warnings
from collections import Counter

import torch

from common import NETWORKS, Record, network, network_input, save_script


def make(folder, data):
    summary = {}
    # Two files deflate at a time (zlib lets go of Python's lock).
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name in NETWORKS:
            summary[name] = make_network(folder, name, pool)
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    # Its script has a branch on an argument that is None, and casts that in it.
    save_script(torch.jit.script(torch.nn.Upsample(scale_factor=2.0).eval()), folder / "upsample.scripted.pt")


@torch.no_grad()
def make_network(folder, name, pool):
    net = network(name)
    input = network_input(name)
    record, summary = observe(net, input)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(net, input, check_trace=False)
        scripts = {"scripted": torch.jit.script(net), "traced": traced}
    files = {kind: folder / f"{name}.{kind}.pt" for kind in scripts}
    list(pool.map(lambda kind: save_script(scripts[kind], files[kind]), scripts))
    record.save(folder / f"{name}.hooks.pt")

    for kind, file in files.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = torch.jit.load(str(file))(input)
        if not isinstance(scores, torch.Tensor):
            scores = scores[0]  # scripted, GoogLeNet returns (logits, None, None)
        error = ((scores - record.scores).abs().max() / record.scores.abs().max()).item()
        summary[f"{kind}_error"] = error
        if error > 1e-4:
            raise RuntimeError(f"{file.name} disagrees with the network it was made from, by {error:.1e}")
    return summary


def observe(net, input):
    """One forward pass; the record of all hooks, and what is to say about the modules that have no entry."""
    modules = dict(net.named_modules())
    calls = []
    not_tensor = set()

    def hook_for(path):
        def hook(module, inputs, output):
            if isinstance(output, torch.Tensor):
                calls.append((path, output, output.clone()))
            else:
                not_tensor.add(path)
        return hook

    handles = [module.register_forward_hook(hook_for(path)) for path, module in modules.items()]
    scores = net(input)
    for handle in handles:
        handle.remove()

    record = Record(input, scores)
    count = Counter()
    overwritten = []
    for path, output, seen in calls:
        changed = not torch.equal(output, seen)
        if changed:
            overwritten.append(path)
        record.add(path, seen, type(modules[path]).__name__, count[path], changed)
        count[path] += 1
    return record, {
        "submodules": len(modules),
        "entries": len(calls),
        "called_several_times": [path for path in modules if count[path] > 1],
        "never_called": [path for path in modules if count[path] == 0 and path not in not_tensor],
        "not_tensor": sorted(not_tensor),
        "overwritten": sorted(set(overwritten)),
    }
