"""Crops of what the detector takes for a plate in photos without one, for the reader to see no plate in.

    python -m plated_training.empties --photos PHOTOS --models .. --out DIR --shards 4

Signs, lettering on vehicles, grilles, blank plates: PHOTOS/negatives. Half of these photos, by their names, are held out
to measure (held_out.py). Plates too small to be read may be among them: these are not to be read either.
"""
import argparse
import json
import os
import zlib

import cv2
import numpy as np

from . import real
from .detector_infer import Detector
from .reader_data import COUNT, SLOTS, UNKNOWN

FOLDER = "negatives"
DOUBTFUL = 0.08  # finds of less heat than counts in use: what another frame may show as a plate


def held_out(image):
    return zlib.crc32(image.encode()) % 2 == 0


def names(photos, held):
    with open(os.path.join(photos, FOLDER, "labels.jsonl")) as f:
        return [n for n in (json.loads(line)["image"] for line in f) if held_out(n) == held]


def found(photos, detector):
    """(photo, row as real.view takes it) of each find in the photos for training."""
    for name in names(photos, False):
        image = cv2.imread(os.path.join(photos, FOLDER, name))
        for _, box, corners in detector.detect(image, DOUBTFUL):
            yield image, {"corners": np.asarray(corners).tolist(), "centres": [np.mean(corners, 0).tolist()], "box": list(box)}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--photos", required=True)
    ap.add_argument("--models", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--shards", type=int, default=4)
    a = ap.parse_args()
    cv2.setNumThreads(1)
    os.makedirs(a.out, exist_ok=True)
    finds = list(found(a.photos, Detector(a.models)))
    print(f"{len(finds)} finds in photos without a plate")
    for n in range(a.shards):
        path = os.path.join(a.out, f"negatives-{n:05d}.npz")
        if os.path.exists(path):
            continue
        rng = np.random.default_rng([a.seed, 79, n])
        imgs = np.stack([real.view(rng, *finds[int(rng.integers(len(finds)))])[0] for _ in range(COUNT)])
        np.savez(path + ".tmp.npz", imgs=imgs, text=np.zeros((COUNT, SLOTS), np.uint8), pos=np.full((COUNT, SLOTS), -1, np.float16),
                 state=np.full(COUNT, UNKNOWN, np.uint8))
        os.replace(path + ".tmp.npz", path)
        print(path, flush=True)


if __name__ == "__main__":
    main()
