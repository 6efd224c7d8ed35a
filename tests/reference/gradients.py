"""gradients/: attributions of two of the networks in layers/, by PyTorch's autograd and module hooks.

NAME.pt is a common.Record with the network and input of layers/NAME.hooks.pt (network space, no
preprocessing; the images of the batch are independent of each other). CLASS and CHANNEL are below; `layer`
and `deep` are the two in LAYERS.

    class_gradient              ∂ score[CLASS] / ∂ input, N×3×H×W
    channel_gradient            ∂ (mean over y, x of channel CHANNEL of `layer`'s output) / ∂ input
    grad_cam_signed             Σ_c w_c A_c at `deep`, w_c = mean over y, x of ∂ score[CLASS] / ∂ A_c, N×1×h×w
    grad_cam                    its ReLU
    grad_cam_upsampled          that, bilinear to H×W (align_corners=False)
    integrated_gradients        Gauss–Legendre, STEPS nodes on [0, 1], from a baseline of zeros
    integrated_gradients_gap    Σ attribution − (score[CLASS](input) − score[CLASS](0)), N
    guided_backprop             ReLU's backward passes positive gradients only, where its input was positive
    deconvnet                   ReLU's backward passes positive gradients only, wherever

All on copies whose ReLU modules are not in-place. Guided backpropagation and deconvnet are made twice, with
full backward hooks on the ReLU modules and with ReLUs replaced by an autograd.Function, and must be equal.
`kind` is the name of the layer, where there is one, else of what was differentiated.
"""

import numpy
import torch
import torch.nn.functional as F

from common import Record, network, network_input

CLASS = 3
CHANNEL = 2
STEPS = 50
LAYERS = {"squeezenet1_0": ("features.5", "features.12"), "resnet18": ("layer2", "layer4")}


def make(folder, data):
    for name, (layer, deep) in LAYERS.items():
        make_network(name, layer, deep).save(folder / f"{name}.pt")


def make_network(name, layer, deep):
    net = separate_relus(network(name))
    input = network_input(name)
    record = Record(input, net(input))

    def add(key, tensor, kind=f"class {CLASS}"):
        if not (torch.isfinite(tensor).all() and tensor.reshape(len(tensor), -1).any(1).all()):
            raise RuntimeError(f"{name}: {key} tests nothing: zero for a whole image, or not finite")
        record.add(key, tensor, kind)

    add("class_gradient", input_gradient(net, input, class_score))
    add("channel_gradient", input_gradient(net, input, channel_mean(layer)), layer)

    signed = grad_cam(net, deep, input)
    add("grad_cam_signed", signed, deep)
    add("grad_cam", signed.relu(), deep)
    add("grad_cam_upsampled",
        F.interpolate(signed.relu(), size=input.shape[2:], mode="bilinear", align_corners=False), deep)

    attribution = integrated_gradients(net, input)
    add("integrated_gradients", attribution)
    with torch.no_grad():
        rise = class_score(net, input) - class_score(net, torch.zeros_like(input))
    add("integrated_gradients_gap", attribution.sum((1, 2, 3)) - rise)

    methods = (("guided_backprop", guided_rule, GuidedReLU), ("deconvnet", deconvnet_rule, DeconvnetReLU))
    for key, rule, function in methods:
        hooked = with_backward_hooks(separate_relus(network(name)), rule)
        replaced = with_function(network(name), function)
        first, second = (input_gradient(net, input, class_score) for net in (hooked, replaced))
        if not torch.equal(first, second):
            difference = (first - second).abs().max()
            raise RuntimeError(f"{name}: {key} by hooks and by a replaced ReLU differ by {difference}")
        add(key, first)
    return record


def class_score(net, x):
    return net(x)[:, CLASS]


def channel_mean(path):
    return lambda net, x: output_of(net, path, x)[:, CHANNEL].mean((1, 2))


def input_gradient(net, input, objective):
    x = input.clone().requires_grad_(True)
    return torch.autograd.grad(objective(net, x).sum(), x)[0]


def run_to_see(net, path, x):
    """The scores, and the output of a submodule in their graph."""
    seen = []
    handle = net.get_submodule(path).register_forward_hook(lambda module, inputs, output: seen.append(output))
    scores = net(x)
    handle.remove()
    return scores, seen[-1]


def output_of(net, path, x):
    return run_to_see(net, path, x)[1]


def grad_cam(net, path, input):
    scores, layer = run_to_see(net, path, input.clone().requires_grad_(True))
    weights = torch.autograd.grad(scores[:, CLASS].sum(), layer)[0].mean((2, 3), keepdim=True)
    return (weights * layer).sum(1, keepdim=True)


def integrated_gradients(net, input):
    nodes, weights = numpy.polynomial.legendre.leggauss(STEPS)  # on [−1, 1], weights of sum 2
    total = torch.zeros_like(input, dtype=torch.float64)
    for node, weight in zip((nodes + 1) / 2, weights / 2):
        total += weight * input_gradient(net, float(node) * input, class_score).double()
    return (input.double() * total).float()


def separate_relus(net):
    for module in net.modules():
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
    return net


def guided_rule(module, grad_input, grad_output):
    return (grad_input[0].clamp(min=0),)


def deconvnet_rule(module, grad_input, grad_output):
    return (grad_output[0].clamp(min=0),)


def with_backward_hooks(net, rule):
    for module in net.modules():
        if isinstance(module, torch.nn.ReLU):
            module.register_full_backward_hook(rule)
    return net


class GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x * (x > 0)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * (x > 0) * (gradient > 0)


class DeconvnetReLU(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        return x * (x > 0)

    @staticmethod
    def backward(context, gradient):
        return gradient * (gradient > 0)


def with_function(net, function):
    class Replacement(torch.nn.Module):
        def forward(self, x):
            return function.apply(x)

    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, torch.nn.ReLU):
                setattr(module, name, Replacement())
    return net
