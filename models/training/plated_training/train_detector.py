"""Trains the detector from shards of scenes (scenes.py).

python -m plated_training.train_detector --state DIR --minutes M

DIR/shards holds the shards, which may still be growing; DIR/detector.pt is the
checkpoint, from which a cut-off run goes on.  The budget is training time: the
learning rate falls over its last part and the run ends when it is used up.
"""

import argparse
import math
import os
import queue
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from .detector import Detector
from .targets import flip, make_targets, shift


# Weight of negatives where a photo's labels may be incomplete.  At 0.15 headlamps, wheels
# and windows of just those photos were found as plates after a quarter of an hour.
DOUBT = 0.45


class Pool:
    """Shards read so far, by canvas size; looks for new ones now and then."""

    def __init__(self, folder):
        self.folder, self.known, self.by_size, self.looked = Path(folder), set(), {}, 0.0

    def refresh(self):
        if time.time() - self.looked < 30 and self.known:
            return
        self.looked = time.time()
        for path in sorted(self.folder.glob("*.npz")):
            if path.name in self.known:
                continue
            self.known.add(path.name)
            size = tuple(int(v) for v in path.stem.split("-")[1].split("x"))
            z = np.load(path)
            blob, ends, clean, plates = z["bytes"], z["ends"], z["clean"], z["plates"]
            starts = np.concatenate([[0], ends[:-1]])
            rows = self.by_size.setdefault(size, [])
            for i in range(len(ends)):
                rows.append((blob[starts[i]:ends[i]], clean[i], plates[plates[:, 0] == i, 1:]))


