"""Trains the vehicle model's heads on the backbone's cached features, and then its last block with them.

    python -m plated_training.train_vehicle --state STATE --seconds 1800

`--seconds` is the budget of processor time; the learning rate falls to zero at its end, or at `--until HH:MM` (UTC). It goes on from STATE/vehicle.pt,
saved every minute. Views that appear meanwhile are taken in. `--seconds 0` leaves the backbone as it is.
"""
import argparse
import glob
import json
import os
import time

import numpy as np
import torch
from torch.nn import functional as F

from .vehicle import HEADS, Upper
from .vehicle_backbone import pretrained

LABEL_OF = {"class": "class", "colour": "colour", "make": "make", "side": "view"}
RARE = {"class": 3, "colour": 3, "make": 14, "side": 3}  # words of fewer vehicles are left out; such a make is "none of these"
WEIGHT = {"class": 1.0, "colour": 1.0, "make": 1.5, "side": 0.5}
SMOOTHING = 0.05


def vocabulary(rows):
    """The words of each head, those of the vehicles trained on; the most frequent first."""
    words = {}
    for head in HEADS:
        counts = {}
        for row in rows:
            word = row[LABEL_OF[head]]
            if word and not row["held_out"]:
                counts[word] = counts.get(word, 0) + 1
        frequent = sorted((w for w, n in counts.items() if n >= RARE[head]), key=lambda w: -counts[w])
        words[head] = ([""] if head == "make" else []) + frequent
    return words


def targets(rows, words):
    """[rows, heads]: the word's number, -1 where none is known."""
    out = np.full((len(rows), len(HEADS)), -1, np.int64)
    for i, row in enumerate(rows):
        for j, head in enumerate(HEADS):
            word = row[LABEL_OF[head]]
            if word in words[head] and word:
                out[i, j] = words[head].index(word)
            elif word and head == "make":
                out[i, j] = 0
    return out


class Views:
    """Cached views; new ones are found when they are there."""

    def __init__(self, state):
        self.state, self.all = state, {}

    def refresh(self):
        for path in sorted(glob.glob(os.path.join(self.state, "view?.npz"))):
            if path not in self.all:
                z = np.load(path)
                self.all[path] = (z["maps"], z["colours"], z["features"])
        return list(self.all.values())


def load(state):
    with open(os.path.join(state, "rows.json")) as f:
        return json.load(f)


