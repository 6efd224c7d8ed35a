"""photos/: real photos through torchvision's transforms and real weights.

classify.json   {model file: {photo: {"class", "label", "probability"}}}: the top-1 class and its
                softmax probability. Resize(256) (the shorter side, PIL's antialiased bilinear, in 8 bit),
                CenterCrop(224), ToTensor, then the mean and deviation that the data's README tells for the
                model. The darknet model takes the whole photo squeezed to 256×256 instead, and no mean; its
                classes have an order of their own. The ResNet for CIFAR sees the middle 32×32 of the photo
                at 32.
cropped.pt      a common.Record for comparing resizes: for three photos the 3×224×224 tensor in [0, 1] after
                Resize, CenterCrop and ToTensor (name: the file, kind: "resize 256, crop 224"). `input` is the
                three as a batch and `scores` are SqueezeNet's.

A JPEG is decoded by PIL's libjpeg-turbo; embedded colour profiles are not applied.
"""

import json

import torch
import torchvision
from PIL import Image
from torchvision import transforms

from common import Record
from zoo import CifarResNet

IMAGENET = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CROP = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()])
SMALL = transforms.Compose([transforms.Resize(32), transforms.CenterCrop(32), transforms.ToTensor()])
SQUEEZE = transforms.Compose([transforms.Resize((256, 256)), *CROP.transforms[1:]])

CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()

# One wide, one tall, one large.
CROPPED = ("017_jay.JPEG", "207_golden_retriever.JPEG", "258_samoyed.jpg")


@torch.no_grad()
def make(folder, data):
    labels = (data / "imagenet_classes.txt").read_text().splitlines()
    darknet_labels = (data / "models" / "darknet_tiny.labels.txt").read_text().splitlines()
    darknet = script(data, "darknet_tiny.torchscript.pt")
    squeezenet, mobilenet = torchvision.models.squeezenet1_0(), torchvision.models.mobilenet_v2()
    cifar = CifarResNet(3)
    for net, name in ((squeezenet, "squeezenet1_0"), (mobilenet, "mobilenet_v2"), (cifar, "resnet20_cifar10")):
        net.load_state_dict(torch.load(data / "models" / f"{name}.pth", map_location="cpu"))
        net.eval()
    models = {
        "squeezenet1_0.pth": (squeezenet, CROP, IMAGENET, labels),
        "mobilenet_v2.pth": (mobilenet, CROP, HALF, labels),
        "resnet20_cifar10.pth": (cifar, SMALL, IMAGENET, CIFAR10),
        "darknet_tiny.torchscript.pt": (darknet, SQUEEZE, None, darknet_labels),
    }
    paths = sorted((data / "photos").glob("[0-9]*_*"))
    photos = {path.name: Image.open(path).convert("RGB") for path in paths}

    answers = {}
    for model, (net, crop, normalize, names) in models.items():
        answers[model] = {}
        normalize = normalize or transforms.Compose([])
        for photo, image in photos.items():
            probability, index = net(normalize(crop(image))[None]).softmax(1)[0].max(0)
            answers[model][photo] = {
                "class": index.item(), "label": names[index], "probability": round(probability.item(), 7)}
    (folder / "classify.json").write_text(json.dumps(answers, indent=1) + "\n")

    batch = torch.stack([CROP(photos[name]) for name in CROPPED])
    record = Record(batch, models["squeezenet1_0.pth"][0](IMAGENET(batch)))
    for name, x in zip(CROPPED, batch):
        record.add(name, x, "resize 256, crop 224")
    record.save(folder / "cropped.pt")


def script(data, file):
    return torch.jit.load(str(data / "models" / file), map_location="cpu").eval()
