#!/usr/bin/env python3
"""Tables of what tests/benchmark/peers.py measured, and the part of docs/performance.md that shows them.

    tests/benchmark/tables.py RESULTS.json … [--page docs/performance.md] [--block peers]

Results of several runs are shown together: a table for each LibTorch. With --page, what stands there between the lines
`<!-- BLOCK -->` and `<!-- /BLOCK -->` is replaced. A figure is how many times as long as Pellucid the other one takes, the
median over the runs, with its 95 % interval (bootstrap).
"""
import argparse
import json
import pathlib
import random
import re
import statistics

WORKS = {
    "smoothgrad": "SmoothGrad, {} samples",
    "integrated-gradients": "Integrated gradients, {} steps",
    "occlusion": "Occlusion, window {}, stride {}",
    "fgsm": "FGSM",
    "pgd": "PGD, {} steps",
    "dream": "A dream of channel {1} of an early layer, {2} steps",
}
NETWORKS = {
    "squeezenet1_0": "SqueezeNet 1.0", "resnet18": "ResNet-18", "vgg16": "VGG-16", "convnext_tiny": "ConvNeXt-T",
}
OURS = "Pellucid fp32"


def interval(values, times=2000):
    draws = random.Random(1)
    medians = sorted(statistics.median(draws.choices(values, k=len(values))) for _ in range(times))
    return medians[int(0.025 * times)], medians[int(0.975 * times)]


def ratio(times, ours):
    ratios = [a / b for a, b in zip(times, ours)]
    low, high = interval(ratios)
    return f"{statistics.median(ratios):.2f} ({low:.2f}–{high:.2f})"


def title(request):
    name, *numbers = request.split()
    return WORKS[name].format(*numbers)


def table(found):
    """The lines of a table of works by networks, for results with one LibTorch."""
    networks = [name for name in NETWORKS if any(row["network"] == name for row in found)]
    lines = ["| | | " + " | ".join(NETWORKS[name] for name in networks) + " |", "|---|---|" + "---|" * len(networks)]
    works = []
    for row in found:
        work = row["request"].split()[0]
        if work not in works:
            works.append(work)
    for work in works:
        of_work = [row for row in found if row["request"].split()[0] == work]
        rows = {row["network"]: row for row in of_work}
        if len(rows) < len(of_work):
            raise SystemExit(f"two results of {work} with the same network and LibTorch were given; give one")
        its_title = title(next(iter(rows.values()))["request"])
        contenders = []
        for row in rows.values():
            contenders += [name for name in row["seconds"] if name != OURS and name not in contenders]
        cells = [f"{statistics.median(rows[n]['seconds'][OURS]):.3f} s" if n in rows else "" for n in networks]
        lines.append(f"| {its_title} | {OURS} | " + " | ".join(cells) + " |")
        for name in contenders:
            cells = []
            for network in networks:
                seconds = rows[network]["seconds"] if network in rows else {}
                cells.append(ratio(seconds[name], seconds[OURS]) if name in seconds else "")
            lines.append(f"| | {name} | " + " | ".join(cells) + " |")
    return lines


def tables(found):
    """All of it, as Markdown."""
    lines = []
    keys = ("torch", "processor", "threads", "side", "memory")
    for where in dict.fromkeys(tuple(row.get(key) for key in keys) for row in found):
        rows = [row for row in found if tuple(row.get(key) for key in keys) == where]
        version, processor, threads, side, memory = where
        runs = sorted({len(row["seconds"][OURS]) for row in rows})
        lines += [
            f"LibTorch {version}, {processor}, {threads} threads, {side}×{side}, medians of "
            + " to ".join(map(str, dict.fromkeys((runs[0], runs[-1])))) + " runs"
            + (", Python without keep_freed_memory():" if memory else ":"),
            "",
            *table(rows),
            "",
        ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="+", type=pathlib.Path)
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("--block", default="peers")
    options = parser.parse_args()
    text = tables([row for file in options.results for row in json.loads(file.read_text())])
    print(text)
    if options.page:
        page = options.page.read_text()
        between = re.compile(rf"(<!-- {options.block} -->\n).*(<!-- /{options.block} -->)", re.DOTALL)
        if not between.search(page):
            raise SystemExit(f"{options.page} has no line <!-- {options.block} -->, and <!-- /{options.block} --> behind it")
        options.page.write_text(between.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page))


if __name__ == "__main__":
    main()
