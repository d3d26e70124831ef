"""Squares around the plates of the labelled photos, as the model might get them, and what the backbone makes of them.

    python -m plated_training.vehicle_views --photos PHOTOS --out STATE --views 6

The lower part is not trained, so each view passes it once. View 0 is the square as it is; the others are shifted, scaled,
mirrored, lit, blurred and compressed. A seed and a number fix a view.
"""
import argparse
import json
import os
import time

import cv2
import numpy as np

from .vehicle_infer import ABOVE, GREY, SIDE, SIZE, box_corners, cut, region
from .vehicle_labels import group, picture_hash, rows

WIDE, WIDE_ABOVE, WIDE_SIZE = 10.6, 6.6, 320  # the square and what surrounds it, in units and pixels
UNIT = WIDE_SIZE / WIDE
CUT = 15  # blocks of the backbone below the cut: the last one and the head above it are trained
GRID = 3  # for the colour: means of the first maps in so many columns and rows


def wide_squares(photos, out):
    """Writes the squares with their surroundings, and the rows with the part of each square that is photo."""
    labelled = rows(photos)
    squares = np.lib.format.open_memmap(os.path.join(out, "squares.npy"), "w+", np.uint8, (len(labelled), WIDE_SIZE, WIDE_SIZE, 3))
    hashes = []
    for i, row in enumerate(labelled):
        image = cv2.imread(os.path.join(photos, row["set"], row["image"]))
        hashes.append(picture_hash(image))
        x, y, w, h = region(box_corners(row["box"]), row["aspect"], WIDE, WIDE_ABOVE)
        squares[i] = cut(image, (x, y, w, h), WIDE_SIZE)
        u, v = WIDE_SIZE / w, WIDE_SIZE / h
        row["photo"] = [float(n) for n in (max(0, -x * u), max(0, -y * v), min(WIDE_SIZE, (image.shape[1] - x) * u),
                                           min(WIDE_SIZE, (image.shape[0] - y) * v))]
    with open(os.path.join(out, "rows.json"), "w") as f:
        json.dump(group(labelled, hashes), f)


def view(square, row, rng):
    """The model's input out of a wide square; without `rng` exactly what the daemon would cut."""
    sx = sy = 1.0
    dx = dy = 0.0
    if rng is not None:
        sx = sy = np.exp(rng.uniform(np.log(0.85), np.log(1.2)))
        # How a squeezed photo was is a guess.
        sx *= np.exp(rng.uniform(np.log(0.8), np.log(1.25)) if row["aspect"] != 1 else rng.uniform(-0.05, 0.05))
        dx, dy = rng.uniform(-0.5, 0.5, 2)
    w, h = SIDE * UNIT * sx, SIDE * UNIT * sy
    x, y = (WIDE / 2 + dx) * UNIT - w / 2, (WIDE_ABOVE + dy) * UNIT - ABOVE / SIDE * h
    move = np.float32([[SIZE / w, 0, -x * SIZE / w], [0, SIZE / h, -y * SIZE / h]])
    out = cv2.warpAffine(square, move, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3)
    inside = (np.array(row["photo"]) - [x, y, x, y]) * [SIZE / w, SIZE / h, SIZE / w, SIZE / h]
    u0, v0, u1, v1 = inside.round().clip(0, SIZE).astype(int)
    if rng is None:
        return out
    changed = light(rng, out)
    if rng.random() < 0.35:
        side = int(rng.uniform(70, SIZE))
        changed = cv2.resize(cv2.resize(changed, (side, side), interpolation=cv2.INTER_AREA), (SIZE, SIZE))
    if rng.random() < 0.4:
        changed = cv2.imdecode(cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(35, 90))])[1], 1)
    kept = np.full_like(out, GREY)
    kept[v0:v1, u0:u1] = changed[v0:v1, u0:u1]
    return np.ascontiguousarray(kept[:, ::-1]) if rng.random() < 0.5 else kept


def light(rng, image):
    """Brightness and contrast; little of the hue, which is to be told."""
    f = (image.astype(np.float32) / 255) ** np.exp(rng.uniform(-0.3, 0.3)) * np.exp(rng.uniform(-0.3, 0.25))
    f *= np.exp(rng.uniform(-0.06, 0.06, 3))
    if rng.random() < 0.3:
        grey = f.mean(2, keepdims=True)
        f = grey + (f - grey) * rng.uniform(0.75, 1.2)
    return (f * 255).clip(0, 255).astype(np.uint8)


def main():
    import torch

    from .vehicle import Frozen
    ap = argparse.ArgumentParser()
    ap.add_argument("--photos", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--views", type=int, default=6)
    ap.add_argument("--seed", type=int, default=100)
    a = ap.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.makedirs(a.out, exist_ok=True)
    if not os.path.exists(os.path.join(a.out, "rows.json")):
        wide_squares(a.photos, a.out)
    with open(os.path.join(a.out, "rows.json")) as f:
        labelled = json.load(f)
    squares = np.load(os.path.join(a.out, "squares.npy"), mmap_mode="r")
    frozen = Frozen().eval()
    for n in range(a.views):
        path = os.path.join(a.out, f"view{n}.npz")
        if os.path.exists(path):
            continue
        rng, start, parts = np.random.default_rng(a.seed + n), time.time(), []
        for at in range(0, len(labelled), 8):
            batch = [view(np.asarray(squares[i]), labelled[i], rng if n else None) for i in range(at, min(at + 8, len(labelled)))]
            with torch.no_grad():
                parts.append([part.numpy() for part in frozen(torch.from_numpy(np.stack(batch)))])
        maps, colours, features = (np.concatenate(part) for part in zip(*parts))
        np.savez(path + ".new.npz", maps=maps.astype(np.float16), colours=colours, features=features)
        os.replace(path + ".new.npz", path)
        print(f"view {n}: {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
