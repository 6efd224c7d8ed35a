#!/usr/bin/env python3
"""Pellucid beside Captum, torchattacks and lucent: the same LibTorch, weights, threads, images and samples, in one run.

    tests/benchmark/peers.py [--program build/release/bin/benchmark_peers] [--networks squeezenet1_0 resnet18 ...]
                             [--rows smoothgrad occlusion ...] [--runs 15] [--threads 2] [--usual-memory]
                             [--out build/peers]

Needs the PyTorch that the program was built with, and torchvision: Debian's for Debian's LibTorch. The peers come from
PyPI, into build/peers/packages, without dependencies; one that cannot be had is left out with a word. The bound of a
row is the bare loop: the same passes forward and backward in Python, parameters frozen, in the layout and with the
number of images at once that are the fastest here. In each run all contenders do the work, for half a second or more, in
turn; a ratio is one of two times of the same run. Writes the times, and how each did it, into OUT.json, and a table into OUT.md (see
tables.py). For an otherwise idle machine.
"""
import argparse
import copy
import ctypes
import importlib
import json
import math
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import torchvision

import tables

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "peers" / "packages"
# Of each peer: what is imported, its packages that would bring another PyTorch, and what they need beside it.
PEERS = {
    "captum": ("captum.attr", ["captum"], ["matplotlib", "tqdm", "packaging"]),
    "torchattacks": ("torchattacks", ["torchattacks"], ["requests", "scipy", "tqdm"]),
    "lucent": ("lucent.optvis.render", ["torch-lucent", "kornia==0.6.12"], ["tqdm", "ipython", "pillow", "decorator"]),
}
LABEL = 3
SAMPLES, NOISE = 50, 0.15  # of a SmoothGrad; the noise as a share of the range of values
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
SIDE = 224
# Of the networks here: a layer in the first third, by torchvision's name and by lucent's.
EARLY = {
    "squeezenet1_0": ("features.5", "features_5"),
    "resnet18": ("layer1", "layer1"),
    "vgg16": ("features.10", "features_10"),
    "convnext_tiny": ("features.1", "features_1"),
}


