"""Figures of a reader on the plates that no training saw, and on the photos for validation.

    python -m plated_training.held_out --models .. --photos PHOTOS [--validation VALIDATION] [--reader reader-fp32]

One line a set: plates, share captured (where the detector finds them), exact, folded (O as 0), per character, state right,
share of reads of confidence 0.9 or more and how many of those are wrong (folded), calibration error. The training
photos' texts do not tell O from 0, so there is no exact figure for them. At the end, how many photos without a readable plate
(of half of these, which no training saw) have a read all the same.
"""
import argparse
import json
import os

import cv2
import numpy as np

from . import empties, labels, metrics
from .detector_infer import Detector
from .evaluate import read_crop, read_photo
from .reader_infer import Reader
from .states import REGIONS

DISTANT = 60  # pixels, the width of a distant plate


def distant(image, seed):
    """The plate 60 pixels wide, a little out of focus, in a grey surrounding, as a camera's JPEG leaves it."""
    rng = np.random.default_rng(seed)
    small = cv2.resize(image, (DISTANT, DISTANT // 2), interpolation=cv2.INTER_AREA)
    # One of two rounds the plate's place within the blocks of 8 pixels.
    x, y = (int(v) for v in rng.integers(8, 16, 2))
    scene = np.full((56, 88, 3), 90, np.uint8)
    scene[y:y + DISTANT // 2, x:x + DISTANT] = small
    scene = cv2.GaussianBlur(scene, (0, 0), 0.5)
    scene = np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
    scene = cv2.imdecode(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 45])[1], cv2.IMREAD_COLOR)
    return scene[y:y + DISTANT // 2, x:x + DISTANT]


def label(row):
    return {"box": row["box"], "text": row["text"]} | ({"state": row["state"]} if row["state"] in REGIONS else {})


def close_crops(photos, reader):
    rows = [r for r in labels.rows(photos, [labels.CLOSE]) if labels.held_out(r)]
    images = {r["image"]: cv2.imread(os.path.join(photos, labels.CLOSE, r["image"])) for r in rows}
    for name, old, change in (("close crops, sharp", False, lambda im, _: im), ("close crops, 60 px", False, distant),
                              ("close crops, old, sharp", True, lambda im, _: im)):
        part = [r for r in rows if r["old"] == old]
        wanted = [{"image": r["image"], "plates": [label(r)]} for r in part]
        reads = [{"image": r["image"], "plates": read_crop(reader, change(images[r["image"]], n))} for n, r in enumerate(part)]
        yield name, wanted, reads, True, False


def in_photos(photos, reader, detector):
    rows = [r for r in labels.rows(photos, labels.PHOTOS) if labels.held_out(r)]
    for name, home in (("photos, USA", True), ("photos, others", False)):
        by = {}
        for r in rows:
            if (r["state"] in REGIONS or r["state"] == "US") == home:
                by.setdefault((r["set"], r["image"]), []).append(label(r))
        wanted = [{"image": "/".join(k), "plates": v} for k, v in by.items()]
        reads = [{"image": w["image"], "plates": read_photo(reader, detector, cv2.imread(os.path.join(photos, w["image"])))} for w in wanted]
        yield name, wanted, reads, False, False


def validation(folder, reader, detector):
    for name, crops in (("us-crops", True), ("caltech-cars", False)):
        with open(os.path.join(folder, name, "labels.jsonl")) as f:
            wanted = [json.loads(line) for line in f]
        reads = []
        for w in wanted:
            image = cv2.imread(os.path.join(folder, name, w["image"]))
            reads.append({"image": w["image"], "plates": read_crop(reader, image) if crops else read_photo(reader, detector, image)})
        yield name, wanted, reads, crops, True


def without_plates(photos, reader, detector):
    """The surest read of each photo without a readable plate that is held out."""
    out = []
    for n in empties.names(photos, True):
        found = read_photo(reader, detector, cv2.imread(os.path.join(photos, empties.FOLDER, n)))
        out.append(max((r["confidence"] for r in found), default=0.0))
    return np.array(out)


def line(name, wanted, reads, crops, exact):
    s = metrics.score(wanted, reads, crops)
    wrong, sure = s["wrong_folded@0.9"]
    return (f"{name:24}{s['plates']:6}{s['capture']:9.3f}{s['exact'] if exact else float('nan'):8.4f}{s['folded']:8.4f}{s['char']:8.4f}"
            f"{s.get('state', float('nan')):8.4f}{s.get('wrong_state@0.9', [float('nan')])[0]:8.4f}"
            f"{sure / max(1, s['plates']):8.3f}{wrong:8.4f}{s['calibration_error']:8.4f}")


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--models", required=True)
    ap.add_argument("--detector", default="", help="folder of the detector, where it is another")
    ap.add_argument("--reader", default="reader")
    ap.add_argument("--photos", required=True)
    ap.add_argument("--validation", default="")
    a = ap.parse_args(argv)
    cv2.setNumThreads(1)
    reader, detector = Reader(a.models, a.reader), Detector(a.detector or a.models)
    print(f"{'set':24}{'plates':>6}{'captured':>9}{'exact':>8}{'folded':>8}{'char':>8}{'state':>8}{'wrong':>8}{'sure':>8}{'wrong':>8}{'cal.':>8}")
    sets = [close_crops(a.photos, reader), in_photos(a.photos, reader, detector)]
    for part in sets + ([validation(a.validation, reader, detector)] if a.validation else []):
        for s in part:
            print(line(*s), flush=True)
    sure = without_plates(a.photos, reader, detector)
    print(f"photos without a plate: {len(sure)}, with a read of confidence >= 0.5: {(sure >= .5).sum()}, >= 0.9: {(sure >= .9).sum()}")


if __name__ == "__main__":
    main()