def prepare(rng, pool, pixels, full):
    """One batch as numpy arrays, from one canvas size."""
    sizes = sorted(pool.by_size)
    w, h = sizes[-1] if full else sizes[0]
    rows = pool.by_size[(w, h)]
    # Small canvases are cropped at random, which also moves plates against the stride-8 grid.
    cw, ch = (w, h) if full else (w - 32, h - 32)
    n = max(2, pixels // (cw * ch))
    images, maps = np.empty((n, ch, cw, 3), np.uint8), []
    for k in range(n):
        blob, clean, plates = rows[rng.integers(len(rows))]
        image = cv2.imdecode(blob, cv2.IMREAD_COLOR)
        if rng.random() < 0.5:
            image, plates = flip(image, plates, w)
        dx, dy = (0, 0) if full else (int(rng.integers(33)), int(rng.integers(33)))
        images[k] = image[dy:dy + ch, dx:dx + cw]
        maps.append(make_targets(shift(plates, dx, dy, cw, ch), 1.0 if clean == 1 else DOUBT, cw, ch))
    return (images, *(np.stack(m) for m in zip(*maps)))


def losses(raw, heat, weight, box, corners, reg, forgive):
    logit = raw[:, 0]
    p = torch.sigmoid(logit)
    pos = heat >= 0.999
    w = weight
    if forgive:
        # In incompletely labelled photos a confident find may well be a plate.
        w = torch.where((weight < 1) & (p.detach() > 0.7), torch.zeros_like(w), w)
    nll_pos = F.softplus(-logit) * (1 - p) ** 2
    nll_neg = F.softplus(logit) * p ** 2 * (1 - heat) ** 4 * w
    count = pos.sum().clamp(min=1)
    loss_heat = (nll_pos[pos].sum() + nll_neg[~pos].sum()) / count

    _, b, c = Detector.decode_maps(raw)
    at = reg[:, 0] + reg[:, 1] > 0
    if not at.any():
        return loss_heat, loss_heat * 0, loss_heat * 0
    b, c = b.permute(0, 2, 3, 1)[at], c.permute(0, 2, 3, 1)[at]
    tb, tc = box.permute(0, 2, 3, 1)[at], corners.permute(0, 2, 3, 1)[at]
    wb, wc = reg[:, 0][at], reg[:, 1][at]
    area, tarea = (b[:, 0] + b[:, 2]) * (b[:, 1] + b[:, 3]), (tb[:, 0] + tb[:, 2]) * (tb[:, 1] + tb[:, 3])
    lo, hi = torch.minimum(b, tb), torch.maximum(b, tb)
    inter = (lo[:, 0] + lo[:, 2]).clamp(min=0) * (lo[:, 1] + lo[:, 3]).clamp(min=0)
    hull = (hi[:, 0] + hi[:, 2]) * (hi[:, 1] + hi[:, 3])
    union = area + tarea - inter
    giou = inter / union - (hull - union) / hull
    size = (tb[:, 1] + tb[:, 3]).clamp(min=6)[:, None]
    edges = F.smooth_l1_loss(b / size, tb / size, beta=0.1, reduction="none").mean(1)
    loss_box = ((1 - giou + edges) * wb).sum() / count
    loss_corner = (F.smooth_l1_loss(c / size, tc / size, beta=0.05, reduction="none").mean(1) * wc).sum() / count
    return loss_heat, loss_box, loss_corner


def rate(progress, peak):
    if progress < 0.02:
        return peak * (0.05 + 0.95 * progress / 0.02)
    if progress < 0.5:
        return peak
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, (progress - 0.5) / 0.5))))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--state", required=True)
    ap.add_argument("--minutes", type=float, default=70, help="training time in all, over all resumed runs")
    ap.add_argument("--until", default="", help="HH:MM: end the budget at this wall-clock time at the latest")
    ap.add_argument("--pixels", type=int, default=16 * 384 * 224, help="pixels a batch")
    ap.add_argument("--lr", type=float, default=3e-3)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=1)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    state = Path(args.state)
    path = state / "detector.pt"
    model = Detector().to(memory_format=torch.channels_last)
    mean = Detector()                                   # moving average of the weights: what is exported
    mean.load_state_dict(model.state_dict())
    decay_on = [p for p in model.parameters() if p.ndim > 1]
    decay_off = [p for p in model.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay_on, "weight_decay": 0.02}, {"params": decay_off, "weight_decay": 0.0}], lr=args.lr)
    step, samples, spent = 0, 0, 0.0
    if path.exists():
        c = torch.load(path, map_location="cpu")
        model.load_state_dict(c["model"])
        mean.load_state_dict(c["mean"])
        if "opt" in c:  # an import (import_onnx.py) has no moments
            opt.load_state_dict(c["opt"])
        step, samples, spent = c["step"], c["samples"], c["spent"]
        print(f"resumed at step {step}, {samples} samples, {spent / 60:.1f} min")
    budget = args.minutes * 60
    if args.until:
        now = time.localtime()
        hour, minute = map(int, args.until.split(":"))
        left = (hour - now.tm_hour) * 3600 + (minute - now.tm_min) * 60 - now.tm_sec
        budget = min(budget, spent + left)

    pool = Pool(state / "shards")
    pool.refresh()
    while not pool.by_size:
        time.sleep(2)
        pool.looked = 0
        pool.refresh()
    ready = queue.Queue(4)
    share_full = [0.0]

    def feed():
        rng = np.random.default_rng([args.seed, step])
        while True:
            pool.refresh()
            ready.put(prepare(rng, pool, args.pixels, len(pool.by_size) > 1 and rng.random() < share_full[0]))

    threading.Thread(target=feed, daemon=True).start()

    def save():
        tmp = path.with_suffix(".tmp")
        torch.save({"model": model.state_dict(), "mean": mean.state_dict(), "opt": opt.state_dict(),
                    "step": step, "samples": samples, "spent": spent}, tmp)
        os.replace(tmp, path)

    log = open(state / "train.log", "a", buffering=1)
    bar = tqdm(total=round(budget / 60, 1), initial=round(spent / 60, 1), unit="min", mininterval=10,
               bar_format="{percentage:3.0f}% {n:.1f}/{total} min {postfix}")
    model.train()
    mean.eval()
    shown, saved, sums = time.time(), time.time(), np.zeros(4)
    while spent < budget:
        t0 = time.time()
        progress = spent / budget
        share_full[0] = 0.0 if progress < 0.6 else 0.35
        for g in opt.param_groups:
            g["lr"] = rate(progress, args.lr)
        images, *maps = (torch.from_numpy(a) for a in ready.get())
        x = images.float()
        # Light colour changes here make reused samples new ones.
        x = (x * (1 + 0.12 * torch.randn(len(x), 1, 1, 1) + 0.03 * torch.randn(len(x), 1, 1, 3))
             + 8 * torch.randn(len(x), 1, 1, 1)).clamp_(0, 255)
        with torch.autocast("cpu", torch.bfloat16):
            n, h, w, _ = x.shape
            z = x.reshape(n, h // 2, 2, w // 2, 6).permute(0, 2, 4, 1, 3).reshape(n, 12, h // 2, w // 2)
            z = (z * (1 / 255.0)).contiguous(memory_format=torch.channels_last)
            raw = model.head(model.trunk(z))
        lh, lb, lc = losses(raw.float(), *maps, forgive=progress > 0.08)
        loss = lh + lb + 1.5 * lc
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        if torch.isfinite(norm):
            opt.step()
        step += 1
        samples += len(images)
        with torch.no_grad():
            d = min(0.998, (1 + step) / (20 + step))
            for a, b in zip(mean.state_dict().values(), model.state_dict().values()):
                if a.dtype.is_floating_point:
                    a.lerp_(b, 1 - d)
                else:
                    a.copy_(b)
        spent += time.time() - t0
        sums += [lh.item(), lb.item(), lc.item(), 1]
        if time.time() - shown > 20:
            m = sums[:3] / sums[3]
            text = (f"step {step} samples {samples} heat {m[0]:.3f} box {m[1]:.3f} corner {m[2]:.4f} lr {opt.param_groups[0]['lr']:.5f} "
                    f"pool {sum(map(len, pool.by_size.values()))} {time.time() - t0:.2f} s/batch")
            bar.set_postfix_str(text)
            bar.update(spent / 60 - bar.n)
            print(f"{spent / 60:.2f} min {text}", file=log)
            shown, sums = time.time(), np.zeros(4)
        if time.time() - saved > 120:
            save()
            saved = time.time()
    save()
    print(f"done: {step} steps, {samples} samples, {spent / 60:.1f} min")


if __name__ == "__main__":
    main()
