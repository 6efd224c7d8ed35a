#!/usr/bin/env python3
"""Writes a network of torchvision or timm as a TorchScript file, which load_script reads, and beside it, as
.json, what the network wants done to an image (for --preprocess).

    export_torchscript.py convnext_tiny out.pt --weights default
    export_torchscript.py convnext_atto out.pt --timm --weights mine.pth --classes 10 --size 288
"""

import argparse
import json
import pathlib

import torch


def from_torchvision(name, pretrained, **options):
    from torchvision import models
    weights = models.get_model_weights(name).DEFAULT
    wanted = weights.transforms()
    return models.get_model(name, weights=weights if pretrained else None, **options), {
        "resize": wanted.resize_size[0], "crop": wanted.crop_size[0], "mean": wanted.mean, "std": wanted.std,
        "interpolation": wanted.interpolation.value}


def from_timm(name, pretrained, **options):
    import timm
    model = timm.create_model(name, pretrained=pretrained, **options)
    wanted = timm.data.resolve_data_config({}, model=model)
    side = wanted["input_size"][1]
    return model, {"resize": int(side / wanted["crop_pct"]), "crop": side, "mean": wanted["mean"],
                   "std": wanted["std"], "interpolation": wanted["interpolation"]}


def as_script(model, images):
    """Scripted, which works for other sizes, too; traced where scripting fails or gives more than scores."""
    try:
        script = torch.jit.script(model)
        if isinstance(script(images), torch.Tensor):
            return script, "scripted"
    except Exception:  # scripting fails with errors of many types
        pass
    return torch.jit.trace(model, images), "traced"


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("name", help="as torchvision.models or timm.list_models() has it")
parser.add_argument("out", type=pathlib.Path, help="the file to write, such as out.pt")
parser.add_argument("--weights", help="a file, or 'default' for the published ones; random without")
parser.add_argument("--classes", type=int, help="where they are not the published network's")
parser.add_argument("--size", type=int, help="side of the images, where it is not the published network's")
parser.add_argument("--timm", action="store_true", help="a network of timm, not torchvision")
given = parser.parse_args()

make = from_timm if given.timm else from_torchvision
options = {"num_classes": given.classes} if given.classes else {}
model, preprocess = make(given.name, given.weights == "default", **options)
if given.weights not in (None, "default"):
    state = torch.load(given.weights, map_location="cpu", weights_only=True)
    model.load_state_dict(state.get("state_dict", state.get("model", state)))
if given.size:
    preprocess.update(resize=preprocess["resize"] * given.size // preprocess["crop"], crop=given.size)

model.eval().requires_grad_(False)
images = torch.randn(2, 3, preprocess["crop"], preprocess["crop"])
script, how = as_script(model, images)
torch.testing.assert_close(script(images), model(images), rtol=1e-3, atol=1e-4)
script.save(str(given.out))
beside = given.out.with_suffix(".json")
beside.write_text(json.dumps(preprocess) + "\n")
print(f"{given.name}, {how}. Now: pellucid classify --model {given.out} --preprocess {beside} --input …")
