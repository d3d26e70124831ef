"""Train the reader from a growing pool of shards.

    python -m plated_training.train_reader --shards DIR --out DIR --seconds 6000

The budget is in seconds of training, and the learning rate falls to zero at its
end; a run that was cut off goes on from its checkpoint with what is left.
"""
import argparse
import copy
import glob
import os
import signal
import time

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from .reader import CLASSES, COLS, Reader, WIDTH, standardise
from .real import ANY_STATE, EITHER


def load_pool(folder, pool, limit):
    """Add shards not yet seen; the oldest leave when more than `limit` are held."""
    for path in sorted(glob.glob(os.path.join(folder, "*.npz")), key=os.path.getmtime):
        if path.endswith(".tmp.npz") or path in pool["seen"]:
            continue
        try:
            with np.load(path) as z:
                pool["data"].append({k: z[k] for k in ("imgs", "text", "pos", "state")})
        except Exception as e:  # a shard written while the machine went down
            print("skip", path, e)
        pool["seen"].add(path)
    while len(pool["data"]) > limit:
        pool["data"].pop(0)
    return len(pool["data"])


STALL = 20.0  # seconds; a step that took longer was stopped meanwhile, and only this much of it counts

# Shares of a batch, where there are any: crops of real plates of the photos, of the close crops, and of what is no plate.
SHARES = 0.17, 0.28, 0.06


