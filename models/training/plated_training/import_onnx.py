"""An exported model's weights back into the network, so that training can go on from them.

    python -m plated_training.import_onnx --models .. --shards DIR --out STATE/reader.pt
    python -m plated_training.import_onnx --models .. --shards DIR --out STATE/detector.pt --detector

The export folded each batch norm into its convolution. Each gets one back that changes nothing: with
the statistics of its convolution's outputs over some shards' crops, so that training, which normalises
by the batch, starts from the same function too. Classes of states that the network has gained
since start as a small part of the class of no known state. The detector lies in the repository as int8 alone:
its weights come back rounded to 1/64 of each channel's greatest.
"""
import argparse
import os
import tomllib

import numpy as np
import onnx
import torch
import torch.nn as nn
from onnx import numpy_helper

from .detector import Block, Detector
from .export_detector import TIGHTEN, calibration_images
from .layout import ungrouped
from .reader import Conv, Reader, standardise
from .reader_data import shards
from .states import REGIONS

WEIGHT = 0.1  # root mean square of a normalised convolution's weights; the norm makes the value free
NEW_STATE = -3.0  # nats between the class of no known state and one that is new


def called(net, kinds, image):
    """Names of the modules of these kinds, in the order in which a forward pass calls them: that of the graph's nodes."""
    names, hooks = [], []
    for name, m in net.named_modules():
        if isinstance(m, kinds):
            hooks.append(m.register_forward_hook(lambda *_, name=name: names.append(name)))
    with torch.no_grad():
        net(image)
    for h in hooks:
        h.remove()
    return names


def opened(models, name):
    """(sidecar, graph, its constants by name: quantised ones as what they stand for)."""
    with open(os.path.join(models, f"{name}.toml"), "rb") as f:
        card = tomllib.load(f)
    graph = onnx.load(os.path.join(models, card["file"])).graph
    held = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    held |= {n.output[0]: torch.from_numpy(numpy_helper.to_array(n.attribute[0].t).copy()) for n in graph.node if n.op_type == "Constant"}
    for n in graph.node:
        if n.op_type == "DequantizeLinear" and n.input[0] in held:
            steps, scale, zero = (held[i].float() for i in n.input)
            shape = (-1,) + (1,) * (steps.ndim - 1) if scale.ndim else ()
            held[n.output[0]] = (steps - zero.reshape(shape)) * scale.reshape(shape)
    return card, graph, held


def load(models, name="reader-fp32"):
    """-> (network, temperature of the slots, of the states); batch norm as identity, eval mode."""
    card, graph, held = opened(models, name)
    net = Reader().eval()
    state = net.state_dict()

    convs = [n for n in graph.node if n.op_type == "Conv"]
    order = called(net, nn.Conv2d, torch.zeros(1, 3, 48, 160))
    if len(convs) != len(order):
        raise SystemExit(f"{card['file']} has {len(convs)} convolutions, the network {len(order)}: not the same network")
    for node, at in zip(convs, order):
        put(state, at + ".weight", held[node.input[1]])
        if at + ".bias" in state:
            put(state, at + ".bias", held[node.input[2]])
        else:  # folded: the norm after it becomes the identity, plus the bias
            norm = at.removesuffix("0") + "1"
            put(state, norm + ".bias", held[node.input[2]])
            state[norm + ".running_var"] = torch.full_like(state[norm + ".running_var"], 1 - net.get_submodule(norm).eps)
    for node, at in zip([n for n in graph.node if n.op_type == "Gemm"], called(net, nn.Linear, torch.zeros(1, 3, 48, 160))):
        weight, bias = held[node.input[1]], held[node.input[2]]
        if at == "name":
            weight, bias = grown(weight, bias, card["output"]["states"])
        put(state, at + ".weight", weight)
        put(state, at + ".bias", bias)
    for at in ("place", "bias"):
        put(state, at, held["net." + at])
    blend = [held[i] for n in graph.node if n.op_type == "Mul" and n.output[0].startswith("/net/") for i in n.input
             if i in held and held[i].ndim == 0 and i.startswith("onnx::")]
    put(state, "blend", torch.stack(blend))
    net.load_state_dict(state)
    divisors = [float(held[n.input[1]]) for n in graph.node if n.op_type == "Div"]
    if len(divisors) != 2:
        raise SystemExit(f"{card['file']}: two temperatures were expected, {len(divisors)} found")
    return net, *divisors


def put(state, name, value):
    if state[name].shape != value.shape:
        raise SystemExit(f"{name}: the file has {tuple(value.shape)}, the network {tuple(state[name].shape)}")
    state[name] = value


