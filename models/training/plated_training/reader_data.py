"""Samples for the reader, written as shards by generator processes.

    python -m plated_training.reader_data --out DIR --worker 0 --seed 1 --shards 400

A shard holds COUNT crops as the reader gets them at run time, their text, the
horizontal position of each character, and the state. Worker w writes shards
w-00000.npz, w-00001.npz, ...: each has its own seed, so that a run that was cut
off goes on with the first shard that is missing, and makes the same data.
"""
import argparse
import glob
import os

import cv2
import numpy as np

from . import cars, degrade, negatives
from .glyphs import ALNUM
from .plates import render_plate
from .states import REGIONS

W, H, SLOTS, COUNT = 160, 48, 9, 1024
MARGIN = (0.05, 0.08)
UNKNOWN = len(REGIONS)


def backgrounds(folder, n, seed):
    """Photos of the training sets, scaled down; grey noise where there are none."""
    files = sorted(glob.glob(os.path.join(folder, "*", "*.jpg")) + glob.glob(os.path.join(folder, "*", "*.png"))) if folder else []
    rng = np.random.default_rng(seed)
    out = []
    for f in rng.permutation(files)[:n] if files else []:
        im = cv2.imread(f)
        if im is not None and min(im.shape[:2]) > 100:
            out.append(cv2.resize(im, (400, 300), interpolation=cv2.INTER_AREA))
    return out or [cv2.resize(rng.integers(0, 255, (9, 12, 3)).astype(np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC) for _ in range(20)]


def background(rng, pool, w, h):
    im = pool[int(rng.integers(len(pool)))]
    k = rng.uniform(.15, 1.0)
    bw, bh = int(400 * k), int(300 * k)
    x, y = int(rng.integers(0, 401 - bw)), int(rng.integers(0, 301 - bh))
    return cv2.resize(im[y:y + bh, x:x + bw], (w, h), interpolation=cv2.INTER_LINEAR)


def view(rng, plate, pool):
    """One look at a plate -> (crop HxWx3, character centres (n, 2) in crop pixels)."""
    ph, pw = plate.image.shape[:2]
    boxed = rng.random() < .5  # crops of an axis-aligned box, as other detectors give
    # Plates of the training photos are 60 to 125 pixels wide at their quartiles (measure.py); close-ups beside them.
    width = float(np.clip(np.exp(rng.normal(np.log(85), .42)), 42, 300)) if rng.random() < .7 else rng.uniform(100, 320)
    clean = rng.random() < .42
    q = degrade.quad(rng, width, pw / ph, *((12, 8, 4) if clean else (28, 18, 7) if boxed else (45, 25, 12)))
    lo, hi = q.min(0), q.max(0)
    pad = .25 * (hi - lo)
    sw, sh = np.ceil(hi - lo + 2 * pad).astype(int)
    q = q - lo + pad
    img = plate.image
    if rng.random() < .15:
        img = degrade.dirt(img, rng)
    if rng.random() < .06:
        img = degrade.cover(img, rng)
    scene = background(rng, pool, int(sw), int(sh))
    if rng.random() < .4:  # bumpers are mostly one dark or body colour
        scene[:] = (scene * .25 + rng.integers(0, 200) * .75).astype(np.uint8)
    hm = degrade.paste(scene, img, q, plate.mask)
    if rng.random() < .9:
        scene = degrade.light(scene, rng)
    scene = degrade.optics(scene, rng, width, .4 if clean else 1.0)
    scene = degrade.sensor(scene, rng)
    w0, h0 = q[1] - q[0], q[3] - q[0]
    if boxed:
        lo, hi = q.min(0), q.max(0)
        s = hi - lo
        m = rng.normal(.02, .04, 4) if rng.random() < .75 else rng.uniform(-.04, .14, 4)
        m = np.maximum(m, -.045)
        x0, y0, x1, y1 = lo[0] - m[0] * s[0], lo[1] - m[1] * s[1], hi[0] + m[2] * s[0], hi[1] + m[3] * s[1]
        src = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    else:
        jit = rng.normal(0, 1, (4, 2)) * (.018, .03) + rng.normal(0, 1, (1, 2)) * (.012, .025)
        k = 1 if rng.random() < .85 else 2
        jit = np.clip(jit * k, -.09, .09)
        src = q + jit[:, :1] * w0 + jit[:, 1:] * h0
        src = degrade.margins(src, *(np.array(MARGIN) + rng.normal(0, .012, 2)))
    dst = np.array([[0, 0], [W, 0], [W, H], [0, H]], np.float32)
    hc = cv2.getPerspectiveTransform(src.astype(np.float32), dst)
    wide = np.linalg.norm(src[1] - src[0])
    if boxed and wide > W:  # box crops are resized with INTER_AREA, as evaluate.py does
        x0, y0, x1, y1 = [int(round(v)) for v in (*src[0], *src[2])]
        x0, y0 = max(x0, 0), max(y0, 0)
        crop = cv2.resize(scene[y0:y1, x0:x1], (W, H), interpolation=cv2.INTER_AREA)
        hc = np.array([[W / (min(x1, sw) - x0), 0, -x0 * W / (min(x1, sw) - x0)], [0, H / (min(y1, sh) - y0), -y0 * H / (min(y1, sh) - y0)], [0, 0, 1]])
    else:
        crop = cv2.warpPerspective(scene, hc, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    pts = degrade.apply_h(hc @ hm, [(c[1], c[2]) for c in plate.chars])
    return crop, pts


def streets(n, seed):
    rng = np.random.default_rng([seed, 3])
    return [cars.draw_street(rng, 400, 300) for _ in range(n)]


def nothing(rng, pool, drawn):
    """A crop of something that is no plate but may be found as one: grilles, blank plates, windows, anything."""
    r = rng.random()
    if r < .3:
        im = negatives.grille(rng)
    elif r < .45:
        im = negatives.blank_plate(rng)
    else:  # out of a photo away from its middle, where the vehicle and its plate are; or out of a drawn street
        source = pool if rng.random() < .6 else drawn
        im = source[int(rng.integers(len(source)))]
        w = int(rng.uniform(24, 110))
        h = int(w * rng.uniform(.28, .6))
        x, y = int(rng.integers(0, 400 - w)), int(rng.integers(0, 300 - h))
        if abs(x + w / 2 - 200) < 110 and y + h / 2 > 110:
            x = int(rng.choice([rng.integers(0, 70), rng.integers(330 - w, 400 - w)]))
        im = im[y:y + h, x:x + w]
    im = cv2.resize(im, (int(rng.uniform(50, 200)), int(rng.uniform(20, 80))), interpolation=cv2.INTER_LINEAR)
    if rng.random() < .6:
        q = degrade.quad(rng, im.shape[1], im.shape[1] / im.shape[0], 30, 18, 8)
        lo = q.min(0)
        size = tuple(np.maximum(np.ceil(q.max(0) - lo), 8).astype(int).tolist())
        hm = cv2.getPerspectiveTransform(np.float32([[0, 0], [im.shape[1], 0], [im.shape[1], im.shape[0]], [0, im.shape[0]]]), (q - lo).astype(np.float32))
        im = cv2.warpPerspective(im, hm, size, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < .7:
        im = degrade.light(im, rng)
    im = degrade.sensor(degrade.optics(im, rng, im.shape[1], .6), rng)
    return cv2.resize(im, (W, H), interpolation=cv2.INTER_AREA if im.shape[1] > W else cv2.INTER_LINEAR)


def empty_batch(rng, pool, drawn, count=COUNT):
    imgs = np.stack([nothing(rng, pool, drawn) for _ in range(count)])
    return imgs, np.zeros((count, SLOTS), np.uint8), np.full((count, SLOTS), -1, np.float16), np.full(count, UNKNOWN, np.uint8)


def sample_batch(rng, pool, count=COUNT):
    imgs = np.zeros((count, H, W, 3), np.uint8)
    text = np.zeros((count, SLOTS), np.uint8)  # class numbers, 0 = blank
    pos = np.full((count, SLOTS), -1, np.float16)
    state = np.zeros(count, np.uint8)
    i = 0
    while i < count:
        # California has no real close crops beside the drawn plates, so it is drawn more often.
        plate = render_plate(rng, "CA" if rng.random() < .16 else None, width=320)
        if not 1 < len(plate.text) <= SLOTS:
            continue
        for _ in range(3):  # three looks at each plate: drawing costs more than looking
            if i == count:
                break
            crop, pts = view(rng, plate, pool)
            if pts[:, 0].min() < 1 or pts[:, 0].max() > W - 1:
                continue
            imgs[i] = crop
            text[i, :len(plate.text)] = [ALNUM.index(c) + 1 for c in plate.text]
            pos[i, :len(pts)] = pts[:, 0]
            state[i] = REGIONS.index(plate.state) if plate.state else UNKNOWN
            i += 1
    return imgs, text, pos, state


def shards(folder, n):
    """Crops out of all shards of a folder, evenly: images, texts, states."""
    files = [f for f in sorted(glob.glob(os.path.join(folder, "*.npz"))) if ".tmp" not in f]
    parts = [[], [], []]
    for f in files:
        with np.load(f) as z:
            for p, k in zip(parts, ("imgs", "text", "state")):
                p.append(z[k][:max(1, n // len(files))])
    return [np.concatenate(p) for p in parts]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--photos", default="", help="folder whose subfolders hold training photos, for backgrounds")
    ap.add_argument("--worker", type=int, default=0)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--shards", type=int, default=100)
    ap.add_argument("--empty", action="store_true", help="crops without a plate instead")
    a = ap.parse_args()
    cv2.setNumThreads(1)
    os.makedirs(a.out, exist_ok=True)
    pool = backgrounds(a.photos, 300, a.seed)
    drawn = streets(60, a.seed) if a.empty else []
    for n in range(a.shards):
        path = os.path.join(a.out, f"{a.worker}-{n:05d}.npz")
        if os.path.exists(path):
            continue
        if os.path.exists(os.path.join(a.out, "STOP")):
            break
        rng = np.random.default_rng([a.seed, a.worker, n])
        imgs, text, pos, state = empty_batch(rng, pool, drawn) if a.empty else sample_batch(rng, pool)
        np.savez(path + ".tmp.npz", imgs=imgs, text=text, pos=pos, state=state)
        os.replace(path + ".tmp.npz", path)
        print(path, flush=True)


if __name__ == "__main__":
    main()
