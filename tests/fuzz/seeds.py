#!/usr/bin/python3
"""Makes small files for the fuzzers to begin with: seeds.py OUT fills OUT/pth and OUT/safetensors."""

import io
import json
import pathlib
import struct
import sys
import zipfile
from collections import OrderedDict

import torch


def pth(folder):
    values = torch.arange(24, dtype=torch.float32)
    tensors = OrderedDict(a=values.reshape(4, 6), b=values[3:7], c=torch.tensor([True, False]), d=torch.tensor(1.5))
    contents = {
        "plain": tensors,
        "wrapped": {"epoch": 3, "model": {"module.a": torch.nn.Parameter(values)}, "args": {"lr": [0.1, 1 << 70]}},
        "types": {str(place): torch.zeros(3, dtype=dtype) for place, dtype in enumerate(
            (torch.half, torch.bfloat16, torch.int64, torch.uint8, torch.complex64))},
    }
    for name, value in contents.items():
        for protocol in (2, 4):
            file = io.BytesIO()
            torch.save(value, file, pickle_protocol=protocol)
            (folder / f"{name}_{protocol}_archive").write_bytes(b"\0" + file.getvalue())
            with zipfile.ZipFile(file) as archive:
                (folder / f"{name}_{protocol}_pickle").write_bytes(b"\1" + archive.read("archive/data.pkl"))


def safetensors(folder):
    def write(name, header, data):
        text = json.dumps(header).encode()
        (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + data)

    write("none", {}, b"")
    write("one", {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, bytes(16))
    write("more", {"__metadata__": {"format": "pt"}, "a": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
                   "b": {"dtype": "BOOL", "shape": [3], "data_offsets": [8, 11]},
                   "c": {"dtype": "BF16", "shape": [0, 2], "data_offsets": [11, 11]}}, bytes(11))


for make in (pth, safetensors):
    folder = pathlib.Path(sys.argv[1]) / make.__name__
    folder.mkdir(parents=True, exist_ok=True)
    make(folder)