class Pellucid:
    """The library, in a process of its own that waits while the others work."""

    def __init__(self, program, threads, way, architecture, checkpoint, image):
        self.process = subprocess.Popen([program, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(f"load {architecture} {checkpoint} {way}")
        self.ask(f"image {image}")
        self.way = self.ask("way")

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            sys.exit(f"{request}: {answer or 'the program ended'}")
        return answer

    def seconds(self, request):
        return float(self.ask(request))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peer(name):
    """A peer's module, or None where it cannot be had."""
    module, alone, beside = PEERS[name]
    if not (PACKAGES / name).exists():
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        pip += ["--root-user-action=ignore", "--target", str(PACKAGES)]
        subprocess.run(pip + ["--no-deps", *alone], check=False)
        subprocess.run(pip + [f"numpy=={numpy.__version__}", *beside], check=False)
    if str(PACKAGES) not in sys.path:
        sys.path.append(str(PACKAGES))  # last: NumPy is PyTorch's
    try:
        return importlib.import_module(module)
    except ImportError as error:
        print(f"left out: {name} ({error})", file=sys.stderr)
        return None


def processor():
    """Which one it is, and what it has for bfloat16: the figures of another one are others."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor() or platform.machine()
    said = dict(re.findall(r"^(.*?)\s*: (.*)$", cpuinfo.read_text(), re.MULTILINE))
    name = f"{said.get('model name', platform.machine())} (family {said.get('cpu family')}, model {said.get('model')})"
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in said.get("flags", "").split()]
    return ", ".join([name, *has])


def keep_freed_memory():
    """As the library's function of that name, so that all have the same memory."""
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        for option, value in ((-4, 0), (-1, 1 << 30), (-2, 1 << 26)):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
            library.mallopt(option, value)


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(works, runs):
    """The seconds of each work, by name, in each run: in a run all of them take their turn, each time from another one on."""
    # A short work is done several times in its turn: the first one finds another's data in the caches.
    repeats = math.ceil(0.5 / min(shortest(work) for work in works.values()))
    times = {name: [] for name in works}
    for run in range(runs):
        names = list(works)
        for name in names[run % len(names):] + names[:run % len(names)]:
            times[name].append(sum(works[name]() for _ in range(repeats)) / repeats)
    return times


def in_each_layout(network, precision=torch.float32):
    """Copies of a network, by the names of the layouts."""
    return {name: copy.deepcopy(network).to(dtype=precision, memory_format=layout) for name, layout in LAYOUTS.items()}


class Bare:
    """Passes forward and backward, and nothing else, in the best layout and number at once."""

    def __init__(self, networks, image):
        self.networks, self.image = networks, image
        choices = [
            ((layout, batch), lambda layout=layout, batch=batch: self.loop(layout, batch, SAMPLES))
            for layout in networks
            for batch in (1, 2, 5, 10, 25, 50)  # of 50 none leaves a smaller one at the end
        ]
        (self.layout, self.batch), _ = fastest(choices)

    def loop(self, layout, batch, count):
        network = self.networks[layout]
        for done in range(0, count, batch):
            rows = min(batch, count - done)
            images = self.image.expand(rows, -1, -1, -1).clone(memory_format=LAYOUTS[layout]).requires_grad_()
            torch.autograd.grad(network(images)[:, LABEL].sum(), images)

    def __call__(self, count):
        self.loop(self.layout, self.batch, count)

    def __str__(self):
        return f"{self.layout}, {self.batch} at once"


def shortest(work):
    """The seconds of the shortest of three, or of fewer where they are long: the first of short ones costs more."""
    times = [work()]
    while len(times) < 3 and sum(times) < 8:
        times.append(work())
    return min(times)


def fastest(choices):
    """Of ways to do the same, the fastest: (name, work) of each."""
    return min(choices, key=lambda choice: shortest(lambda: seconds(choice[1])))


def in_both(networks, image, make):
    """A method in both layouts, each as its name and a callable: make(network, image) gives that."""
    return [(name, make(networks[name], image.contiguous(memory_format=LAYOUTS[name]))) for name in LAYOUTS]


def captum_in(layout, networks, image, sizes, make):
    """Captum with images and weights in a layout, in each number at once: make(number) gives what gives a callable of a
    network and an image."""
    image = image.contiguous(memory_format=LAYOUTS[layout])
    return [(f"{layout}, {size} at once", make(size)(networks[layout], image)) for size in sizes]


def captum_in_each(networks, image, sizes, make):
    """Captum as it is used, and with images and weights that its user brought into the other layout: with the best number
    at once for each."""
    contenders = {}
    for layout in LAYOUTS:
        name, work = fastest(captum_in(layout, networks, image, sizes, make))
        contenders[f"Captum, {layout}"] = (work, name)
    return contenders


def smoothgrad_of_captum(network, image, size):
    """Its map, of so many samples at once."""
    from captum.attr import NoiseTunnel, Saliency

    return NoiseTunnel(Saliency(network)).attribute(
        image, target=LABEL, abs=False, nt_type="smoothgrad", nt_samples=SAMPLES, nt_samples_batch_size=size,
        stdevs=NOISE * float(image.max() - image.min()),
    )


def smoothgrad(networks, image, bare, samples=SAMPLES):
    """The bare loop takes so many samples; Captum always the usual number."""
    contenders = {"the bare loop": (lambda: bare(samples), str(bare))}
    if peer("captum"):
        def smooth(size):
            return lambda network, x: lambda: smoothgrad_of_captum(network, x, size)

        contenders |= captum_in_each(networks, image, (5, 10, 25, 50), smooth)
    return f"smoothgrad {samples}", contenders


def integrated_gradients(networks, image, bare):
    contenders = {"the bare loop": (lambda: bare(50), str(bare))}
    if peer("captum"):
        from captum.attr import IntegratedGradients

        def integrate(size, gap=False):
            return lambda network, x: lambda: IntegratedGradients(network).attribute(
                x, target=LABEL, n_steps=50, internal_batch_size=size, return_convergence_delta=gap
            )

        sizes = (5, 10, 25, 50)
        contenders |= captum_in_each(networks, image, sizes, integrate)
        with_gap = [captum_in(layout, networks, image, sizes, lambda size: integrate(size, gap=True)) for layout in LAYOUTS]
        name, work = fastest(sum(with_gap, []))
        contenders["Captum, and the gap that is left"] = (work, name)
    return "integrated-gradients 50", contenders


def occlusion(networks, image):
    window, stride = 56, 28
    contenders = {}
    if peer("captum"):
        from captum.attr import Occlusion

        def cover(size):
            return lambda network, x: lambda: Occlusion(network).attribute(
                x, sliding_window_shapes=(3, window, window), strides=(3, stride, stride), target=LABEL,
                perturbations_per_eval=size,
            )

        contenders["Captum, as it comes"] = (cover(1)(networks["contiguous"], image), "contiguous, 1 at once")
        contenders |= captum_in_each(networks, image, (4, 8, 16, 32), cover)
    return f"occlusion {window} {stride}", contenders


def attack(networks, image, name, steps):
    contenders = {}
    if torchattacks := peer("torchattacks"):
        def make(network, x):
            method = torchattacks.FGSM(network, eps=0.01)
            if name == "pgd":
                method = torchattacks.PGD(network, eps=0.01, alpha=0.0025, steps=steps)
            return lambda: method(x, torch.tensor([LABEL]))

        found, work = fastest(in_both(networks, image, make))
        contenders["torchattacks"] = (work, found)
        network = networks[found]
        contenders["torchattacks, and what the model says"] = (lambda: network(work()), found)
    return (name if name == "fgsm" else f"pgd {steps}"), contenders


class Reached(Exception):
    """The layer beyond which a pass need not go, with what comes out of it."""


def passes_to(layer, network, image, count):
    """Passes to a layer and back, and nothing else."""
    network = copy.deepcopy(network)

    def stop(_, __, output):
        raise Reached(output)

    network.get_submodule(layer).register_forward_hook(stop)

    def work():
        for _ in range(count):
            x = image.detach().requires_grad_()
            try:
                network(x)
            except Reached as reached:
                torch.autograd.grad(reached.args[0][:, 0].mean(), x)

    return work


def dream(architecture, networks, image):
    steps = 16
    layer, its_name = EARLY[architecture]
    found, work = fastest(in_both(networks, image, lambda network, x: passes_to(layer, network, x, steps)))
    contenders = {"the bare loop": (work, found)}
    if peer("lucent"):
        from lucent.optvis import objectives, param, render

        network = copy.deepcopy(networks["contiguous"])
        for part in network.modules():
            if isinstance(part, torch.nn.ReLU):
                part.inplace = False  # it looks at what an in-place operator would overwrite

        def render_with_lucent():
            render.render_vis(
                network, objectives.channel(its_name, 0), lambda: param.image(SIDE, fft=False, decorrelate=False),
                thresholds=(steps,), transforms=[], preprocess=False, show_image=False, progress=False,
            )

        try:
            render_with_lucent()
            contenders["lucent"] = (render_with_lucent, "as it comes, without transformations")
        except Exception as error:
            print(f"left out: lucent ({error})", file=sys.stderr)
    return f"dream {layer} 0 {steps}", contenders


def rows_of(architecture, networks, image, wanted):
    """Each row's request and contenders: what is the fastest setting of each is found out when its row comes."""
    bare = Bare(networks, image) if {"smoothgrad", "integrated-gradients"} & set(wanted) else None
    makers = {
        "smoothgrad": lambda: smoothgrad(networks, image, bare),
        "integrated-gradients": lambda: integrated_gradients(networks, image, bare),
        "occlusion": lambda: occlusion(networks, image),
        "fgsm": lambda: attack(networks, image, "fgsm", 1),
        "pgd": lambda: attack(networks, image, "pgd", 10),
        "dream": lambda: dream(architecture, networks, image),
    }
    for name in wanted:
        yield makers[name]()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build" / "release" / "bin" / "benchmark_peers"))
    parser.add_argument("--networks", nargs="+", default=list(EARLY), choices=list(EARLY))
    every = ["smoothgrad", "integrated-gradients", "occlusion", "fgsm", "pgd", "dream"]
    parser.add_argument("--rows", nargs="+", default=every, choices=every)
    parser.add_argument("--ways", nargs="*", default=["auto"], help="beside fp32; auto only where that is not float32")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--usual-memory", action="store_true", help="the peers without keep_freed_memory(): as users get them")
    parser.add_argument("--out", default=str(ROOT / "build" / "peers" / "peers"))
    options = parser.parse_args()
    if not options.usual_memory:
        keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    PACKAGES.mkdir(parents=True, exist_ok=True)
    pathlib.Path(options.out).parent.mkdir(parents=True, exist_ok=True)
    found = []
    for architecture in options.networks:
        with tempfile.TemporaryDirectory() as folder:
            network = getattr(torchvision.models, architecture)(weights=None).eval().requires_grad_(False)
            networks = in_each_layout(network)
            image = torch.rand(1, 3, SIDE, SIDE)
            checkpoint, array = f"{folder}/weights.pth", f"{folder}/image.npy"
            torch.save(network.state_dict(), checkpoint)
            numpy.save(array, image.numpy())
            ours = {
                way: Pellucid(options.program, options.threads, way, architecture, checkpoint, array)
                for way in ["fp32", *options.ways]
            }
            for way in [way for way in options.ways if way == "auto" and "float32" in ours[way].way]:
                print(f"{architecture}: auto is float32, and left out", file=sys.stderr)
                ours.pop(way).close()
            for request, contenders in rows_of(architecture, networks, image, options.rows):
                works = {f"Pellucid {way}": (lambda one=one: one.seconds(request)) for way, one in ours.items()}
                works |= {name: (lambda work=work: seconds(work)) for name, (work, _) in contenders.items()}
                how = {f"Pellucid {way}": one.way for way, one in ours.items()}
                how |= {name: said for name, (_, said) in contenders.items()}
                found.append({
                    "torch": torch.__version__, "processor": processor(), "threads": options.threads, "side": SIDE,
                    **({"memory": "usual"} if options.usual_memory else {}),
                    "network": architecture, "request": request, "how": how, "seconds": in_turn(works, options.runs),
                })
                # What was found is not lost with what comes.
                pathlib.Path(options.out + ".json").write_text(json.dumps(found, indent=1) + "\n")
                print(f"{architecture}: {request}", file=sys.stderr)
            for one in ours.values():
                one.close()
    text = tables.tables(found)
    print(text)
    pathlib.Path(options.out + ".md").write_text(text)


if __name__ == "__main__":
    main()
