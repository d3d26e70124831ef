"""The plate detector: one class, fully convolutional, stride-8 outputs.

The shape follows what is fast in int8 on a CPU: dense 3x3 convolutions of few
channels with ReLU, no depthwise convolutions, and next to no element-wise
operations.  Residual connections exist while training only: in `fuse()` batch
normalisation and the identity path are folded into the 3x3 kernel, so the
exported graph is a plain chain of convolutions.
"""

import torch
import torch.nn.functional as F
from torch import nn

STRIDE = 8
# Corners are predicted relative to the predicted box, from its top left, in
# units of its width and height; these are where an untilted plate has them.
CORNER_REST = (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)


class Block(nn.Module):
    """conv 3x3 (or k) + BN (+ identity where shapes allow) + ReLU."""

    def __init__(self, cin, cout, k=3, stride=1, relu=True):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, k, stride, k // 2, bias=False)
        self.bn = nn.BatchNorm2d(cout)
        self.identity = cin == cout and stride == 1 and k == 3
        self.relu = relu
        self.fused = None

    def forward(self, x):
        if self.fused is not None:
            y = self.fused(x)
        else:
            y = self.bn(self.conv(x))
            if self.identity:
                y = y + x
        return F.relu(y) if self.relu else y

    @torch.no_grad()
    def fuse(self):
        conv, bn = self.conv, self.bn
        scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
        weight = conv.weight * scale[:, None, None, None]
        bias = bn.bias - bn.running_mean * scale
        if self.identity:
            c = torch.arange(weight.shape[0])
            weight[c, c, 1, 1] += 1.0
        fused = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size,
                          conv.stride, conv.padding, bias=True)
        fused.weight.copy_(weight)
        fused.bias.copy_(bias)
        self.fused = fused
        self.conv = self.bn = None


class Detector(nn.Module):
    """Images as bytes in, heat, box distances and corner offsets out (pixels)."""

    def __init__(self, widths=(24, 32, 64, 96, 128), depths=(1, 2, 3, 2)):
        super().__init__()
        w0, w4, w8, w16, w32 = widths
        d4, d8, d16, d32 = depths
        # The image goes through space-to-depth first: a 3x3 convolution over 12
        # channels at half size costs a fraction of one at full size.
        self.stem = Block(12, w0, stride=2)
        self.s4 = nn.Sequential(*[Block(w0 if i == 0 else w4, w4) for i in range(d4)])
        self.s8 = nn.Sequential(Block(w4, w8, stride=2), *[Block(w8, w8) for _ in range(d8)])
        self.s16 = nn.Sequential(Block(w8, w16, stride=2), *[Block(w16, w16) for _ in range(d16)])
        self.s32 = nn.Sequential(Block(w16, w32, stride=2), *[Block(w32, w32) for _ in range(d32)])
        self.up16 = Block(w32, w16, k=1, relu=False)
        self.mix16 = Block(w16, w16)
        self.up8 = Block(w16, w8, k=1, relu=False)
        self.mix8 = Block(w8, w8)
        self.head = nn.Conv2d(w8, 13, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            self.head.bias[0] = -4.0                    # heat starts rare
            self.head.bias[1:5] = torch.tensor([1.2, 0.5, 1.2, 0.5])   # exp(.)*8: about 53x26
            self.head.bias[5:] = torch.tensor(CORNER_REST)

    def features(self, images):
        """images: uint8 or float [N,H,W,3], BGR 0..255, H and W multiples of 32."""
        n, h, w, _ = images.shape
        x = images.reshape(n, h // 2, 2, w // 2, 6).permute(0, 2, 4, 1, 3)
        x = x.reshape(n, 12, h // 2, w // 2)
        return self.trunk(x.to(self.head.weight.dtype) * (1 / 255.0))

    def trunk(self, x):
        x = self.s4(self.stem(x))
        c8 = self.s8(x)
        c16 = self.s16(c8)
        c32 = self.s32(c16)
        p16 = self.mix16(F.relu(c16 + F.interpolate(self.up16(c32), scale_factor=2.0, mode="nearest")))
        return self.mix8(F.relu(c8 + F.interpolate(self.up8(p16), scale_factor=2.0, mode="nearest")))

    def raw(self, images):
        """Head outputs before their activations: logits, log distances, relative corners."""
        return self.head(self.features(images)).float()

    @staticmethod
    def decode_maps(raw):
        heat = torch.sigmoid(raw[:, :1])
        box = torch.exp(raw[:, 1:5].clamp(-3.0, 5.0)) * STRIDE
        left, top, right, bottom = box.split(1, 1)
        size = torch.cat([left + right, top + bottom] * 4, 1)
        origin = torch.cat([left, top] * 4, 1)
        return heat, box, raw[:, 5:] * size - origin

    def forward(self, images):
        return self.decode_maps(self.raw(images))

    def fuse(self):
        for m in self.modules():
            if isinstance(m, Block) and m.fused is None:
                m.fuse()
        return self