def batch(drawn, others, rng, n):
    """Random samples out of a few shards of each pool, newer ones more often. `others`: (pool, share)."""
    few = [(pool, round(n * share)) for pool, share in others if pool["data"]]
    rest = n - sum(count for _, count in few)
    parts = []
    for pool, count in [(drawn, rest // 4)] * 4 + few:
        d = pool["data"]
        s = d[max(int(rng.integers(len(d))), int(rng.integers(len(d))))]
        k = rng.integers(0, len(s["state"]), count)
        parts.append([s[x][k] for x in ("imgs", "text", "pos", "state")])
    imgs, text, pos, state = [np.concatenate(v) for v in zip(*parts)]
    return imgs, text.astype(np.int64), pos.astype(np.float32), state.astype(np.int64)


def augment(imgs, pos, rng):
    """uint8 NHWC -> standardised float NCHW (channels_last), with cheap changes per sample: shift,
    light, colour, inversion, swapped colours. One pass over the pixels: x * scale + offset."""
    n = len(imgs)
    x = torch.from_numpy(imgs)
    if rng.random() < .1:
        x = x[..., torch.from_numpy(rng.permutation(3))]
    sx, sy = int(rng.integers(-4, 5)), int(rng.integers(-2, 3))
    low = np.where(pos >= 0, pos, WIDTH).min() + sx
    if low > 2 and pos.max() + sx < WIDTH - 2 and (sx or sy):
        x = torch.roll(x, (sy, sx), (1, 2))
        pos = np.where(pos >= 0, pos + sx, pos)
    scale = rng.uniform(.7, 1.25, (n, 1, 1, 1)) * (1 + rng.normal(0, .06, (n, 1, 1, 3)))
    offset = 128 + rng.normal(0, 14, (n, 1, 1, 1)) - 128 * scale
    inverted = rng.random((n, 1, 1, 1)) < .06
    scale, offset = np.where(inverted, -scale, scale), np.where(inverted, 255 - offset, offset)
    x = x.float().mul_(torch.from_numpy(scale.astype(np.float32) / 64))
    x = x.add_(torch.from_numpy(offset.astype(np.float32) / 64 - 2)).clamp_(standardise(0.0), standardise(255.0))
    return x.permute(0, 3, 1, 2), pos


def targets(text, pos):
    """Column classes (-1 = don't care), each slot's soft place among the columns, and how many
    characters are centred on each column (they sum to the length of the text)."""
    n, s = text.shape
    cx = np.where(pos >= 0, pos / (WIDTH / COLS) - .5, 1e6)
    srt = np.sort(cx, 1)
    gaps = np.where(srt[:, 1:] < 1e5, srt[:, 1:] - srt[:, :-1], 1e3)
    pitch = np.minimum(np.median(np.where(gaps < 500, gaps, 4.0), 1), 6.0)
    pitch = np.maximum(np.minimum(pitch, gaps.min(1)), 1.6)[:, None]
    d = np.abs(np.arange(COLS)[None, None] - cx[:, :, None])  # [n, s, COLS]
    who, dist = d.argmin(1), d.min(1)
    col = np.full((n, COLS), -1, np.int64)
    near = np.take_along_axis(text, who, 1)
    col[dist > .43 * pitch] = 0
    m = dist <= np.maximum(.24 * pitch, .5)
    col[m] = near[m]
    att = np.exp(-.5 * (d / .7) ** 2)
    att = np.where((pos >= 0)[:, :, None], att / np.maximum(att.sum(2, keepdims=True), 1e-6), 0)
    dens = np.exp(-.5 * (d / .55) ** 2)
    dens = np.where((pos >= 0)[:, :, None], dens / np.maximum(dens.sum(2, keepdims=True), 1e-6), 0).sum(1)
    return torch.from_numpy(col), torch.from_numpy(att.astype(np.float32)), torch.from_numpy(np.minimum(dens, 1).astype(np.float32))


def named(logits, dim):
    """Log probabilities, with one more class (real.EITHER): 0 or O."""
    p = F.log_softmax(logits, dim)
    return torch.cat([p, torch.logaddexp(p.narrow(dim, 1, 1), p.narrow(dim, 25, 1))], dim)


STATE_BRANCH = "look", "seen", "deep", "st1", "form", "name"


def freeze_text(net):
    """What reads the text stays as it is, batch norms too; the state's branch is left to train."""
    for name, p in net.named_parameters():
        p.requires_grad_(name.split(".")[0] in STATE_BRANCH)
    for name, m in net.named_children():
        m.train(name in STATE_BRANCH)


def outputs(net, x):
    # Without such instructions 16 bits are slower than 32.
    with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
        return net(x)


def state_loss_of(net, x, state):
    st, state_t = outputs(net, x)[4].float(), torch.from_numpy(state)
    known = state_t != ANY_STATE
    loss = F.cross_entropy(st, state_t, ignore_index=ANY_STATE, label_smoothing=.03)
    return loss, dict(st=loss.item(), oks=(st.argmax(1) == state_t)[known].float().mean().item())


def loss_of(net, x, text, pos, state):
    col_t, att_t, dens_t = targets(text, pos)
    text_t = torch.from_numpy(text)
    slots, col, att, dens, st = outputs(net, x)
    slots, col, att, st = slots.float(), col.float(), att.float(), st.float()
    w = (text_t > 0).float() * .85 + .15
    ls = (F.nll_loss(named(slots, 2).transpose(1, 2), text_t, reduction="none") * w).sum() / w.sum()
    wc = torch.ones(CLASSES + 1)
    wc[0] = .4  # most columns are blank
    lc = F.nll_loss(named(col, 1), col_t, weight=wc, ignore_index=-1)
    la = -(att_t * F.log_softmax(att, 2)).sum() / max(float(att_t.sum()), 1)
    ld = F.binary_cross_entropy_with_logits(dens, dens_t)
    lk = F.smooth_l1_loss(torch.sigmoid(dens).sum(1), dens_t.sum(1), beta=.3)
    state_t = torch.from_numpy(state)
    lt = F.cross_entropy(st, state_t, ignore_index=ANY_STATE)
    got = slots.argmax(2)
    zero = (text_t == EITHER) & ((got == 1) | (got == 25))
    ok = ((got == text_t) | zero).all(1).float().mean()
    oks = (st.argmax(1) == state_t)[state_t != ANY_STATE].float().mean()
    return ls + lc + .4 * la + 8 * ld + .7 * lk + .5 * lt, dict(dens=ld.item(), count=lk.item(), slot=ls.item(), col=lc.item(), att=la.item(), st=lt.item(), ok=ok.item(), oks=oks.item())


@torch.no_grad()
def average(ema, net, keep):
    for p, q in zip(ema.state_dict().values(), net.state_dict().values()):
        p.lerp_(q, 1 - keep) if p.dtype.is_floating_point else p.copy_(q)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--shards", required=True)
    ap.add_argument("--real", default="", help="shards of real plates in photos (real.py)")
    ap.add_argument("--close", default="", help="shards of real plates out of close crops (real.py)")
    ap.add_argument("--empty", default="", help="shards of what is no plate (reader_data.py --empty)")
    ap.add_argument("--shares", type=float, nargs=3, default=SHARES, metavar=("REAL", "CLOSE", "EMPTY"), help="of a batch")
    ap.add_argument("--out", required=True)
    ap.add_argument("--seconds", type=float, default=6000)
    ap.add_argument("--pause-at", type=float, default=float("inf"), help="stop here for now, with the rest of the budget left")
    ap.add_argument("--batch", type=int, default=96)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--pool", type=int, default=130, help="shards held in memory")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--state-only", action="store_true", help="trains the state's branch alone; texts stay as they are")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    os.makedirs(a.out, exist_ok=True)
    ck = os.path.join(a.out, "reader.pt")
    net = Reader().to(memory_format=torch.channels_last)
    ema = copy.deepcopy(net)
    if a.state_only:
        freeze_text(net)
    opt = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=a.lr, weight_decay=.01, betas=(.9, .98))
    used, step = 0.0, 0
    if os.path.exists(ck):
        z = torch.load(ck)
        same = not net.load_state_dict(z["net"], strict=False).missing_keys
        ema.load_state_dict(z["ema"], strict=False)
        if same and "opt" in z:  # a network that has grown since starts with fresh moments
            opt.load_state_dict(z["opt"])
        used, step = z["used"], z["step"]
    rng, first = np.random.default_rng([a.seed, step]), step
    pool = {"data": [], "seen": set()}
    others = [(folder, {"data": [], "seen": set()}, share) for folder, share in zip((a.real, a.close, a.empty), a.shares) if folder]

    def load_others():
        for folder, other, _ in others:
            load_pool(folder, other, a.pool)
    load_others()
    while load_pool(a.shards, pool, a.pool) < 2:
        time.sleep(5)
    bar = tqdm(total=int(a.seconds), initial=int(used), unit="s", mininterval=10, ascii=True)
    last_save = last_load = last = time.time()
    avg = {}
    log = open(os.path.join(a.out, "log.txt"), "a")
    budget_file = os.path.join(a.out, "seconds")  # may be rewritten while it runs

    def save():
        torch.save({"net": net.state_dict(), "ema": ema.state_dict(), "opt": opt.state_dict(), "used": used, "step": step}, ck + ".tmp")
        os.replace(ck + ".tmp", ck)
    total = a.seconds
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    if not a.state_only:
        net.train()
    while used < min(total, a.pause_at) and not stop:
        imgs, text, pos, state = batch(pool, [(other, share) for _, other, share in others], rng, a.batch)
        x, pos = augment(imgs, pos, rng)
        f = used / total
        lr = a.lr * min(1, (step - first + 1) / 150) * (1 if f < .45 else max(.0, (1 - f) / .55)) + 1e-5
        for g in opt.param_groups:
            g["lr"] = lr
        if a.state_only:
            loss, info = state_loss_of(net, x, state)
        else:
            loss, info = loss_of(net, x, text, pos, state)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()
        step += 1
        if step % 4 == 0:
            average(ema, net, min(.992, (step + 1) / (step + 40)))
        now = time.time()
        used += min(now - last, STALL)
        bar.update(int(used) - bar.n)
        last = now
        for n, v in info.items():
            avg[n] = avg.get(n, v) * .98 + v * .02
        if step % 50 == 0:
            line = " ".join(f"{n}={v:.3f}" for n, v in avg.items())
            bar.set_postfix_str(f"{step} {line}")
            log.write(f"{step} {used:.0f}s lr={lr:.5f} shards={len(pool['seen'])} {line}\n")
            log.flush()
        if now - last_load > 30:
            load_pool(a.shards, pool, a.pool)
            load_others()
            last_load = now
            if os.path.exists(budget_file):
                total = float(open(budget_file).read())
        if now - last_save > 120:
            save()
            last_save = now
    save()
    bar.close()
    print("done", step, used)


if __name__ == "__main__":
    main()
