#!/usr/bin/env python3
"""What a header of Pellucid costs to compile, over <torch/torch.h> alone, in processor time.

    tests/compile_time.py [--runs 5] [HEADER ...]

Prints a table: for each header the median of the runs, its ratio to that of <torch/torch.h>, and the limit. Without
names: pellucid.hpp (at most 1.3) and those of all methods (at most 1.05). Fails where a limit is passed. A run
compiles each file once, in turn, with what CMake says for Release; on an otherwise idle machine, with Debian's
LibTorch, five runs take half an hour.
"""
import argparse
import json
import pathlib
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "include"
BASE = "torch/torch.h"
WHOLE = "pellucid/pellucid.hpp"
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(compile_time LANGUAGES CXX)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
add_subdirectory({root} pellucid)
add_library(files OBJECT {files})
target_link_libraries(files PRIVATE pellucid::pellucid)
"""


def methods():
    folders = ["attribution/methods", "attack/methods", "check", "optimizer/regularizers"]
    others = ["optimizer/ascent", "optimizer/inversion", "activation/tour", "activation/unit_gradients"]
    found = [path for folder in folders for path in sorted((INCLUDE / "pellucid" / folder).glob("*.hpp"))]
    return [str(path.relative_to(INCLUDE)) for path in found] + [f"pellucid/{other}.hpp" for other in others]


def commands(headers, folder):
    """Of each header the command that compiles a file with nothing but it."""
    names = {f"{i}.cpp": header for i, header in enumerate(headers)}
    for name, header in names.items():
        (folder / name).write_text(f"#include <{header}>\n")
    (folder / "CMakeLists.txt").write_text(PROJECT.format(root=ROOT, files=" ".join(names)))
    subprocess.run(
        ["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=Release"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    database = json.loads((folder / "build" / "compile_commands.json").read_text())
    found = {}
    for entry in database:
        header = names.get(pathlib.Path(entry["file"]).name)
        if header is not None:
            found[header] = (shlex.split(entry["command"]), entry["directory"])
            (pathlib.Path(entry["directory"]) / shlex.split(entry["command"])[-3]).parent.mkdir(parents=True, exist_ok=True)
    return found


def seconds(command, directory):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("headers", nargs="*", help="such as pellucid/attribution/methods/smoothgrad.hpp")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    headers = [BASE] + (options.headers or [WHOLE] + methods())
    with tempfile.TemporaryDirectory() as folder:
        compile = commands(headers, pathlib.Path(folder))
        times = {header: [] for header in headers}
        for _ in range(options.runs):
            for header in headers:
                times[header].append(seconds(*compile[header]))
    base = statistics.median(times[BASE])
    passed = True
    print(f"Median processor time of {options.runs} runs\n\n| header | s | over <{BASE}> | at most |\n|---|---|---|---|")
    for header in headers:
        median = statistics.median(times[header])
        limit = 1.0 if header == BASE else 1.3 if header == WHOLE else 1.05
        passed = passed and median / base <= limit
        print(f"| {header} | {median:.1f} | {median / base:.2f} | {limit} |")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
