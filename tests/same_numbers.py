#!/usr/bin/env python3
"""Do two builds of the program `pellucid`, such as with two versions of LibTorch, give the same numbers?

    tests/same_numbers.py PELLUCID OTHER_PELLUCID

Every method of attribution, on the networks and pictures that come with the program: prints of each the largest
difference as a share of the largest number, and fails above 1e-4.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy

MOST = 1e-4
LAYERS = {"shapes-vgg": "features.13", "shapes-convnext": "features.5"}


def run(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True)


def main():
    one, other = sys.argv[1:]
    methods = re.search(r"--method NAME\s+([^(]+)", run(one, "explain", "--help").stdout).group(1).split(",")
    failed = False
    print("| network | method | difference |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        run(one, "shapes", "--out", str(folder / "shapes"), "--count", "4")
        pictures = [str(path) for path in sorted((folder / "shapes").rglob("*.png"))]
        for network, layer in LAYERS.items():
            for method in (name.strip() for name in methods):
                ask = ["explain", "--model", network, "--method", method, "--input", *pictures, "--threads", "1"]
                if method.endswith("-cam") or method.startswith(("layer-", "grad-cam")):
                    ask += ["--layer", layer]
                results = []
                for name, program in [("one.npy", one), ("other.npy", other)]:
                    done = run(program, *ask, "--array", str(folder / name))
                    results.append(numpy.load(folder / name) if done.returncode == 0 else done.stderr)
                if isinstance(results[0], str) or isinstance(results[1], str):
                    same = isinstance(results[0], str) and isinstance(results[1], str)
                    failed = failed or not same
                    print(f"| {network} | {method} | {'refused by both' if same else 'refused by one'} |")
                    continue
                difference = abs(results[0] - results[1]).max() / abs(results[0]).max()
                failed = failed or not difference <= MOST
                print(f"| {network} | {method} | {difference:.1e} |")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
