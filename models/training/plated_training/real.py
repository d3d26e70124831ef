"""Crops of real plates for the reader, out of the training photos.

    python -m plated_training.real align --texts TEXTS --photos PHOTOS --checkpoint reader.pt --out plates.jsonl
    python -m plated_training.real views --plates plates.jsonl --photos PHOTOS --out DIR --seed 1 --shards 100

TEXTS holds what persons read off the photos, a line a plate: {"set", "image", "box": [x, y, w, h],
"corners": 4 points or null, "text", "state"}; the state is a code, "" for plates of other countries, or
"US" where it can't be told. Registration numbers are personal data, so the file lies outside the repository;
without it the reader trains on drawn plates alone.

`align` finds where each character stands, with a reader trained on drawn plates: the characters are known,
and the best places for them in that order are what it searches. `views` writes shards like those of
reader_data.py: each plate cropped, lit and blurred in many ways. One plate in HELD_OUT is never used there,
but kept to measure.
"""
import argparse
import json
import os
import zlib

import cv2
import numpy as np

from . import degrade
from .glyphs import ALNUM
from .reader_data import COUNT, H, MARGIN, SLOTS, UNKNOWN, W
from .states import CODES

ANY_STATE = 255  # a US plate whose state can't be told: teaches nothing about states
HELD_OUT = 7
EDGE = 5  # pixels; a character centred nearer to the crop's edge is cut off


def held_out(row):
    """By the text, so that two photos of one vehicle fall on the same side."""
    return zlib.crc32(row["text"].encode()) % HELD_OUT == 0


def quad(row):
    """The plate's corners, or those of its box where no corners are known."""
    if row.get("corners"):
        return np.float64(row["corners"])
    x, y, w, h = row["box"]
    return np.float64([[x, y], [x + w, y], [x + w, y + h], [x, y + h]])


def places(scores, text):
    """Columns of the characters of `text`, in order and at least two apart, of the greatest sum of
    `scores` [classes, columns]; None where there is no room."""
    ids = [ALNUM.index(c) + 1 for c in text]
    n, cols = len(ids), scores.shape[1]
    if 2 * n > cols:
        return None
    best = np.full((n, cols), -1e9)
    back = np.zeros((n, cols), int)
    best[0] = scores[ids[0]]
    for i in range(1, n):
        top, at = -1e9, 0
        for c in range(2 * i, cols):
            if best[i - 1, c - 2] > top:
                top, at = best[i - 1, c - 2], c - 2
            best[i, c], back[i, c] = top + scores[ids[i], c], at
    c = int(best[-1].argmax())
    out = [c]
    for i in range(n - 1, 0, -1):
        c = int(back[i, c])
        out.append(c)
    return out[::-1]


