"""How drawn crops compare with those of real plates in photos: light, contrast, sharpness, noise.

    python -m plated_training.measure --plates plates.jsonl --photos PHOTOS --shards DIR[,DIR]

For each, quantiles over the crops that the reader gets: of the photos' plates as they are (held-out ones too: nothing is
trained here), and of shards. Where they differ, degrade.py is to be changed.
"""
import argparse
import json
import os

import cv2
import numpy as np

from . import degrade, labels
from .reader_data import H, MARGIN, W, shards
from .real import quad

QUANTILES = (5, 25, 50, 75, 95)


def figures(crop):
    """Of one crop: brightness, contrast (95th less 5th percentile of grey), sharpness (the steepest gradients in
    units of the contrast, a pixel of 160), noise (of what a median filter takes away), colour (mean saturation)."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    inner = grey[8:-8, 10:-10].astype(np.float32)
    low, high = np.percentile(inner, (5, 95))
    contrast = max(high - low, 1.0)
    steep = np.percentile(np.abs(np.diff(inner, axis=1)), 97)
    rest = grey.astype(np.float32) - cv2.medianBlur(grey, 3)
    flat = np.abs(rest[np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 2), cv2.CV_32F)) < 2])
    return {"brightness": float(inner.mean()), "contrast": float(contrast), "sharpness": float(steep / contrast),
            "noise": float(flat.mean()) if len(flat) else 0.0, "colour": float(cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)[..., 1].mean())}


def photographed(plates, photos):
    """(set, crop, width in the photo) of each plate in the photos."""
    for row in map(json.loads, plates):
        if row["set"] == labels.CLOSE:
            continue
        image = cv2.imread(os.path.join(photos, row["set"], row["image"]))
        q = quad(row)
        src = degrade.margins(q, *MARGIN).astype(np.float32)
        hc = cv2.getPerspectiveTransform(src, np.float32([[0, 0], [W, 0], [W, H], [0, H]]))
        crop = cv2.warpPerspective(image, hc, (W, H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        yield row["set"], crop, float(np.linalg.norm(q[1] - q[0]))


def show(name, crops, widths=()):
    table = [figures(c) for c in crops]
    print(f"{name}: {len(crops)} crops; quantiles " + " ".join(f"{q}%" for q in QUANTILES))
    columns = {k: [t[k] for t in table] for k in table[0]} | ({"width": widths} if len(widths) else {})
    for k, v in columns.items():
        print(f"  {k:12}" + "".join(f"{x:9.2f}" for x in np.percentile(v, QUANTILES)))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--plates", required=True)
    ap.add_argument("--photos", required=True)
    ap.add_argument("--shards", required=True)
    ap.add_argument("--count", type=int, default=2000)
    a = ap.parse_args()
    cv2.setNumThreads(1)
    with open(a.plates) as f:
        found = list(photographed(f, a.photos))
    for name in sorted({s for s, _, _ in found}):
        part = [(c, w) for s, c, w in found if s == name]
        show(name, *zip(*part))
    for folder in a.shards.split(","):
        show(folder, shards(folder, a.count)[0])


if __name__ == "__main__":
    main()
