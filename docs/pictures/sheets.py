#!/usr/bin/python3
"""Draws sheets of this folder by the program: one picture, explained by each method of a family; attacked by each
method; dreamt of by each preset; inverted from several layers.

    docs/pictures/sheets.py [PELLUCID]      the program; left out: build/release/bin/pellucid

Needs Debian's python3-pil. Every tile is one that `pellucid` draws; this puts them beside one another.
"""

import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).resolve().parent
PELLUCID = sys.argv[1] if len(sys.argv) > 1 else str(HERE.parents[1] / "build/release/bin/pellucid")
MODEL, NUMBER, SHAPE = "shapes-vgg", 1001, "crescent"  # a picture that no network was trained on
EARLIER = ["--layer", "features.13"]  # 16×16 places; the last layer with places has 4×4
SHEETS = {
    "attribution-gradients": [(name, ["--method", name]) for name in (
        "gradient", "input-x-gradient", "smoothgrad", "smoothgrad-squared", "vargrad", "integrated-gradients",
        "guided-backprop", "deconvnet")],
    "attribution-layers": [
        *((name, ["--method", name]) for name in (
            "grad-cam", "grad-cam-plus-plus", "layer-cam", "score-cam", "guided-grad-cam")),
        *((f"{name}, features.13", ["--method", name, *EARLIER]) for name in ("grad-cam", "layer-cam", "score-cam")),
        *((name, ["--method", name, *EARLIER]) for name in (
            "layer-activation", "layer-gradient-x-activation", "layer-conductance"))],
    "attribution-baselines": [(f"baseline {name}", ["--method", "integrated-gradients", "--baseline", name])
                              for name in ("black", "mean", "blur", "noise")],
}
EPSILON = ["--epsilon", "0.06"]
ATTACKS = [
    ("fgsm", ["--method", "fgsm", *EPSILON]),
    ("ifgsm", ["--method", "ifgsm", *EPSILON]),
    ("pgd", ["--method", "pgd", *EPSILON]),
    ("pgd --norm 2 --epsilon 3", ["--method", "pgd", "--norm", "2", "--epsilon", "3"]),
    ("minimal-epsilon", ["--method", "minimal-epsilon"]),
]
WHOLE = {
    "dreams-shapes.jpg": ["dream", "--target", "2", "--compare", "--steps", "200"],
    "inversions.jpg": ["invert", "--layer", "features.2,features.6,features.13,features.20"],
}
COLUMNS = {"attribution-gradients": 3, "attribution-layers": 4, "attribution-baselines": 5, "attacks": 3}
EDGE, SIDE, GAP, TEXT = 16, 224, 16, 18


def run(*words):
    subprocess.run([PELLUCID, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def tiles_of(sheet):
    """The first two tiles under the title of a sheet: the picture, and what `explain` or `attack` has to show."""
    paper = sheet.getpixel((0, 0))
    top = next(y for y in range(sheet.height)
               if all(sheet.getpixel((EDGE + x, y)) != paper for x in range(SIDE)))
    return [sheet.crop((left, top, left + SIDE, top + SIDE)) for left in (EDGE, EDGE + SIDE + GAP)]


def made(command, model, picture, options, folder):
    out = folder / "one.png"
    run(command, "--model", model, "--input", picture, *options, "--out", out)
    return tiles_of(Image.open(out).convert("RGB"))


def draw(tiles, columns):
    rows = -(-len(tiles) // columns)
    step = SIDE + GAP
    sheet = Image.new("RGB", (2 * EDGE + columns * step - GAP, EDGE + rows * (step + TEXT)), "#fafaf8")
    pen = ImageDraw.Draw(sheet)
    for place, (label, tile) in enumerate(tiles):
        left, top = EDGE + place % columns * step, EDGE + place // columns * (step + TEXT)
        sheet.paste(tile, (left, top))
        pen.text((left, top + SIDE + 3), label, fill="black")
    return sheet


def save(sheet, name):
    """Maps have few colours, and pictures many: 256 in a PNG, or a JPEG."""
    file = HERE / name
    sheet = sheet.convert("RGB")
    if file.suffix == ".jpg":
        sheet.save(file, quality=85)
    else:
        sheet.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(file, optimize=True)
    print("written:", file)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    run("shapes", "--out", folder, "--first", NUMBER, "--count", 1)
    picture = folder / SHAPE / f"{NUMBER:06}.png"
    families = [*(("explain", MODEL, *family) for family in SHEETS.items()),
                ("attack", "shapes-convnext", "attacks", ATTACKS)]
    for command, model, sheet, methods in families:
        tiles = [(label, made(command, model, picture, options, folder)) for label, options in methods]
        first = (f"{SHAPE}, number {NUMBER}", tiles[0][1][0])
        save(draw([first, *((label, both[1]) for label, both in tiles)], COLUMNS[sheet]), f"{sheet}.png")
    for sheet, (command, *options) in WHOLE.items():
        pictures = ["--input", picture] if command == "invert" else []
        run(command, "--model", MODEL, *pictures, *options, "--out", folder / "one.png")
        save(Image.open(folder / "one.png"), sheet)
