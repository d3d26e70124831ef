"""The real photos the detector may learn from: ../shared/data/train.

What each set can teach differs, so each carries its own settings:

complete  every readable plate is labelled: the rest of the photo is background.
          The other sets leave plates of background cars unlabelled; what is
          found away from labels there is punished lightly or not at all.
stretched the labelled images were squeezed to a square; they are un-stretched by
          a random, plausible aspect, and their box shape counts less.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np


@dataclass(frozen=True)
class PhotoSet:
    name: str
    licence: str
    complete: bool
    stretched: bool
    weight: float        # share of real samples drawn from it
    box_weight: float    # how much its box shapes count


SETS = (
    PhotoSet("open-lpr", "Apache-2.0 (faisalthaheem/open-lpr-dataset-plate-detection)", False, False, 0.45, 0.7),
    PhotoSet("robertlucian", "MIT (RobertLucian/license-plate-dataset)", True, False, 0.15, 0.7),
    PhotoSet("techkhid", "CC BY 2.0/4.0 (Open Images by way of TechKhid/LicensePlateDetection)", False, True, 0.15, 0.3),
    PhotoSet("rhit", "CC BY 4.0 (rhit-qin13/License-Plate-Detection)", False, True, 0.25, 0.3),
)


class Photos:
    """Loads labels once and photos on demand."""

    def __init__(self, data_dir):
        self.items = []
        for s in SETS:
            folder = Path(data_dir) / s.name
            rows = []
            for line in open(folder / "labels.jsonl"):
                row = json.loads(line)
                boxes = np.array([p["box"] for p in row["plates"]], np.float32).reshape(-1, 4)
                # A box of a few pixels is a labelling accident and would be blown up to a plate.
                keep = (boxes[:, 2] >= 10) & (boxes[:, 3] >= 5)
                if not len(boxes) or not keep.any():
                    continue
                boxes[:, 2:] += boxes[:, :2]
                rows.append((folder / row["image"], boxes, keep))
            self.items.append(rows)
        weights = np.array([s.weight for s in SETS])
        self.weights = weights / weights.sum()

    def draw(self, rng):
        """(set, image BGR, boxes [K,4] x0 y0 x1 y1, usable [K] bool), un-stretched."""
        while True:
            k = rng.choice(len(SETS), p=self.weights)
            path, boxes, keep = self.items[k][rng.integers(len(self.items[k]))]
            image = cv2.imread(str(path))
            if image is None:
                continue
            boxes = boxes.copy()
            if SETS[k].stretched:
                image, boxes = unstretch(rng, image, boxes)
            return SETS[k], image, boxes, keep


def unstretch(rng, image, boxes):
    """Widens (or heightens) a squeezed photo; prefers aspects that give plates a plate's shape."""
    best = None
    for _ in range(3):
        f = rng.choice([1.33, 1.5, 1.78, 1.0, 0.75], p=[0.45, 0.2, 0.15, 0.1, 0.1])
        aspect = np.median((boxes[:, 2] - boxes[:, 0]) * f / (boxes[:, 3] - boxes[:, 1]))
        best = f
        if 1.7 <= aspect <= 5.0:
            break
    fx, fy = (best, 1.0) if best >= 1 else (1.0, 1 / best)
    image = cv2.resize(image, None, fx=fx, fy=fy, interpolation=cv2.INTER_LINEAR)
    return image, boxes * np.float32([fx, fy, fx, fy])
