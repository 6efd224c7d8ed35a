#!/usr/bin/env python3
"""SmoothGrad to the same error: how long Pellucid takes to be as near to the limit of many samples as Captum with 50.

    tests/benchmark/equal_error.py [--program build/release/bin/benchmark_peers] [--networks squeezenet1_0 mobilenet_v2 …]
                                   [--photos 5] [--seeds 4] [--runs 15] [--reference 2000] [--threads 2]

For real networks and photos (../shared/data; a network whose weights are not there has random ones). The error of a map is its
distance to the mean gradient over --reference samples of noise of its own (PyTorch's), as a share of that map's norm; errors
of photos and seeds are averaged as squares, less what the reference itself is off. As they fall with 1/√n, they tell how many
samples Pellucid needs; these are then timed beside Captum's 50, in turn, in both of Captum's layouts, and beside a bare loop
of as many passes in the same precision. Prints a line of a table for each network.
"""
import argparse
import hashlib
import math
import pathlib
import statistics
import sys
import tempfile

import numpy
import torch
import torchvision

import peers
import tables

DATA = peers.ROOT.parent / "shared" / "data"


def photos(count):
    from PIL import Image

    prepare = torchvision.transforms.Compose([
        torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(peers.SIDE), torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])
    files = [file for file in sorted((DATA / "photos").iterdir()) if file.name[:3].isdigit()]
    files = files[:: max(1, len(files) // count)][:count]
    if not files:
        sys.exit(f"{DATA} has no photos")
    return [prepare(Image.open(file).convert("RGB"))[None] for file in files]


def network_of(architecture):
    network = getattr(torchvision.models, architecture)(weights=None)
    weights = DATA / "models" / f"{architecture}.pth"
    if weights.exists():
        network.load_state_dict(torch.load(weights, map_location="cpu"))
    return network.eval().requires_grad_(False), weights.exists()


def mean_gradient(network, image, samples, seed):
    torch.manual_seed(seed)
    deviation = peers.NOISE * float(image.max() - image.min())
    total = torch.zeros_like(image, dtype=torch.double)
    for done in range(0, samples, 10):
        noise = torch.randn(min(10, samples - done), *image.shape[1:])
        noisy = (image + deviation * noise).contiguous(memory_format=torch.channels_last)
        noisy.requires_grad_()
        total += torch.autograd.grad(network(noisy)[:, peers.LABEL].sum(), noisy)[0].sum(0, keepdim=True)
    return (total / samples).numpy()


def reference(network, image, samples):
    """The mean gradient that errors are measured from: kept, as it takes long and is the same for all LibTorch versions."""
    told = hashlib.sha256(image.numpy().tobytes() + str(samples).encode())
    for value in network.state_dict().values():
        told.update(value.contiguous().numpy().tobytes())
    kept = peers.PACKAGES.parent / "references" / f"{told.hexdigest()[:16]}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        numpy.save(kept, mean_gradient(network, image, samples, 1))
    return numpy.load(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(peers.ROOT / "build" / "release" / "bin" / "benchmark_peers"))
    parser.add_argument("--networks", nargs="+", default=["squeezenet1_0", "mobilenet_v2", "resnet18"])
    parser.add_argument("--way", default="auto")
    for name, value in ("photos", 5), ("seeds", 4), ("runs", 15), ("reference", 2000), ("threads", 2):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    if not peers.peer("captum"):
        sys.exit("Captum cannot be had")
    peers.keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}, {peers.processor()}, {options.threads} threads\n")
    print("| network | error of Captum's 50 | of Pellucid's 50 | samples to be equal | Captum's time, contiguous | channels last | the bare loop's | how |")
    print("|---|---|---|---|---|---|---|---|")
    for architecture in options.networks:
        network, trained = network_of(architecture)
        networks = peers.in_each_layout(network)
        squares = {"Captum": [], "Pellucid": []}
        with tempfile.TemporaryDirectory() as folder:
            files = [str(pathlib.Path(folder) / name) for name in ("weights.pth", "image.npy", "map.npy")]
            torch.save(network.state_dict(), files[0])
            ours = None
            for image in photos(options.photos):
                expected = reference(networks["channels last"], image, options.reference)
                numpy.save(files[1], image.numpy())
                if ours is None:
                    ours = peers.Pellucid(options.program, options.threads, options.way, architecture, files[0], files[1])
                ours.ask(f"image {files[1]}")
                for seed in range(options.seeds):
                    torch.manual_seed(100 + seed)
                    ours.ask(f"smoothgrad {peers.SAMPLES} {files[2]} {seed}")
                    theirs = peers.smoothgrad_of_captum(network, image, 10).numpy()
                    for name, found in ("Captum", theirs), ("Pellucid", numpy.load(files[2])):
                        squares[name].append(float(((found - expected) ** 2).sum() / (expected ** 2).sum()))
            mean = {name: statistics.mean(values) for name, values in squares.items()}
            # The reference's own error is that of so many independent samples, as Captum's are.
            off = mean["Captum"] / (1 + options.reference / peers.SAMPLES)
            share = (mean["Pellucid"] - off) / (mean["Captum"] - off)
            samples = max(2, 2 * round(peers.SAMPLES * share / 2))
            # The limit of doing so many passes in this precision, whoever does them.
            precision = torch.float32 if "float32" in ours.way else torch.bfloat16
            bare = peers.Bare(peers.in_each_layout(network, precision), image.to(precision))
            request, contenders = peers.smoothgrad(networks, image, bare, samples)
            works = {name: (lambda work=work: peers.seconds(work)) for name, (work, _) in contenders.items()}
            times = peers.in_turn(works | {"Pellucid": lambda: ours.seconds(request)}, options.runs)
            columns = "Captum, contiguous", "Captum, channels last", "the bare loop"
            cells = [tables.ratio(times[name], times["Pellucid"]) for name in columns]
            weights = "" if trained else " (random weights)"
            print(
                f"| {architecture}{weights} | {math.sqrt(mean['Captum'] - off):.3f} | {math.sqrt(mean['Pellucid'] - off):.3f} "
                f"| {samples} | {' | '.join(cells)} | {ours.way}; bare: {bare} |", flush=True,
            )
            ours.close()


if __name__ == "__main__":
    main()
