#!/usr/bin/python3
"""Makes reference data for the C++ tests with Debian's python3-torch and python3-torchvision.

    make_all.py OUT [--data DIR] [--only PART]

PyTorch's own module hooks, autograd and torchvision's transforms are a second route to what the library
computes in C++. Everything is seeded: the same versions make the same files. OUT receives

    layers/NAME.scripted.pt     the network through torch.jit.script
    layers/NAME.traced.pt       the same network, same parameters, through torch.jit.trace
    layers/NAME.hooks.pt        what a forward hook saw at every submodule               (see layers.py)
    layers/summary.json         per network: which submodules were called, how often, and what is left out
    gradients/NAME.pt           gradients and attributions of two of the networks        (see gradients.py)
    zoo/NAME.pt                 what every network of the zoo gives                      (see zoo.py)
    photos/classify.json        top-1 class and probability of real photos               (see photos.py)
    photos/cropped.pt           three photos, resized and cropped
    checkpoints/NAME.pth        files by torch.save                                      (see checkpoints.py)
    other_libraries/NAME.*      networks of timm and others, under their names  (see other_libraries.py)
    PART/stamp                  a hash of the scripts, the versions and the data that made PART

A part whose stamp is right is skipped. A part is made in a temporary folder and renamed when it is whole, so
a folder with a stamp is complete. `photos` needs real weights and photos (--data, by default ../shared/data
beside the repository) and is passed over where that folder is absent. `other_libraries` needs timm and
transformers, and is passed over unless the Python that runs this has them: other_libraries.sh makes one.

NAME.hooks.pt and the like are TorchScript modules that only carry attributes (see common.Record), because
that is the one container that both Python writes and LibTorch reads; reference.hpp reads them. The zip
records of all files are deflated, and large weights are rounded to 15 values a tensor so that they deflate
well: torchvision's full-size networks, VGG-16 included, then fit into some 530 MB, made in about a minute.
"""

import sys

sys.dont_write_bytecode = True

import argparse
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import pathlib
import shutil
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT_DATA = HERE.parents[2] / "shared" / "data"

try:
    import torch
    import torchvision
except ImportError as error:
    sys.exit(f"{error}. Reference data needs Debian's PyTorch: apt install python3-torch python3-torchvision,"
             f" and /usr/bin/python3 (this is {sys.executable})")

import checkpoints
import gradients
import layers
import other_libraries
import photos
import zoo

PARTS = {"layers": layers, "gradients": gradients, "photos": photos, "zoo": zoo, "checkpoints": checkpoints,
         "other_libraries": other_libraries}


def fingerprint(part, data):
    """A hash of all that decides what a part holds."""
    digest = hashlib.sha256()
    digest.update(f"{part} torch {torch.__version__} torchvision {torchvision.__version__}\n".encode())
    for script in ("common.py", f"{part}.py"):
        digest.update((HERE / script).read_bytes())
    if part == "photos":
        for file in sorted(path for path in data.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(data)} {file.stat().st_size}\n".encode())
    if part == "other_libraries":
        for package in other_libraries.PACKAGES:
            digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    return digest.hexdigest()


def why_not(part, data):
    """What a part lacks to be made here, if anything."""
    if part == "photos" and not (data / "photos").is_dir():
        return f"{data} has no photos"
    if part == "other_libraries":
        absent = [name for name in other_libraries.PACKAGES if importlib.util.find_spec(name) is None]
        if absent:
            return f"{sys.executable} has no {' and no '.join(absent)} (other_libraries.sh installs them)"
    return None


def make(part, out, data):
    target = out / part
    stamp = fingerprint(part, data)
    if (target / "stamp").is_file() and (target / "stamp").read_text() == stamp:
        print(f"{part}: up to date", flush=True)
        return

    began = time.monotonic()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f".{part}-", dir=out))
    try:
        folder.chmod(0o755)
        PARTS[part].make(folder, data)
        (folder / "stamp").write_text(stamp)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    size = sum(file.stat().st_size for file in target.iterdir())
    print(f"{part}: {size / 1e6:.0f} MB in {time.monotonic() - began:.0f} s", flush=True)


def main():
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("out", type=pathlib.Path, help="folder to fill")
    parser.add_argument("--data", type=pathlib.Path, default=DEFAULT_DATA, help="real weights and photos")
    parser.add_argument("--only", choices=PARTS, help="this part alone")
    options = parser.parse_args()

    torch.set_num_threads(2)
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in [options.only] if options.only else PARTS:
            for stale in options.out.glob(f".{part}-*"):
                shutil.rmtree(stale)
            reason = why_not(part, options.data)
            if reason:
                print(f"{part}: passed over, {reason}")
                continue
            make(part, options.out, options.data)


if __name__ == "__main__":
    main()
