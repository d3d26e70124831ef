"""Averages a trained reader's weights with those that its training started from.

    python -m plated_training.average --checkpoint STATE/reader.pt --start STATE/start.pt --share 0.8 \\
        --shards DIR --real DIR --close DIR --empty DIR --out STATE/averaged.pt

A short training gains on what it is fed and loses a little of what the long one before it knew. The average
of both, from the same start, keeps most of each. Statistics of the batch norms can't be averaged: they are
taken anew, over batches as in training.
"""
import argparse
import glob
import os

import numpy as np
import torch
import torch.nn as nn

from .reader import Reader
from .train_reader import SHARES, augment, batch, load_pool

FEW = 12


def mixed(start, end, share):
    """State of a network that lies `share` of the way from `start` to `end`."""
    return {k: torch.lerp(v, end[k], share) if v.dtype.is_floating_point else end[k].clone() for k, v in start.items()}


@torch.no_grad()
def measure_norms(net, batches):
    """Running statistics of each batch norm: the mean over the batches."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [m.momentum for m in norms]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # a plain mean
    net.train()
    for x in batches:
        net(x)
    for m, momentum in zip(norms, before):
        m.momentum = momentum
    return net.eval()


def crops(folders, shares, rng, count, size=64):
    pools = []
    for folder in folders:
        # A few shards of each are enough.
        pools.append({"data": [], "seen": set(sorted(glob.glob(os.path.join(folder, "*.npz")))[:-FEW])})
        if folder:
            load_pool(folder, pools[-1], FEW)
    for _ in range(count):
        imgs, _, pos, _ = batch(pools[0], list(zip(pools[1:], shares)), rng, size)
        yield augment(imgs, pos, rng)[0]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--checkpoint", required=True, help="what training made; the average of its last steps counts")
    ap.add_argument("--start", required=True, help="what it started from")
    ap.add_argument("--share", type=float, default=0.8, help="of what training made")
    ap.add_argument("--shards", required=True)
    ap.add_argument("--real", default="")
    ap.add_argument("--close", default="")
    ap.add_argument("--empty", default="")
    ap.add_argument("--shares", type=float, nargs=3, default=SHARES, metavar=("REAL", "CLOSE", "EMPTY"))
    ap.add_argument("--batches", type=int, default=80)
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    torch.set_num_threads(1)
    made = torch.load(a.checkpoint)
    net = Reader()
    net.load_state_dict(mixed(torch.load(a.start)["ema"], made["ema"], a.share))
    rng = np.random.default_rng(7)
    measure_norms(net, crops((a.shards, a.real, a.close, a.empty), a.shares, rng, a.batches))
    weights = net.state_dict()
    torch.save({"net": weights, "ema": weights, "used": 0.0, "step": made["step"]}, a.out + ".tmp")
    os.replace(a.out + ".tmp", a.out)


if __name__ == "__main__":
    main()
