"""The network: EfficientNet-Lite0 and four linear heads."""
import torch
from torch import nn

from .vehicle_backbone import FEATURES, Backbone, pretrained
from .vehicle_views import CUT, GRID

HEADS = ("class", "colour", "make", "side")
FIRST, SECOND = 3, 5  # blocks after which the colour is looked at
COLOURS = (24 + 40) * GRID * GRID


def backbone():
    """With ImageNet weights, for BGR."""
    net = pretrained()[0]
    net.stem.conv.weight.data = net.stem.conv.weight.data.flip(1)
    return net


def lower(net, images):
    """What is not trained, of uint8 [N, H, W, 3] BGR: the map at the cut, and means of the first maps."""
    x = net.stem((images.float().permute(0, 3, 1, 2) - 127.0) / 128.0)
    means = []
    for i, block in enumerate(net.blocks[:CUT], 1):
        x = block(x)
        if i in (FIRST, SECOND):
            side = x.shape[2] // GRID
            means.append(nn.functional.avg_pool2d(x, side, side).flatten(1))
    return x, torch.cat(means, 1)


class Frozen(nn.Module):
    """The backbone as it comes: the map at the cut, means of the first maps, and the features above the cut."""

    def __init__(self):
        super().__init__()
        self.net = backbone()

    def forward(self, images):
        maps, means = lower(self.net, images)
        x = maps
        for block in self.net.blocks[CUT:]:
            x = block(x)
        return maps, means, self.net.head(x).mean((2, 3))


class Upper(nn.Module):
    """What is trained."""

    def __init__(self, sizes, net=None, dropout=0.3):
        super().__init__()
        net = net or Backbone()
        self.blocks, self.head = net.blocks[CUT:], net.head
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("centre", torch.zeros(COLOURS))
        self.register_buffer("spread", torch.ones(COLOURS))
        self.heads = nn.ModuleDict({h: nn.Linear(FEATURES + (COLOURS if h == "colour" else 0), n) for h, n in sizes.items()})

    def forward(self, maps, means):
        x = maps
        for block in self.blocks:
            x = block(x)
        x = self.dropout(self.head(x).mean((2, 3)))
        means = (means - self.centre) / self.spread
        return {h: head(torch.cat([x, means], 1) if h == "colour" else x) for h, head in self.heads.items()}


class Exported(nn.Module):
    """Bytes to four distributions, temperatures applied."""

    def __init__(self, upper, temperatures):
        super().__init__()
        self.net = backbone()
        self.upper, self.temperatures = upper, temperatures

    def forward(self, images):
        maps, means = lower(self.net, images)
        out = self.upper(maps, means)
        return tuple(torch.softmax(out[h] / self.temperatures[h], 1) for h in HEADS)
