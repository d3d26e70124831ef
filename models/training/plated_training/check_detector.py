"""Measures the exported detector on a folder of labelled photos.

python -m plated_training.check_detector --models DIR --labels DIR/labels.jsonl
python -m plated_training.check_detector --models DIR --shard SHARD.npz      made scenes, exact corners

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


def photos(labels):
    for line in open(labels):
        row = json.loads(line)
        yield row["image"], cv2.imread(str(Path(labels).parent / row["image"])), row["plates"]


def scenes(shard):
    """A shard's scenes with the plates that are to be found in them."""
    z = np.load(shard)
    for i, (a, b) in enumerate(zip([0, *z["ends"][:-1]], z["ends"])):
        plates = []
        for p in z["plates"][z["plates"][:, 0] == i]:
            if not p[15]:
                x0, y0, x1, y1 = (float(v) for v in p[1:5])
                plates.append({"box": [x0, y0, x1 - x0, y1 - y0]} | ({"corners": p[5:13].reshape(4, 2)} if p[13] else {}))
        yield i, cv2.imdecode(z["bytes"][a:b], cv2.IMREAD_COLOR), plates


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--models", required=True)
    ap.add_argument("--labels")
    ap.add_argument("--shard")
    ap.add_argument("--size", default="")
    ap.add_argument("--model", help="another ONNX file with the same interface, say the fp32 one")
    ap.add_argument("--threshold", type=float)
    ap.add_argument("--limit", type=int, default=0)
    ap.add_argument("--missed", action="store_true", help="name the photos with a missed plate")
    args = ap.parse_args()
    w, h = map(int, args.size.split("x")) if args.size else (None, None)
    cv2.setNumThreads(1)
    detector = Detector(args.models, w, h, model=args.model)
    n = cap = top = extra = images = 0
    overlaps, errors, tall, wide, times, confident = [], [], [], [], [], []
    for name, image, plates in scenes(args.shard) if args.shard else photos(args.labels):
        if args.limit and images == args.limit:
            break
        images += 1
        t = time.perf_counter()
        found = detector.detect(image, args.threshold)
        times.append(time.perf_counter() - t)
        boxes = np.array([f[1] for f in found], float).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        used = set()
        for p in plates:
            n += 1
            x, y, pw, ph = p["box"]
            o = iou(np.array([x, y, x + pw, y + ph]), boxes) if len(boxes) else np.zeros(0)
            used |= set(np.flatnonzero(o >= 0.3))
            top += bool(len(o) and o[0] >= 0.3)
            if not len(o) or o.max() < 0.3:
                if args.missed:
                    print("missed", name, p["box"])
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
           "confidence10": np.percentile(confident, 10), "extra": extra / images, "ms": 1e3 * np.median(times)}
    if errors:
        out |= {"corners": np.mean(errors), "corners50": np.median(errors), "corners90": np.percentile(errors, 90)}
    print(json.dumps({k: round(float(v), 4) for k, v in out.items()}))


if __name__ == "__main__":
    main()
