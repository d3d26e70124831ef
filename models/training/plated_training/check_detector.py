"""Measures the exported detector on a folder of labelled photos.

python -m plated_training.check_detector --models DIR --labels DIR/labels.jsonl

capture   labelled plates overlapped (IoU >= 0.3) by a find above the threshold
top1      the same with only the most confident find of each photo
iou       mean IoU of the captured plates; taller, wider: found size over labelled size
corners   mean distance of found corners from labelled ones, in plate heights (median, 90 %)
extra     finds that overlap no label, per photo (background plates may be among them)
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from .detector_infer import Detector, iou


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--models", required=True)
    ap.add_argument("--labels", required=True)
    ap.add_argument("--size", default="")
    ap.add_argument("--model", help="another ONNX file with the same interface, say the fp32 one")
    ap.add_argument("--threshold", type=float)
    ap.add_argument("--limit", type=int, default=0)
    ap.add_argument("--missed", action="store_true", help="name the photos with a missed plate")
    args = ap.parse_args()
    w, h = map(int, args.size.split("x")) if args.size else (None, None)
    cv2.setNumThreads(1)
    detector = Detector(args.models, w, h, model=args.model)
    labels = Path(args.labels)
    n = cap = top = extra = photos = 0
    overlaps, errors, tall, wide, times, confident = [], [], [], [], [], []
    for line in list(open(labels))[:args.limit or None]:
        row = json.loads(line)
        image = cv2.imread(str(labels.parent / row["image"]))
        photos += 1
        t = time.perf_counter()
        found = detector.detect(image, args.threshold)
        times.append(time.perf_counter() - t)
        boxes = np.array([f[1] for f in found], float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        used = set()
        for p in row["plates"]:
            n += 1
            x, y, pw, ph = p["box"]
            o = iou(np.array([x, y, x + pw, y + ph]), boxes) if len(boxes) else np.zeros(0)
            used |= set(np.flatnonzero(o >= 0.3))
            top += bool(len(o) and o[0] >= 0.3)
            if not len(o) or o.max() < 0.3:
                if args.missed:
                    print("missed", row["image"], p["box"])
                continue
            cap += 1
            k = int(o.argmax())
            overlaps.append(o[k])
            confident.append(found[k][0])
            tall.append((boxes[k, 3] - boxes[k, 1]) / ph)
            wide.append((boxes[k, 2] - boxes[k, 0]) / pw)
            if "corners" in p:
                q = np.array(p["corners"], float)
                height = (np.linalg.norm(q[3] - q[0]) + np.linalg.norm(q[2] - q[1])) / 2
                errors.append(np.linalg.norm(found[k][2] - q, axis=1).mean() / height)
        extra += len(found) - len(used)
    out = {"plates": n, "capture": cap / n, "top1": top / n, "iou": np.mean(overlaps), "taller": np.median(tall), "wider": np.median(wide),
           "confidence10": np.percentile(confident, 10), "extra": extra / photos, "ms": 1e3 * np.median(times)}
    if errors:
        out |= {"corners": np.mean(errors), "corners50": np.median(errors), "corners90": np.percentile(errors, 90)}
    print(json.dumps({k: round(float(v), 4) for k, v in out.items()}))


if __name__ == "__main__":
    main()
