"""Finding plates with the exported detector: onnxruntime, OpenCV and numpy only.

The daemon does the same steps; what is written here about them is the reference.

Preparation: the image is scaled by the one factor s = min(W / w, H / h) to
round(w s) x round(h s) pixels, placed at the top left of a canvas whose sides are the
next multiples of 8, and the rest filled with 114.  cv2.resize interpolates linearly (INTER_LINEAR), but by area
(INTER_AREA) where s < 0.5: beyond that, linear interpolation skips pixels, and at
0.5 exactly the two agree.  Coordinates found are divided by s.

Maps: for each cell a logit of its heat, four logarithms of distances and eight places
of corners within the box; `split` says what they stand for. The daemon works out what it
needs of the cells with plates only.

Decoding: cells whose heat is at least the threshold and the maximum of their 3x3
neighbourhood, most confident first; a box that overlaps a kept one by IoU > 0.45 is
dropped; at most 32 are kept.
"""

import hashlib
import tomllib
from pathlib import Path

import cv2
import numpy as np

GREY = 114
MOST = 32
# A find of more than NEAR of the picture's width is looked for again on a small canvas with a frame of grey, and what is
# found there counts from MIN_NEAR on.
NEAR, MIN_NEAR = 0.33, 0.25
NEAR_CANVAS = 192, 192, 48
STEP = 8            # the network halves three times before it looks for plates


def prepare(image, width, height, margin=0):
    """(uint8 canvas of at most height x width x 3, and a frame of `margin`, s)."""
    h, w = image.shape[:2]
    s = min(width / w, height / h)
    size = (min(width, max(1, int(w * s + 0.5))), min(height, max(1, int(h * s + 0.5))))
    how = cv2.INTER_AREA if s < 0.5 else cv2.INTER_LINEAR
    canvas = np.full((*(-(-(n + 2 * margin) // STEP) * STEP for n in size[::-1]), 3), GREY, np.uint8)
    canvas[margin:margin + size[1], margin:margin + size[0]] = image if size == (w, h) else cv2.resize(image, size, interpolation=how)
    return canvas, s


def iou(a, b):
    """IoU of boxes x0 y0 x1 y1, a [4] with b [K,4]."""
    w = np.minimum(a[2], b[:, 2]) - np.maximum(a[0], b[:, 0])
    h = np.minimum(a[3], b[:, 3]) - np.maximum(a[1], b[:, 1])
    inter = np.maximum(w, 0) * np.maximum(h, 0)
    return inter / np.maximum(1e-9, (a[2] - a[0]) * (a[3] - a[1]) + (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) - inter)


def split(maps, stride=8):
    """Maps [h, w, 13] to heat [1, h, w], distances left, top, right, bottom [4, h, w] and offsets of corners [8, h, w]
    from the cells' centres, in pixels of the canvas."""
    raw = maps.transpose(2, 0, 1)
    box = np.exp(raw[1:5].clip(-3, 5)) * np.float32(stride)
    size, origin = np.concatenate([box[:2] + box[2:]] * 4), np.concatenate([box[:2]] * 4)
    return 1 / (1 + np.exp(-raw[:1])), box, raw[5:] * size - origin


def decode(heat, box, corners, stride=8, threshold=0.3, nms_iou=0.45):
    """Maps of one image [1|4|8, h, w] to (confidence [K], boxes x0 y0 x1 y1 [K,4], corners [K,4,2])."""
    p = heat[0]
    gh, gw = p.shape
    padded = np.full((gh + 2, gw + 2), -1.0, p.dtype)
    padded[1:-1, 1:-1] = p
    around = np.max([padded[j:j + gh, i:i + gw] for j in range(3) for i in range(3)], 0)
    ys, xs = np.nonzero((p >= threshold) & (p >= around))
    order = np.argsort(-p[ys, xs], kind="stable")
    ys, xs = ys[order], xs[order]
    cx, cy = (xs + 0.5) * stride, (ys + 0.5) * stride
    d = box[:, ys, xs]
    boxes = np.stack([cx - d[0], cy - d[1], cx + d[2], cy + d[3]], 1)
    kept = []
    for i in range(len(boxes)):
        if len(kept) == MOST:
            break
        if not kept or (iou(boxes[i], boxes[kept]) <= nms_iou).all():
            kept.append(i)
    c = corners[:, ys, xs].T.reshape(-1, 4, 2) + np.stack([cx, cy], 1)[:, None]
    return p[ys, xs][kept], boxes[kept], c[kept]


def load_sidecar(path):
    """The model's sidecar, its file checked against the hash in it."""
    path = Path(path)
    side = tomllib.loads(path.read_text())
    if side["format"] != "plated-detector-1":
        raise ValueError(f"{path}: format {side['format']!r} is not known here")
    model = path.parent / side["file"]
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    if digest != side["sha256"]:
        raise ValueError(f"{model}: its SHA-256 is {digest}, {path.name} says {side['sha256']}")
    return side, model


class Detector:
    def __init__(self, models_dir, width=None, height=None, threads=1, model=None):
        """models_dir holds detector.toml; width, height (multiples of 8) and model override it."""
        import onnxruntime
        side, path = load_sidecar(Path(models_dir) / "detector.toml")
        self.width, self.height = width or side["input"]["width"], height or side["input"]["height"]
        if self.width % STEP or self.height % STEP:
            raise ValueError(f"the detector's width and height must be multiples of {STEP}")
        self.stride, self.threshold, self.nms_iou = side["output"]["stride"], side["decode"]["threshold"], side["decode"]["nms_iou"]
        self.input = side["input"]["name"]
        self.output = side["output"]["maps"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model or path), options, providers=["CPUExecutionProvider"])

    def maps(self, canvas):
        """heat, box and corner maps of one canvas."""
        return split(self.session.run([self.output], {self.input: canvas[None]})[0][0], self.stride)

    def detect(self, image, threshold=None):
        """[(confidence, [x, y, w, h], corners 4x2)], most confident first, in the image's pixels."""
        found = self.look(image, (self.width, self.height, 0), threshold)
        width = image.shape[1]
        if not any(b[2] > NEAR * width for _, b, _ in found):
            return found
        near = [f for f in self.look(image, NEAR_CANVAS, threshold) if f[1][2] > MIN_NEAR * width]
        far = [f for f in found if not any(holds(n[1], f[1]) or holds(f[1], n[1]) for n in near)]
        return sorted(near + far, key=lambda f: -f[0])[:MOST]

    def look(self, image, canvas, threshold):
        width, height, margin = canvas
        pixels, s = prepare(image, width, height, margin)
        conf, boxes, corners = decode(*self.maps(pixels), self.stride, self.threshold if threshold is None else threshold, self.nms_iou)
        h, w = image.shape[:2]
        found = []
        for c, b, q in zip(conf, (boxes - margin) / s, (corners - margin) / s):
            x0, y0, x1, y1 = np.clip(b, 0, [w, h, w, h])
            if x1 > x0 and y1 > y0:
                found.append((float(c), [float(x0), float(y0), float(x1 - x0), float(y1 - y0)], q))
        return found


def holds(box, other):
    """Whether the middle of `other` lies in the box."""
    x, y = other[0] + other[2] / 2, other[1] + other[3] / 2
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]