def align(a):
    import torch
    from .reader import Reader, standardise
    net = Reader()
    net.load_state_dict(torch.load(a.checkpoint)["ema"], strict=False)
    net.eval()
    rows, out = [json.loads(l) for l in open(a.texts)], []
    for r in rows:
        im = cv2.imread(os.path.join(a.photos, r["set"], r["image"]))
        if im is None or not 1 < len(r["text"]) <= SLOTS:
            continue
        src = degrade.margins(quad(r), *MARGIN)
        hc = cv2.getPerspectiveTransform(src.astype(np.float32), np.float32([[0, 0], [W, 0], [W, H], [0, H]]))
        crop = cv2.warpPerspective(im, hc, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        with torch.no_grad():
            _, col, _, dens, _ = net(standardise(torch.from_numpy(crop).permute(2, 0, 1)[None].float()))
            p = torch.log_softmax(col[0].float(), 0) + torch.nn.functional.logsigmoid(dens.float()).reshape(1, -1)
        p = p.numpy().clip(-6)
        found = places(p, r["text"])
        if found is None:
            continue
        # Between two columns by the density on both sides.
        d = torch.sigmoid(dens.float()).reshape(-1).numpy()
        near = [np.arange(max(c - 1, 0), min(c + 2, len(d))) for c in found]
        x = [float((i * d[i]).sum() / max(d[i].sum(), 1e-6)) for i in near]
        gaps = np.diff(x)
        if len(gaps) and (gaps.min() < 1.2 or gaps.max() > 6 * np.median(gaps)):
            continue
        pts = degrade.apply_h(np.linalg.inv(hc), [((v + .5) * W / len(d), H / 2) for v in x])
        out.append(r | {"centres": [[round(float(v), 2) for v in q] for q in pts]})
    with open(a.out, "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in out)
    print(f"{len(out)} of {len(rows)} plates aligned, {sum(map(held_out, out))} of them held out")


def view(rng, photo, row):
    """One look -> (crop, character centres in it)."""
    q, pts = quad(row), np.float64(row["centres"])
    lo, hi = q.min(0), q.max(0)
    pad = .35 * (hi - lo)
    x0, y0 = np.maximum(np.floor(lo - pad), 0).astype(int)
    x1, y1 = np.ceil(hi + pad).astype(int)
    scene = photo[y0:y1, x0:x1]
    q, pts = q - (x0, y0), pts - (x0, y0)
    wide = np.linalg.norm(q[1] - q[0])
    k = 1.0
    if rng.random() < .5:  # farther away
        k = min(1.0, float(np.exp(rng.uniform(np.log(48), np.log(max(wide, 60))))) / wide)
        scene = cv2.resize(scene, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        k = np.array([scene.shape[1] / (min(x1, photo.shape[1]) - x0), scene.shape[0] / (min(y1, photo.shape[0]) - y0)])
        q, pts = q * k, pts * k
        wide = np.linalg.norm(q[1] - q[0])
    if rng.random() < .5:
        scene = degrade.light(scene, rng)
    scene = degrade.optics(scene, rng, wide, .5)
    if rng.random() < .6:
        scene = degrade.sensor(scene, rng)
    if rng.random() < .35:
        lo, hi = q.min(0), q.max(0)
        s = hi - lo
        m = rng.normal(.02, .04, 4).clip(-.04, .14)
        ax, ay, bx, by = lo[0] - m[0] * s[0], lo[1] - m[1] * s[1], hi[0] + m[2] * s[0], hi[1] + m[3] * s[1]
        src = np.array([[ax, ay], [bx, ay], [bx, by], [ax, by]])
    else:
        jit = np.clip(rng.normal(0, 1, (4, 2)) * (.018, .03) + rng.normal(0, 1, (1, 2)) * (.012, .025), -.07, .07)
        src = q + jit[:, :1] * (q[1] - q[0]) + jit[:, 1:] * (q[3] - q[0])
        src = degrade.margins(src, *(np.array(MARGIN) + rng.normal(0, .015, 2)))
    hc = cv2.getPerspectiveTransform(src.astype(np.float32), np.float32([[0, 0], [W, 0], [W, H], [0, H]]))
    crop = cv2.warpPerspective(scene, hc, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return crop, degrade.apply_h(hc, pts)


def state_class(row):
    if row["state"] == "US":
        return ANY_STATE
    return CODES.index(row["state"]) if row["state"] in CODES else UNKNOWN


def views(a):
    cv2.setNumThreads(1)
    os.makedirs(a.out, exist_ok=True)
    rows = [r for r in map(json.loads, open(a.plates)) if held_out(r) == a.held_out]
    # Plates of the USA count three times: they are what it is for.
    weight = np.array([3.0 if r["state"] else 1.0 for r in rows])
    weight /= weight.sum()
    photos = [cv2.imread(os.path.join(a.photos, r["set"], r["image"])) for r in rows]
    for n in range(a.shards):
        path = os.path.join(a.out, f"real-{n:05d}.npz")
        if os.path.exists(path):
            continue
        rng = np.random.default_rng([a.seed, 77, n])
        imgs, text = np.zeros((COUNT, H, W, 3), np.uint8), np.zeros((COUNT, SLOTS), np.uint8)
        pos, state = np.full((COUNT, SLOTS), -1, np.float16), np.zeros(COUNT, np.uint8)
        i = 0
        while i < COUNT:
            k = int(rng.choice(len(rows), p=weight))
            crop, pts = view(rng, photos[k], rows[k])
            if pts[:, 0].min() < EDGE or pts[:, 0].max() > W - EDGE:
                continue
            t = rows[k]["text"]
            imgs[i], state[i] = crop, state_class(rows[k])
            text[i, :len(t)] = [ALNUM.index(c) + 1 for c in t]
            pos[i, :len(pts)] = pts[:, 0]
            i += 1
        np.savez(path + ".tmp.npz", imgs=imgs, text=text, pos=pos, state=state)
        os.replace(path + ".tmp.npz", path)
        print(path, flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(required=True)
    p = sub.add_parser("align")
    p.add_argument("--texts", required=True)
    p.add_argument("--checkpoint", required=True)
    p.set_defaults(run=align)
    q = sub.add_parser("views")
    q.add_argument("--plates", required=True)
    q.add_argument("--seed", type=int, default=1)
    q.add_argument("--shards", type=int, default=100)
    q.add_argument("--held-out", action="store_true", help="of the plates held out, to calibrate and measure")
    q.set_defaults(run=views)
    for s in (p, q):
        s.add_argument("--photos", required=True)
        s.add_argument("--out", required=True)
    a = ap.parse_args()
    a.run(a)


if __name__ == "__main__":
    main()