def fit_heads(net, views, trained, want, words, rng, epochs=40, size=256, decay=0.1):
    """Sets the heads for the backbone as it is: its features are looked at as often as one likes, for nothing."""
    for j, head in enumerate(HEADS):
        inputs = [np.concatenate([f, c], 1) if head == "colour" else f for _, c, f in views]
        centre, spread = inputs[0][trained].mean(0), inputs[0][trained].std(0) + 0.05
        inputs = [torch.from_numpy(0.3 * (x - centre) / spread) for x in inputs]
        known = trained[(want[trained, j] >= 0).numpy()]
        layer = torch.nn.Linear(inputs[0].shape[1], len(words[head]))
        torch.nn.init.zeros_(layer.weight)
        optimiser = torch.optim.AdamW(layer.parameters(), lr=2e-3, weight_decay=decay)
        steps = epochs * (len(known) // size)
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = 1e-3 * (1 + np.cos(np.pi * step / steps))
            ids = rng.choice(known, size, replace=False)
            loss = F.cross_entropy(layer(inputs[rng.integers(len(inputs))][ids]), want[ids, j], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        weight = layer.weight.data * torch.from_numpy(0.3 / spread)
        bias = layer.bias.data - weight @ torch.from_numpy(centre)
        if head == "colour":
            features = weight.shape[1] - len(net.centre)
            bias = bias + weight[:, features:] @ net.centre
            weight = torch.cat([weight[:, :features], weight[:, features:] * net.spread], 1)
        net.heads[head].weight.data, net.heads[head].bias.data = weight, bias
        print(f"{head}: loss {loss.item():.3f}", flush=True)


def batch(views, ids, rng):
    """Maps and colour means of these vehicles, each of a view by chance, some mirrored and shifted by a cell."""
    picked = rng.integers(len(views), size=len(ids))
    maps = torch.from_numpy(np.stack([views[v][0][i] for v, i in zip(picked, ids)]).astype(np.float32))
    means = torch.from_numpy(np.stack([views[v][1][i] for v, i in zip(picked, ids)]))
    if rng.random() < 0.5:
        maps = maps.flip(3)
        means = means.view(len(ids), -1, 3, 3).flip(3).reshape(len(ids), -1)
    dy, dx = rng.integers(-1, 2, 2)
    if dy or dx:
        maps = torch.roll(maps, (int(dy), int(dx)), (2, 3))
    return maps, means


def keep(path, net, average, optimiser, used, step, words):
    state = {"net": net.state_dict(), "average": average, "optimiser": optimiser.state_dict(), "used": used, "step": step, "words": words}
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def moment(until):
    """Seconds since 1970 of the next HH:MM, UTC."""
    now = time.time()
    hour, minute = map(int, until.split(":"))
    at = now - now % 86_400 + hour * 3600 + minute * 60
    return at if at > now else at + 86_400


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--state", required=True)
    ap.add_argument("--seconds", type=float, default=1800)
    ap.add_argument("--until", default="")
    ap.add_argument("--lr", type=float, default=5e-4)
    ap.add_argument("--head-lr", type=float, default=1e-3)
    ap.add_argument("--batch", type=int, default=48)
    ap.add_argument("--mix", type=float, default=0.3, help="of the mixing of pairs of vehicles")
    ap.add_argument("--seed", type=int, default=1)
    a = ap.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    rows = load(a.state)
    words = vocabulary(rows)
    want = torch.from_numpy(targets(rows, words))
    trained = np.array([i for i, row in enumerate(rows) if not row["held_out"]])
    store = Views(a.state)
    views = store.refresh()
    net = Upper({h: len(words[h]) for h in HEADS}, pretrained()[0])
    means = views[0][1][trained]
    net.centre.copy_(torch.from_numpy(means.mean(0)))
    net.spread.copy_(torch.from_numpy(means.std(0) + 1e-3))
    path, used, step = os.path.join(a.state, "vehicle.pt"), 0.0, 0
    if not os.path.exists(path):
        fit_heads(net, views, trained, want, words, rng)
    heads = list(net.heads.parameters())
    upper = [p for n, p in net.named_parameters() if not n.startswith("heads.")]
    optimiser = torch.optim.AdamW([{"params": upper, "lr": a.lr, "base": a.lr}, {"params": heads, "lr": a.head_lr, "base": a.head_lr}],
                                  weight_decay=0.05)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    if os.path.exists(path):
        z = torch.load(path)
        net.load_state_dict(z["net"]), optimiser.load_state_dict(z["optimiser"])
        average, used, step = z["average"], z["used"], z["step"]
    else:
        keep(path, net, average, optimiser, used, step, words)
    # Rare classes count a little more, so that a motorcycle is not drowned.
    counts = torch.bincount(want[trained][:, 0].clamp(min=0), minlength=len(words["class"])).float().clamp(min=1)
    of_class = (counts.max() / counts) ** 0.25
    net.train()
    begun, end = time.time(), moment(a.until) if a.until else float("inf")
    saved, before, losses = time.time(), time.process_time(), []
    while used < a.seconds and time.time() < end:
        done = max(used / a.seconds, (time.time() - begun) / (end - begun) if a.until else 0)
        ids = rng.choice(trained, a.batch, replace=False)
        maps, means = batch(views, ids, rng)
        share = float(rng.beta(a.mix, a.mix)) if a.mix else 1.0
        other = torch.from_numpy(rng.permutation(a.batch))
        maps = share * maps + (1 - share) * maps[other]
        means = share * means + (1 - share) * means[other]
        fall = 0.5 * (1 + np.cos(np.pi * min(1.0, done))) * min(1.0, (step + 1) / 30)
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * fall
        out = net(maps, means)
        loss = 0.0
        for j, head in enumerate(HEADS):
            weight = of_class if head == "class" else None
            for part, right in ((share, want[ids, j]), (1 - share, want[ids][other, j])):
                if part > 0 and (right >= 0).any():
                    loss = loss + part * WEIGHT[head] * F.cross_entropy(out[head], right, weight, ignore_index=-1, label_smoothing=SMOOTHING)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        old = min(0.99, step / (step + 10))
        with torch.no_grad():
            for k, v in net.state_dict().items():
                average[k].lerp_(v, 1 - old)
        losses.append(loss.item())
        now = time.process_time()
        used, before = used + now - before, now
        if time.time() - saved > 60 or used >= a.seconds or time.time() >= end:
            keep(path, net, average, optimiser, used, step, words)
            print(f"step {step}, {used:.0f} s, loss {np.mean(losses):.3f}, {len(views)} views", flush=True)
            saved, losses = time.time(), []
            views = store.refresh()


if __name__ == "__main__":
    main()
