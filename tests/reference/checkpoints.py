"""checkpoints/: files as torch.save writes them, for the reader of .pth files. All values are whole numbers.

types.pth           a dict with a tensor of each type, by the type's name: 0, 1, 2… of shape 2×3; and "scalar",
                    "empty"
layouts.pth         views of one 4×6 storage, tensors expanded or in channels-last, a parameter, a tensor with
                    an attribute
net.pth             the state dict of conv, norm, head; net_N.pth: the same by pickle protocol N
wrapped.pth         the same under "state_dict", names beginning with "module.", beside what a training script
                    keeps: epoch, arguments, scores, the optimizer's state
model.pth           the same under "model"
parameters.pth      a dict of the net's Parameter objects
zipped.pth          net.pth's records in an archive by Python's zipfile, where no storage is aligned
little.pth, big.pth net.pth with a record that tells the byte order
the others          what is refused, named after the reason
"""

import argparse
import os
import zipfile
from collections import OrderedDict

import numpy
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, bias=False)
        self.norm = torch.nn.BatchNorm2d(4)
        self.head = torch.nn.Linear(4, 2)
        with torch.no_grad():
            for place, parameter in enumerate(self.parameters()):
                parameter.copy_(counted(*parameter.shape) + place)


class System:
    def __reduce__(self):
        return os.system, ("touch it_ran",)


def counted(*shape):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)


def types():
    tensors = {}
    for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64",
                 "complex64", "complex128"):
        tensors[name] = counted(2, 3).to(getattr(torch, name))
    return {**tensors, "scalar": torch.tensor(2.5), "empty": torch.zeros(2, 0, 3)}


def layouts():
    base = counted(4, 6)
    attributes = counted(3)
    attributes.why = "because"
    return OrderedDict(
        base=base, row=base[1], transposed=base.t(), strided=base[::2, 1::2], last=base[3, 5],
        expanded=counted(3).expand(4, 3), channels_last=counted(2, 3, 2, 2).to(memory_format=torch.channels_last),
        parameter=torch.nn.Parameter(counted(4)), attributes=attributes)


def rewrite(source, target, method=zipfile.ZIP_STORED, more={}):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for record in old.infolist():
            new.writestr(zipfile.ZipInfo(record.filename), old.read(record), method)
        folder = old.namelist()[0].split("/")[0]
        for name, value in more.items():
            new.writestr(zipfile.ZipInfo(f"{folder}/{name}"), value)


def make(folder, data):
    torch.manual_seed(1)
    net = Net()
    state = net.state_dict()
    save = lambda value, name, **options: torch.save(value, folder / name, **options)

    save(types(), "types.pth")
    save(layouts(), "layouts.pth")
    save(state, "net.pth")
    for protocol in (3, 4, 5):
        save(state, f"net_{protocol}.pth", pickle_protocol=protocol)
    save(dict(net.named_parameters()), "parameters.pth")

    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    net.head(net.norm(net.conv(torch.rand(2, 3, 3, 3))).flatten(1)).sum().backward()
    state = OrderedDict((name, value.clone()) for name, value in net.state_dict().items())
    optimizer.step()
    beside = {
        "epoch": 7, "best": numpy.float64(0.5), "losses": [1.5, 0.25], "seed": 1 << 70, "when": None, "done": False,
        "arch": "net", "args": argparse.Namespace(lr=0.1, sizes=(1, 2), tags={"a", "b"}, key=b"bytes", z=1j),
        "optimizer": optimizer.state_dict(), "mean": numpy.zeros(3), "dtype": torch.float16,
        "device": torch.device("cpu"), "shape": torch.Size([1, 2]), "generator": torch.get_rng_state(),
    }
    save({**beside, "state_dict": {"module." + name: value for name, value in state.items()}}, "wrapped.pth")
    save({"model": state, **beside}, "model.pth", pickle_protocol=4)

    rewrite(folder / "net.pth", folder / "zipped.pth")
    rewrite(folder / "net.pth", folder / "compressed.pth", method=zipfile.ZIP_DEFLATED)
    rewrite(folder / "net.pth", folder / "little.pth", more={"byteorder": "little"})
    rewrite(folder / "net.pth", folder / "big.pth", more={"byteorder": "big"})
    save(state, "legacy.pth", _use_new_zipfile_serialization=False)
    save(state, "protocol_1.pth", pickle_protocol=1)
    save({"weight": counted(2), "why": System()}, "system.pth")
    save(torch.nn.Linear(2, 2), "whole.pth")
    save({"weight": torch.quantize_per_tensor(counted(4), 1.0, 0, torch.qint8)}, "quantized.pth")
    save({"weight": torch.eye(3).to_sparse()}, "sparse.pth")
    save({"weight": counted(2).to("meta")}, "meta.pth")
    save([counted(2)], "list.pth")
    save(counted(2), "tensor.pth")
    save({"epoch": 7, "rate": 0.1}, "numbers.pth")
    save({0: counted(2)}, "unnamed.pth")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(folder / "script.pth"))
    (folder / "pickle.pth").write_bytes(b"\x80\x04N.")