def grown(weight, bias, states):
    """The last layer's rows in the network's order, with rows for the regions that the file does not know."""
    unknown = states.index("")
    rows = [states.index(r) if r in states else unknown for r in REGIONS + [""]]
    lower = torch.tensor([0.0 if r in states else NEW_STATE for r in REGIONS + [""]])
    return weight[rows].clone(), bias[rows] + lower


@torch.no_grad()
def load_detector(models):
    """-> the network, batch norm as identity, eval mode; corners as before the export drew them in."""
    _, graph, held = opened(models, "detector")
    net = Detector().eval()
    # The last convolution is a product of matrices in the file: layout.arrange_detector.
    convs = [n for n in graph.node if n.op_type == "Conv"] + [n for n in graph.node if n.op_type == "Gemm"]
    order = [n.removesuffix(".conv") for n in called(net, nn.Conv2d, torch.zeros(1, 64, 64, 3))]
    if len(convs) != len(order):
        raise SystemExit(f"the detector's file has {len(convs)} convolutions, the network {len(order)}: not the same network")
    for node, at in zip(convs, order):
        weight, bias = held[node.input[1]], held[node.input[2]]
        m = net.get_submodule(at)
        if at == "head":
            weight = weight.T[:, :, None, None].clone()
        if at == "head":
            for p in (weight, bias):
                for first in (5, 6):
                    rows = p[first::2]
                    rows.copy_((rows - (1 - TIGHTEN) * rows.mean(0, keepdim=True)) / TIGHTEN)
            m.weight.copy_(weight)
            m.bias.copy_(bias)
            continue
        if at == "stem":
            # Two of 6x6 pixels at stride 4 in one, over groups: layout.group_first; before that, space to depth and 3x3:
            # export_detector.Plain.
            weight = torch.from_numpy(ungrouped(weight.numpy(), channels=3, kernel=6, step=4, left=2))
            k = weight.shape[0]
            bias = bias[:k]
            weight = 255 * weight.reshape(k, 3, 3, 2, 3, 2).permute(0, 3, 5, 1, 2, 4).reshape(k, 12, 3, 3)
        if m.identity:
            c = torch.arange(len(weight))
            weight[c, c, 1, 1] -= 1
        m.conv.weight.copy_(weight)
        m.bn.bias.copy_(bias)
        m.bn.running_var.fill_(1 - m.bn.eps)
    return net


def prepared(crops):
    """uint8 NHWC -> what the reader takes."""
    return standardise(torch.from_numpy(crops).permute(0, 3, 1, 2).float())


@torch.no_grad()
def normalise(net, images, prepare=prepared, size=64):
    """Gives each batch norm the statistics of its input over the images (uint8 NHWC); the function stays the same."""
    blocks = [(m.conv, m.bn) if isinstance(m, Block) else (m[0], m[1]) for m in net.modules() if isinstance(m, (Conv, Block))]
    sums = {}

    def note(conv, _, y):
        y = y.double()
        s = sums.setdefault(conv, [0, 0.0, 0.0])
        s[0] += y.numel() // y.shape[1]
        s[1] = s[1] + y.sum((0, 2, 3))
        s[2] = s[2] + (y * y).sum((0, 2, 3))
    hooks = [conv.register_forward_hook(note) for conv, _ in blocks]
    for i in range(0, len(images), size):
        net(prepare(images[i:i + size]))
    for h in hooks:
        h.remove()
    for conv, norm in blocks:
        count, total, squares = sums[conv]
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * gain
        k = WEIGHT / conv.weight.square().mean((1, 2, 3)).sqrt().clamp_min(1e-6)
        mean = (total / count).float()
        var = (squares / count).float() - mean ** 2
        conv.weight *= k.view(-1, 1, 1, 1)
        norm.running_mean.copy_(mean * k)
        norm.running_var.copy_((var * k * k).clamp_min(0))
        norm.weight.copy_(gain / k * torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(shift + gain * mean)
    return net


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--models", required=True)
    ap.add_argument("--detector", action="store_true")
    ap.add_argument("--shards", required=True, help="crops or scenes for the statistics; folders of shards, with commas between")
    ap.add_argument("--count", type=int, default=1536)
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    torch.set_num_threads(1)
    if a.detector:
        net = load_detector(a.models)
        normalise(net, np.stack(calibration_images(a.shards, min(a.count, 192))), torch.from_numpy, 8)
        weights = net.state_dict()
        made = {"model": weights, "mean": weights, "step": 0, "samples": 0, "spent": 0.0}
    else:
        net, *temperatures = load(a.models)
        normalise(net, np.concatenate([shards(d, a.count)[0] for d in a.shards.split(",")]))
        weights = net.state_dict()
        made = {"net": weights, "ema": weights, "used": 0.0, "step": 0}
        print(f"temperatures in the file: {temperatures}")
    torch.save(made, a.out + ".tmp")
    os.replace(a.out + ".tmp", a.out)


if __name__ == "__main__":
    main()
