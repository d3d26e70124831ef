"""Crops of real plates for the reader, out of the training photos and the close crops.

    python -m plated_training.real align --photos PHOTOS --models .. --checkpoint reader.pt --out plates.jsonl
    python -m plated_training.real views --plates plates.jsonl --photos PHOTOS --out DIR --seed 1 --shards 100 [--close]

`labels.py` tells where the texts are from. Without photos the reader trains on drawn plates alone.

`align` finds where each character stands, with a reader: the characters are known, and the best places
for them in that order are what it searches; of the corners that the label's box and the detector offer it
takes those that show the text best. `views` writes shards like those of reader_data.py: each plate
cropped, lit and blurred in many ways; close crops are set into scenes as drawn plates are. One plate
in seven is never used there, but kept to measure.
"""
import argparse
import itertools
import json
import os
from types import SimpleNamespace

import cv2
import numpy as np

from . import degrade, labels, reader_data
from .glyphs import ALNUM
from .labels import held_out
from .metrics import iou
from .reader_data import COUNT, H, MARGIN, SLOTS, UNKNOWN, W
from .states import REGIONS

ANY_STATE = 255  # a plate whose state can't be told: teaches nothing about states
EITHER = 37  # class of a character that persons did not tell apart: 0 or O
EDGE = 5  # pixels; a character centred nearer to the crop's edge is cut off
PLATE = (320, 160)  # what a close crop is stretched to: the shape of a US plate
OLD = 0.35  # weight of plates from before about 1975
TOGETHER = 64  # crops that are aligned at once: one by one takes many times as long
SHARP = 0.2  # share of close crops that are left as they are


def classes(text):
    return [EITHER if c == "0" else ALNUM.index(c) + 1 for c in text]


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


def offered(row, found):
    """Corners to choose from: the box's, and those of the detector's find on it, as they are and drawn to fill the box."""
    out = [quad(row)]
    x, y, w, h = row["box"]
    for _, box, corners in found:
        if iou(box, row["box"]) > .4:
            q = np.float64(corners)
            lo, hi = q.min(0), q.max(0)
            out += [q, (q - lo) / np.maximum(hi - lo, 1) * (w, h) + (x, y)]
    return out


def aligned(scores, dens, text):
    """(horizontal places in 0 to 1, how well they show the text: nats a character), or None."""
    found = places(scores, text)
    if found is None:
        return None
    # Between two columns by the density on both sides.
    near = [np.arange(max(c - 1, 0), min(c + 2, len(dens))) for c in found]
    x = [float((i * dens[i]).sum() / max(dens[i].sum(), 1e-6)) for i in near]
    gaps = np.diff(x)
    if len(gaps) and (gaps.min() < 1.2 or gaps.max() > 6 * np.median(gaps)):
        return None
    fit = sum(scores[ALNUM.index(c) + 1, at] for c, at in zip(text, found)) / len(text)
    return [(v + .5) / len(dens) for v in x], float(fit)


