"""The reader: one crop of a plate -> a distribution per character slot, and the state.

Dense 3x3 convolutions and ReLU only, since these are what int8 runs fast. The
height shrinks to one row of 40 columns. A column head names the character
centred on each column; an attention map per slot picks that slot's columns. A
density head says how many characters are centred on each column: its running
sum is the number of characters so far, which tells the slots which character is
theirs and where the text ends, however far away the first one stands (a plain
stack of convolutions does not see that far, and repeats the last character).
All are supervised with the drawn positions, which is what makes training from
few samples work. A slot's logits are its own head's plus the column head's
under the same attention: the two heads are merged inside the graph.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from .states import REGIONS

SLOTS, CLASSES, STATES = 9, 37, len(REGIONS) + 1
HEIGHT, WIDTH, COLS = 48, 160, 40


class Conv(nn.Sequential):
    def __init__(self, i, o, k=3, s=1, p=None, d=1):
        k = (k, k) if isinstance(k, int) else k
        p = (k[0] // 2, k[1] // 2 * d) if p is None else p
        super().__init__(nn.Conv2d(i, o, k, s, p, dilation=(1, d), bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 24, s=2), Conv(24, 32))
        self.b1 = nn.Sequential(Conv(32, 64, s=2), Conv(64, 64), Conv(64, 64))
        self.b2 = nn.Sequential(Conv(64, 112, s=(2, 1)), Conv(112, 112), Conv(112, 112))
        self.b3 = nn.Sequential(Conv(112, 160, s=(2, 1)), Conv(160, 160))
        self.flat = Conv(160, 192, (3, 1), p=(0, 0))
        self.place = nn.Parameter(torch.zeros(1, 192, 1, COLS))
        self.c1 = Conv(192, 192, (1, 5))
        self.c2 = Conv(192, 192, (1, 5), d=2)
        self.c3 = Conv(192, 192, (1, 5), d=4)
        self.col = nn.Conv2d(192, CLASSES, 1)
        self.attend = nn.Conv2d(192, SLOTS, 1)
        self.slot = nn.Conv2d(192, CLASSES, 1)
        self.bias = nn.Parameter(torch.zeros(1, CLASSES, SLOTS))
        self.dens = nn.Conv2d(192, 1, 1)
        self.blend = nn.Parameter(torch.tensor([1.0, 4.0, 5.0]))  # weights of density, count and length
        self.register_buffer("order", torch.arange(SLOTS).view(1, SLOTS, 1) + 0.5)
        self.register_buffer("blank", (torch.arange(CLASSES) == 0).float().view(1, CLASSES, 1))
        # The state: its name is five pixels high, so this branch leaves early and keeps more
        # places; which class of character stands in which slot tells states apart too.
        self.look = nn.Sequential(Conv(32, 48, s=2), Conv(48, 64, s=2), Conv(64, 96), Conv(96, 96, s=2))
        self.seen = nn.Linear(96 * 3 * 10, 160)
        self.deep = nn.Linear(64 * 3 * 5, 160)
        self.st1 = Conv(160, 64)
        self.form = nn.Linear(SLOTS * CLASSES, 160)
        self.name = nn.Linear(160, STATES)

    def forward(self, x):
        """x: float [N,3,48,160], standardised. Returns slot logits [N,S,37], column logits
        [N,37,40], attention logits [N,S,40], density logits [N,40], state logits [N,STATES]."""
        low = self.stem(x)
        f = self.b3(self.b2(self.b1(low)))
        g = self.flat(f) + self.place
        g1 = self.c1(g)
        g2 = self.c2(g1)
        g3 = self.c3(g2) + g2
        col = self.col(g1 + g).squeeze(2)
        dens = self.dens(g3 + g1).squeeze(2).float()  # [N,1,40]
        # Only its own loss may move the density: the slots' loss would bend it until it counts nothing.
        d = torch.sigmoid(dens.detach())
        count = torch.cumsum(d, 2) - d * 0.5
        att = self.attend(g3).squeeze(2).float()
        att = att + self.blend[0] * torch.log(d + 1e-3) - self.blend[1] * ((count - self.order) ** 2).clamp(max=6.0)
        a = torch.softmax(att, 2).transpose(1, 2)  # [N,40,S]
        own = self.slot(g3 + g1).squeeze(2).float()
        slots = torch.matmul(own + col.float(), a) + self.bias
        beyond = (self.order.transpose(1, 2) - d.sum(2, keepdim=True)).clamp(-1.5, 1.5)  # [N,1,S]
        slots = slots + self.blank * (self.blend[2] * beyond)
        slots = slots.transpose(1, 2)
        s = self.seen(self.look(low).flatten(1)) + self.deep(F.avg_pool2d(self.st1(f), (1, 8)).flatten(1))
        s = s + self.form(torch.softmax(slots.detach(), 2).flatten(1))
        return slots, col, att, dens.squeeze(1), self.name(F.relu(s))


class Exported(nn.Module):
    """With the input standardisation and the calibrated softmax inside, as the daemon calls it."""

    def __init__(self, net, temperature=1.0, state_temperature=1.0):
        super().__init__()
        self.net, self.t, self.ts = net, float(temperature), float(state_temperature)

    def forward(self, images):
        x = standardise(images.permute(0, 3, 1, 2).float())
        slots, _, _, _, state = self.net(x)
        return torch.softmax(slots / self.t, 2), torch.softmax(state / self.ts, 1)


def standardise(x):
    """Fixed scaling; the network copes with exposure, since samples of all exposures train it."""
    return x * (1 / 64.0) - 2.0
