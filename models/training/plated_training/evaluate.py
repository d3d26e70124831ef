"""Write reads of a folder's images, one JSON line per image, and measure them.

    python -m plated_training.evaluate --models DIR --data FOLDER [--plate-crops] --out reads.jsonl

Line: {"image", "plates": [{"text", "confidence", "box": [x, y, w, h], "corners",
"candidates": [{"text", "confidence"}], "state", "state_confidence", "detection"}]}.
With --plate-crops every image is one plate; otherwise the detector finds them.
Where FOLDER has a labels.jsonl the figures of metrics.py are printed.
"""
import argparse
import json
import os
import sys

import cv2

from . import metrics
from .reader_infer import Reader

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp")


def images(folder):
    return sorted(f for f in os.listdir(folder) if f.lower().endswith(EXTENSIONS))


def read_crop(reader, image):
    h, w = image.shape[:2]
    r = reader.read_whole(image)
    return [] if not r["text"] else [r | {"box": [0, 0, w, h]}]


def read_photo(reader, detector, image):
    found = detector.detect(image)
    reads = reader.read_corners(image, [c for _, _, c in found])
    out = []
    for (conf, box, corners), r in zip(found, reads):
        if r["text"]:
            out.append(r | {"box": [round(float(v), 2) for v in box], "detection": round(float(conf), 4),
                            "corners": [[round(float(v), 2) for v in p] for p in corners]})
    return sorted(out, key=lambda r: -r["confidence"])


def main(argv=None):
    ap = argparse.ArgumentParser(prog="plated_training.evaluate")
    ap.add_argument("--models", required=True)
    ap.add_argument("--data", required=True)
    ap.add_argument("--plate-crops", action="store_true")
    ap.add_argument("--reader", default="reader", help="name of the reader's sidecar, without .toml")
    ap.add_argument("--detector-size", default="", help="WIDTHxHEIGHT instead of the sidecar's")
    ap.add_argument("--out", required=True)
    a = ap.parse_args(argv)
    cv2.setNumThreads(1)
    reader = Reader(a.models, a.reader)
    detector = None
    if not a.plate_crops:
        from .detector_infer import Detector
        size = [int(v) for v in a.detector_size.split("x")] if a.detector_size else [None, None]
        detector = Detector(a.models, *size)
    tmp = a.out + ".tmp"
    with open(tmp, "w") as f:
        names = images(a.data)
        for k, name in enumerate(names):
            im = cv2.imread(os.path.join(a.data, name))
            if im is None:
                print("cannot read", name, file=sys.stderr)
                continue
            plates = read_crop(reader, im) if a.plate_crops else read_photo(reader, detector, im)
            for p in plates:
                p["confidence"] = round(p["confidence"], 6)
            f.write(json.dumps({"image": name, "plates": plates}) + "\n")
            if k % 50 == 49 and sys.stderr.isatty():
                print(f"{k + 1}/{len(names)}", file=sys.stderr)
    os.replace(tmp, a.out)
    labels = os.path.join(a.data, "labels.jsonl")
    if os.path.exists(labels):
        with open(labels) as lf, open(a.out) as rf:
            print(json.dumps(metrics.score([json.loads(l) for l in lf], [json.loads(l) for l in rf], a.plate_crops)))


if __name__ == "__main__":
    main()
