"""What the parts share: torchvision's networks with seeded weights, and the container of the results."""

import io
import math
import warnings
import zipfile
from typing import List

import torch
import torchvision

SIDE = 64
BATCH = 2

# GoogLeNet: without its auxiliary heads, which eval mode does not run.
NETWORKS = {
    "resnet18": {},
    "vgg16": {},
    "convnext_tiny": {},
    "densenet121": {},
    "squeezenet1_0": {},
    "mobilenet_v2": {},
    "googlenet": {"init_weights": True, "aux_logits": False, "transform_input": False},
    "swin_t": {},
}

SEEDS = {name: 1 + place for place, name in enumerate(NETWORKS)}
# SqueezeNet's class 3, or the channel in gradients.py, is below a ReLU everywhere with most seeds.
SEEDS["squeezenet1_0"] = 18

STORED_VALUES = 200_000


def network(name):
    """torchvision's architecture with seeded random parameters and batch-norm statistics, in eval mode.

    Fresh networks hide mistakes: their biases are 0, their norms the identity, ConvNeXt's layer scale 1e-6.
    So batch norms get mean ~ N(0, 0.1), variance and weight ~ U(0.5, 1.5); all biases ~ N(0, 0.1); layer
    norms weight ~ U(0.5, 1.5); layer scale ~ U(0.1, 0.5); Swin's relative position biases ~ N(0, 0.5).
    """
    torch.manual_seed(SEEDS[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = getattr(torchvision.models, name)(weights=None, **NETWORKS[name])
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        if isinstance(getattr(module, "bias", None), torch.nn.Parameter):
            torch.nn.init.normal_(module.bias, 0, 0.1)
    for path, parameter in net.named_parameters():
        if path.endswith("layer_scale"):
            torch.nn.init.uniform_(parameter, 0.1, 0.5)
        elif path.endswith("relative_position_bias_table"):
            torch.nn.init.normal_(parameter, 0, 0.5)
        elif parameter.dim() >= 2 and parameter.numel() > 10_000:
            round_to_few_values(parameter)
        parameter.requires_grad_(False)
    return net.eval()


@torch.no_grad()
def round_to_few_values(weight):
    """Multiples -7…7 of a power of two, out to three standard deviations: nine in ten bits deflate away."""
    step = 2.0 ** math.ceil(math.log2(3 * weight.std().item() / 7))
    weight.div_(step).round_().clamp_(-7, 7).mul_(step)


def network_input(name):
    torch.manual_seed(1000 + SEEDS[name])
    return torch.randn(BATCH, 3, SIDE, SIDE)


class Record(torch.nn.Module):
    """Named tensors, with what they came from, as a TorchScript module that carries nothing but attributes.

    Entry i is call `calls[i]` (from 0) of the thing `names[i]` of kind `kinds[i]`. Its tensor has the shape
    `shapes[i]` and spans `ranges[i]` = max − min over all its elements. `outputs[i]` is 1-d: elements 0, k,
    2k, … of the flattened tensor, k = `strides[i]`. `overwritten[i]` is 1 where a later in-place operator
    changed the tensor after it was recorded; what is stored is the value before.
    """

    names: List[str]
    calls: List[int]
    kinds: List[str]
    outputs: List[torch.Tensor]
    strides: List[int]
    shapes: List[List[int]]
    ranges: List[float]
    overwritten: List[int]

    def __init__(self, input, scores):
        super().__init__()
        self.register_buffer("input", input.detach().clone())
        self.register_buffer("scores", scores.detach().clone())
        for name in Record.__annotations__:
            setattr(self, name, [])

    def add(self, name, tensor, kind, call=0, overwritten=False, most=STORED_VALUES):
        tensor = tensor.detach().float()
        stride = sampling_stride(tensor.shape, most)
        self.names.append(name)
        self.calls.append(call)
        self.kinds.append(kind)
        self.outputs.append(tensor.flatten()[::stride].clone())
        self.strides.append(stride)
        self.shapes.append(list(tensor.shape))
        self.ranges.append((tensor.max() - tensor.min()).item())
        self.overwritten.append(int(overwritten))

    def forward(self):
        return self.scores

    def save(self, path):
        save_script(torch.jit.script(self.eval()), path)


def sampling_stride(shape, most):
    """The smallest k that leaves at most `most` values and shares no factor with a dimension, so that the
    kept elements do not line up on a few columns or channels."""
    count = math.prod(shape)
    if count <= most:
        return 1
    stride = math.ceil(count / most)
    while any(math.gcd(stride, size) > 1 for size in shape):
        stride += 1
    return stride


def save_script(module, path):
    """torch.jit.save stores its zip records as they are; this deflates them. LibTorch reads both."""
    plain = io.BytesIO()
    torch.jit.save(module, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for record in source.infolist():
            # A constant date: the same network is the same file.
            target.writestr(zipfile.ZipInfo(record.filename), source.read(record), zipfile.ZIP_DEFLATED, 1)
