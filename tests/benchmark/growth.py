#!/usr/bin/env python3
"""How time and memory grow: with the samples of a SmoothGrad, the images of a scan, the steps of a dream.

    tests/benchmark/growth.py [--program build/release/bin/pellucid] [--model build/release/reference/layers/…] [--runs 3]

Runs the program for several sizes of each, in turn, and prints for each: the seconds of the fastest run, how well a
straight line fits them (R²), and the peak of the process's memory at the smallest and the largest size. For an otherwise
idle machine.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(command):
    """Seconds, and the peak of its memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command}: {said.decode()}")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def fit(sizes, times):
    """R² of the straight line through them."""
    n = len(sizes)
    x, y = sum(sizes) / n, sum(times) / n
    slope = sum((a - x) * (b - y) for a, b in zip(sizes, times)) / sum((a - x) ** 2 for a in sizes)
    left = sum((b - y - slope * (a - x)) ** 2 for a, b in zip(sizes, times))
    return 1 - left / sum((b - y) ** 2 for b in times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    release = ROOT / "build" / "release"
    parser.add_argument("--program", default=release / "bin" / "pellucid")
    parser.add_argument("--model", default=release / "reference" / "layers" / "squeezenet1_0.scripted.pt")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        scans = [500, 1000, 2000, 4000]
        for count in scans:
            run([options.program, "shapes", "--out", folder / str(count), "--count", count])
        picture = min((folder / str(scans[0])).glob("*/*.png"))
        asked = [options.program, "explain", "--model", options.model, "--input", picture, "--target", 3]
        asked += ["--preprocess", "imagenet"]  # which makes 224×224 pixels of it
        scan = [options.program, "patches", "--model", "shapes-vgg", "--layer", "features.13"]
        dream = [options.program, "dream", "--model", "shapes-vgg", "--target", 3, "--preset", "natural"]
        works = {
            "samples of a SmoothGrad": ([16, 32, 64, 128, 256], lambda n: asked + ["--method", "smoothgrad", "--samples", n]),
            "steps of integrated gradients": ([16, 32, 64, 128], lambda n: asked + ["--method", "integrated-gradients", "--steps", n]),
            "images of a scan": (scans, lambda n: scan + ["--images", folder / str(n)]),
            "steps of a dream": ([64, 128, 256, 512], lambda n: dream + ["--steps", n]),
        }
        print("| what grows | from | to | seconds | R² of a line | peak memory, MB |\n|---|---|---|---|---|---|")
        for name, (sizes, command) in works.items():
            found = {size: [] for size in sizes}
            for _ in range(options.runs):
                for size in sizes:
                    found[size].append(run(command(size)))
            times = [min(seconds for seconds, _ in found[size]) for size in sizes]
            peaks = [min(peak for _, peak in found[size]) for size in sizes]
            print(
                f"| {name} | {sizes[0]} | {sizes[-1]} | {times[0]:.2f} to {times[-1]:.2f} | {fit(sizes, times):.4f} "
                f"| {peaks[0]:.0f} to {peaks[-1]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
