"""other_libraries/: networks of other libraries, with their own names in the checkpoints.

NAME.safetensors is the state dictionary as the library names it, NAME.pt a common.Record of input and scores.
The names and shapes are those of

    original_convnext           facebookresearch/ConvNeXt (which is on no package index: a ConvNeXt by the
                                paper's formula, below, with the published checkpoints' names)
    timm_convnext               timm's, with linear layers
    timm_convnext_conv          the same with convolutions of 1×1 in their place, as its small networks have
    hugging_face_convnext       transformers' ConvNextForImageClassification
    timm_resnet_basic           timm's ResNet
    timm_resnet_bottleneck
    hugging_face_resnet_basic   transformers' ResNetForImageClassification
    hugging_face_resnet_bottleneck

Each ConvNeXt has DEPTHS and WIDTHS, each ResNet RESNET_DEPTHS, all CLASSES classes. The record of a ResNet
has one entry a tensor: `name` is torchvision's name, `kind` the library's. Which is which is found without
looking at names: two networks of one architecture run their modules in one order. Under those names
torchvision's ResNet must give the library's scores.

All parameters are random and, as common.network explains, far from a fresh network's. They are rounded to
float16 and stored as such, which halves the files and changes nothing.
"""

import json
import os
import struct

import torch
import torchvision
from torch import nn

from common import Record

PACKAGES = ("timm", "transformers")
DEPTHS = (1, 1, 2, 1)
WIDTHS = (8, 16, 24, 32)
RESNET_DEPTHS = (1, 2, 1, 1)
CLASSES = 7
SIDE = 64
BATCH = 2


@torch.no_grad()
def make(folder, data):
    os.environ["HF_HUB_OFFLINE"] = "1"
    for seed, (name, (net, twin)) in enumerate(networks().items(), start=100):
        torch.manual_seed(seed)
        randomize(net)
        input = torch.randn(BATCH, 3, SIDE, SIDE)
        record = Record(input, scores_of(net, input))
        if twin is not None:
            for ours, theirs in renamed(twin.eval(), net, input).items():
                record.add(ours, net.state_dict()[theirs], theirs)
        record.save(folder / f"{name}.pt")
        write_safetensors(folder / f"{name}.safetensors", net.state_dict())


def networks():
    """{name: (the library's network, torchvision's of the same architecture or None)}"""
    import timm.models
    import transformers

    made = {"original_convnext": (OriginalConvNeXt(), None)}
    for name, convolutions in (("timm_convnext", False), ("timm_convnext_conv", True)):
        made[name] = (timm.models.ConvNeXt(
            depths=DEPTHS, dims=WIDTHS, num_classes=CLASSES, conv_mlp=convolutions), None)
    made["hugging_face_convnext"] = (transformers.ConvNextForImageClassification(transformers.ConvNextConfig(
        depths=list(DEPTHS), hidden_sizes=list(WIDTHS), num_labels=CLASSES)), None)

    ours, theirs = torchvision.models.resnet, timm.models.resnet
    for kind, block, timm_block in (("basic", ours.BasicBlock, theirs.BasicBlock),
                                    ("bottleneck", ours.Bottleneck, theirs.Bottleneck)):
        twin = ours.ResNet(block, RESNET_DEPTHS, num_classes=CLASSES)
        net = theirs.ResNet(timm_block, RESNET_DEPTHS, num_classes=CLASSES)
        made[f"timm_resnet_{kind}"] = (net, twin)
        widths = [width * block.expansion for width in (64, 128, 256, 512)]
        net = transformers.ResNetForImageClassification(transformers.ResNetConfig(
            layer_type=kind, embedding_size=64, hidden_sizes=widths, depths=list(RESNET_DEPTHS),
            num_labels=CLASSES))
        made[f"hugging_face_resnet_{kind}"] = (net, twin)
    return made


def randomize(net):
    """Weights N(0, 1 / inputs), all other vectors N(0, 0.1) (biases, means) or U(0.5, 1.5), in float16."""
    for path, tensor in net.eval().state_dict().items():
        if not tensor.is_floating_point():
            continue
        if tensor.dim() > 1:
            tensor.normal_(0, tensor[0].numel() ** -0.5)
        elif path.endswith(("bias", "mean")):
            tensor.normal_(0, 0.1)
        else:
            tensor.uniform_(0.5, 1.5)
        tensor.copy_(tensor.half())


def scores_of(net, input):
    output = net(input)
    return output if isinstance(output, torch.Tensor) else output.logits


def renamed(twin, net, input):
    """{the twin's name: the name in net} of all tensors, checked by the scores."""
    names = {}
    for ours, theirs in zip(order(twin, input), order(net, input), strict=True):
        for key in twin.get_submodule(ours).state_dict():
            names[f"{ours}.{key}"] = f"{theirs}.{key}"
    state = net.state_dict()
    twin.load_state_dict({ours: state[theirs] for ours, theirs in names.items()})
    expected = scores_of(net, input)
    error = ((twin(input) - expected).abs().max() / expected.abs().max()).item()
    if len(names) != len(state) or error > 1e-5:
        raise RuntimeError(f"{len(names)} of {len(state)} tensors have a name of torchvision's, and its "
                           f"network disagrees by {error:.1e}")
    return names


def order(net, input):
    """The modules with parameters of their own, as they are called."""
    called = []
    handles = [
        module.register_forward_hook(lambda module, inputs, output, path=path: called.append(path))
        for path, module in net.named_modules() if next(module.parameters(recurse=False), None) is not None]
    net(input)
    for handle in handles:
        handle.remove()
    return called


def write_safetensors(path, state):
    """Eight bytes of length, a JSON header, the data; of larger types first, so that all lie aligned."""
    state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    types = {torch.int64: "I64", torch.float16: "F16"}
    header, data = {}, b""
    for name, tensor in sorted(state.items(), key=lambda item: -item[1].element_size()):
        values = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": types[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class OriginalConvNeXt(nn.Module):
    """Liu et al., "A ConvNet for the 2020s", CVPR 2022."""

    def __init__(self):
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, WIDTHS[0], 4, stride=4), ChannelNorm(WIDTHS[0], eps=1e-6))
        self.downsample_layers = nn.ModuleList([stem])
        for before, width in zip(WIDTHS, WIDTHS[1:]):
            halving = nn.Conv2d(before, width, 2, stride=2)
            self.downsample_layers.append(nn.Sequential(ChannelNorm(before, eps=1e-6), halving))
        self.stages = nn.ModuleList(
            nn.Sequential(*(OriginalBlock(width) for _ in range(depth)))
            for width, depth in zip(WIDTHS, DEPTHS))
        self.norm = nn.LayerNorm(WIDTHS[-1], eps=1e-6)
        self.head = nn.Linear(WIDTHS[-1], CLASSES)

    def forward(self, x):
        for downsample, stage in zip(self.downsample_layers, self.stages):
            x = stage(downsample(x))
        return self.head(self.norm(x.mean((2, 3))))


class OriginalBlock(nn.Module):
    """x + gamma · W₂ GELU(W₁ LayerNorm(depthwise 7×7 (x)))"""

    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width))
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)

    def forward(self, x):
        hidden = nn.functional.gelu(self.pwconv1(self.norm(self.dwconv(x).movedim(1, 3))))
        return x + (self.gamma * self.pwconv2(hidden)).movedim(3, 1)


class ChannelNorm(nn.LayerNorm):
    """Over the channels of N×C×H×W."""

    def forward(self, x):
        return super().forward(x.movedim(1, 3)).movedim(3, 1)