def offers(rows, photos, detector):
    """(number of the row, corners, homography into the crop, crop) of each way to cut each row's plate out."""
    for n, r in enumerate(rows):
        im = cv2.imread(os.path.join(photos, r["set"], r["image"]))
        if im is None or not 1 < len(r["text"]) <= SLOTS:
            continue
        close = r["set"] == labels.CLOSE
        for q in [quad(r)] if close else offered(r, detector.detect(im)):
            hc = cv2.getPerspectiveTransform(degrade.margins(q, *((0, 0) if close else MARGIN)).astype(np.float32), np.float32([[0, 0], [W, 0], [W, H], [0, H]]))
            yield n, q, hc, cv2.warpPerspective(im, hc, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def align(a):
    import torch
    from .detector_infer import Detector
    from .import_onnx import prepared
    from .reader import Reader
    torch.set_num_threads(1)
    net = Reader()
    net.load_state_dict(torch.load(a.checkpoint)["ema"], strict=False)
    net.eval()
    rows, best = labels.rows(a.photos, (*labels.PHOTOS, labels.CLOSE)), {}
    for some in batched(offers(rows, a.photos, Detector(a.models)), TOGETHER):
        with torch.no_grad():
            _, col, _, dens, _ = net(prepared(np.stack([o[3] for o in some])))
            dens = dens.float().reshape(len(some), 1, -1)
            p = torch.log_softmax(col.float(), 1)
            p[:, 1] = torch.logaddexp(p[:, 1], p[:, 25])
            p += torch.nn.functional.logsigmoid(dens)
        for (n, q, hc, _), scores, d in zip(some, p.numpy().clip(-6), torch.sigmoid(dens).numpy()):
            fit = aligned(scores, d[0], rows[n]["text"])
            if fit and (n not in best or fit[1] > best[n][0]):
                pts = degrade.apply_h(np.linalg.inv(hc), [(v * W, H / 2) for v in fit[0]])
                best[n] = fit[1], {"corners": np.round(q, 2).tolist(), "centres": np.round(pts, 2).tolist()}
    out = [rows[n] | found | {"fit": round(fit, 3)} for n, (fit, found) in sorted(best.items())]
    with open(a.out, "w") as f:
        f.writelines(json.dumps(r) + "\n" for r in out)
    print(f"{len(out)} of {len(rows)} plates aligned, {sum(map(held_out, out))} of them held out")


def batched(items, size):
    items = iter(items)
    while some := list(itertools.islice(items, size)):
        yield some


def close_view(rng, image, row, pool):
    """One look at a close crop: as it is, or set into a scene like a drawn plate."""
    h, w = image.shape[:2]
    scale = np.float64(PLATE) / (w, h)
    pts = np.float64(row["centres"]) * scale
    plate = cv2.resize(image, PLATE, interpolation=cv2.INTER_LINEAR)
    if rng.random() >= SHARP:
        return reader_data.view(rng, SimpleNamespace(image=plate, mask=None, chars=[(c, *p) for c, p in zip(row["text"], pts)]), pool)
    edges = np.float64([[0, 0], [PLATE[0], 0], PLATE, [0, PLATE[1]]])
    src = degrade.margins(edges, *rng.normal(0, .02, 2)) + rng.normal(0, .008, (4, 2)) * PLATE
    hc = cv2.getPerspectiveTransform(src.astype(np.float32), np.float32([[0, 0], [W, 0], [W, H], [0, H]]))
    plate = cv2.resize(plate, None, fx=.6, fy=.6, interpolation=cv2.INTER_AREA)
    hc = hc @ np.diag([1 / .6, 1 / .6, 1])
    crop = cv2.warpPerspective(plate, hc, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return degrade.light(crop, rng) if rng.random() < .5 else crop, degrade.apply_h(hc, pts * .6)


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
    if row["state"] in ("US", "?"):
        return ANY_STATE
    return REGIONS.index(row["state"]) if row["state"] in REGIONS else UNKNOWN


def weight(row):
    """How often a plate is drawn. Those of the USA are what it is for; California has no close crops."""
    if row["set"] == labels.CLOSE:
        return OLD if row["old"] else 1.0
    return 6.0 if row["state"] == "CA" else 4.0 if row["state"] in REGIONS else 1.0


def views(a):
    cv2.setNumThreads(1)
    os.makedirs(a.out, exist_ok=True)
    with open(a.plates) as f:
        rows = [r for r in map(json.loads, f) if held_out(r) == a.held_out and (r["set"] == labels.CLOSE) == a.close]
    share = np.array([weight(r) for r in rows])
    share /= share.sum()
    photos = [cv2.imread(os.path.join(a.photos, r["set"], r["image"])) for r in rows]
    pool = reader_data.backgrounds(a.photos, 300, a.seed) if a.close else []
    for n in range(a.shards):
        path = os.path.join(a.out, f"{'close' if a.close else 'real'}-{n:05d}.npz")
        if os.path.exists(path):
            continue
        rng = np.random.default_rng([a.seed, 78 if a.close else 77, n])
        imgs, text = np.zeros((COUNT, H, W, 3), np.uint8), np.zeros((COUNT, SLOTS), np.uint8)
        pos, state = np.full((COUNT, SLOTS), -1, np.float16), np.zeros(COUNT, np.uint8)
        i = 0
        while i < COUNT:
            k = int(rng.choice(len(rows), p=share))
            crop, pts = close_view(rng, photos[k], rows[k], pool) if a.close else view(rng, photos[k], rows[k])
            if pts[:, 0].min() < EDGE or pts[:, 0].max() > W - EDGE:
                continue
            t = rows[k]["text"]
            imgs[i], state[i] = crop, state_class(rows[k])
            text[i, :len(t)] = classes(t)
            pos[i, :len(pts)] = pts[:, 0]
            i += 1
        np.savez(path + ".tmp.npz", imgs=imgs, text=text, pos=pos, state=state)
        os.replace(path + ".tmp.npz", path)
        print(path, flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(required=True)
    p = sub.add_parser("align")
    p.add_argument("--models", required=True, help="where the detector is")
    p.add_argument("--checkpoint", required=True)
    p.set_defaults(run=align)
    q = sub.add_parser("views")
    q.add_argument("--plates", required=True)
    q.add_argument("--seed", type=int, default=1)
    q.add_argument("--shards", type=int, default=100)
    q.add_argument("--close", action="store_true", help="of the close crops instead of the photos")
    q.add_argument("--held-out", action="store_true", help="of the plates held out, to calibrate and measure")
    q.set_defaults(run=views)
    for s in (p, q):
        s.add_argument("--photos", required=True)
        s.add_argument("--out", required=True)
    a = ap.parse_args()
    a.run(a)


if __name__ == "__main__":
    main()
