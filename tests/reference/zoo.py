"""zoo/: every variant of the architectures that the library has, on weights that a formula gives.

NAME.pt     a common.Record. `input` is BATCH×3×SIDE×SIDE ~ N(0, 1) (32×32 for CIFAR), `scores` what the
            network makes of it; its entries are what five submodules, spread over the network, returned, and
            the "gradient" of one class's score (which: its `call`) with respect to the first image. This one
            in float64: of a million ReLUs some input is 0 but for rounding, and the gradient jumps there.
names.json  {NAME: {"gain": see below, "state": the state dictionary's keys, "layers": all submodules, in the
            order in which their calls returned, `relu#1`, `relu#2` where there are several}}

The weights of all would be 6 GB, so both sides compute them (in C++: formula.hpp). A table holds PERIOD
values u in [-1, 1), a hash of their index; tensor NAME reads it from place crc32(NAME) on, again and again.
In float32 it is then
    running_mean, biases            0.1 u
    running_var, weights of norms   1 + 0.5 u
    layer_scale                     0.3 + 0.2 u
    all other weights               sqrt(3 gain / fan-in) u
with a gain that keeps values near 1 from the first layer to the last: 2 makes up for what ReLUs cut off,
and where blocks add to their input 1 is enough. Integers stay 0.
"""

import contextlib
import json
import math
import unittest.mock
import zlib

import numpy
import torch
import torchvision
from torch import nn

from common import BATCH, SIDE, Record

PERIOD = 1_000_003  # a prime, so that the rows of a weight differ
STORED_VALUES = 20_000

TORCHVISION = (
    "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
    "convnext_tiny", "convnext_small", "convnext_base", "convnext_large",
    "squeezenet1_0", "squeezenet1_1", "mobilenet_v2")
CIFAR = {"resnet20": 3, "resnet32": 5, "resnet44": 7, "resnet56": 9}
GAINS = {"vgg": 2.0, "squeezenet": 2.0, "mobilenet": 1.5, "resnet": 1.0, "convnext": 1.0}


def make(folder, data):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on inputs this small a second one is in the way
    names = {name: make_network(folder, name) for name in (*TORCHVISION, *CIFAR)}
    torch.set_num_threads(threads)
    (folder / "names.json").write_text(json.dumps(names, indent=1) + "\n")


def make_network(folder, name):
    with without_random_values():
        net = CifarResNet(CIFAR[name]) if name in CIFAR else getattr(torchvision.models, name)(weights=None)
    gain = next(gain for family, gain in GAINS.items() if name.startswith(family))
    fill(net, gain)
    side = 32 if name in CIFAR else SIDE
    torch.manual_seed(zlib.crc32(name.encode()))
    input = torch.randn(BATCH, 3, side, side)

    calls = []
    handles = [
        module.register_forward_hook(lambda *call, path=path: calls.append((path, call[2].clone())))
        for path, module in net.named_modules() if path]
    with torch.no_grad():
        scores = net(input)
    for handle in handles:
        handle.remove()
    paths = [path for path, output in calls]
    never = set(dict(net.named_modules())) - {"", *paths}
    if never:
        raise RuntimeError(f"{name} never calls {sorted(never)}")
    layers = [path if paths.count(path) == 1 else f"{path}#{1 + paths[:place].count(path)}"
              for place, path in enumerate(paths)]

    record = Record(input, scores)
    label = scores[0].argmax().item()
    for place in (round(k * (len(calls) - 1) / 6) for k in range(1, 6)):
        path, output = calls[place]
        record.add(layers[place], output, type(net.get_submodule(path)).__name__, most=STORED_VALUES)
    net.double()
    image = input[:1].double().requires_grad_()
    gradient, = torch.autograd.grad(net(image)[0, label], image)
    record.add("gradient", gradient, "class", label)
    record.save(folder / f"{name}.pt")
    return {"gain": gain, "state": list(net.state_dict()), "layers": layers}


@contextlib.contextmanager
def without_random_values():
    """Networks made meanwhile keep whatever their memory holds: drawing 2 billion values takes minutes."""
    with contextlib.ExitStack() as stack:
        for function in dir(nn.init):
            if function.endswith("_") and not function.startswith("_"):
                leave = unittest.mock.patch.object(nn.init, function, lambda tensor, *options, **more: tensor)
                stack.enter_context(leave)
        yield


def table():
    value = numpy.arange(PERIOD, dtype=numpy.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        value ^= value >> numpy.uint32(shift)
        value *= numpy.uint32(factor)
    return (value >> numpy.uint32(8)).astype(numpy.float32) * numpy.float32(2.0 ** -23) - numpy.float32(1)


TABLE = table()


@torch.no_grad()
def fill(net, gain):
    for name, tensor in net.state_dict().items():
        if not tensor.is_floating_point():
            tensor.zero_()
            continue
        place = zlib.crc32(name.encode()) % PERIOD
        u = numpy.resize(numpy.concatenate([TABLE[place:], TABLE[:place]]), tensor.numel())
        if name.endswith(("running_mean", "bias")):
            u *= numpy.float32(0.1)
        elif name.endswith("layer_scale"):
            u = numpy.float32(0.3) + numpy.float32(0.2) * u
        elif tensor.dim() == 1:
            u = numpy.float32(1) + numpy.float32(0.5) * u
        else:
            u *= numpy.float32(math.sqrt(3 * gain / (tensor.numel() // tensor.size(0))))
        tensor.copy_(torch.from_numpy(u).view(tensor.shape))
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    net.eval()


class CifarResNet(nn.Module):
    """He et al., "Deep Residual Learning for Image Recognition", section 4.2: three stages of `blocks` blocks
    on 16, 32 and 64 channels. State dictionary as in the published checkpoints."""

    def __init__(self, blocks):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        for stage, (inputs, outputs) in enumerate(((16, 16), (16, 32), (32, 64)), 1):
            first = CifarBlock(inputs, outputs)
            others = (CifarBlock(outputs, outputs) for _ in range(blocks - 1))
            setattr(self, f"layer{stage}", nn.Sequential(first, *others))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


class CifarBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, outputs // inputs, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = OptionA(outputs - inputs)

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + self.shortcut(x))


class OptionA(nn.Module):
    """"The shortcut still performs identity mapping, with extra zero entries padded for increasing
    dimensions", with a stride of 2. The published checkpoints have half of the zeros before."""

    def __init__(self, more):
        super().__init__()
        self.more = more

    def forward(self, x):
        if self.more == 0:
            return x
        x = x[:, :, ::2, ::2]
        zeros = x.new_zeros(x.size(0), self.more // 2, x.size(2), x.size(3))
        return torch.cat([zeros, x, zeros], 1)
