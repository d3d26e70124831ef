"""How the region around a plate is cut for the vehicle model, and what its answers say. The daemon does the same."""
import tomllib
from math import floor
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

# The unit is the root of the plate's area, some 22 cm with plates of the USA and of Europe alike.
SIZE = 192  # pixels of the square
SIDE = 7.6  # of the square, in units
ABOVE = 4.9  # of it above the plate's centre
GREY = 114  # beyond the frame


def region(corners, aspect=1.0, side=SIDE, above=ABOVE):
    """(left, top, width, height) of the region around a plate, in pixels of the frame."""
    c = np.asarray(corners, np.float32).reshape(-1, 2)
    following = np.roll(c, -1, 0)
    area = abs((c[:, 0] * following[:, 1] - following[:, 0] * c[:, 1]).sum()) / 2
    unit = (area * aspect) ** 0.5
    x, y = c.mean(0)
    width = side * unit / aspect
    return x - width / 2, y - above * unit, width, side * unit


def whole(n):
    return floor(n + 0.5)


def cut(image, area, size):
    """The region as a square of `size` pixels; what lies beyond the frame is grey."""
    x, y, w, h = area
    height, width = image.shape[:2]
    x0, y0 = max(0, whole(x)), max(0, whole(y))
    x1, y1 = min(width, whole(x + w)), min(height, whole(y + h))
    out = np.full((size, size, 3), GREY, np.uint8)
    u0, u1 = (min(max(whole((at - x) * size / w), 0), size) for at in (x0, x1))
    v0, v1 = (min(max(whole((at - y) * size / h), 0), size) for at in (y0, y1))
    if x1 > x0 and y1 > y0 and u1 > u0 and v1 > v0:
        shrinks = x1 - x0 >= u1 - u0 and y1 - y0 >= v1 - v0
        out[v0:v1, u0:u1] = cv2.resize(image[y0:y1, x0:x1], (u1 - u0, v1 - v0), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return out


def box_corners(box):
    x, y, w, h = box
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]


class Vehicle:
    """The exported model: four distributions of each square, by name."""

    def __init__(self, sidecar):
        with open(sidecar, "rb") as f:
            self.sidecar = tomllib.load(f)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        path = Path(sidecar).parent / self.sidecar["file"]
        self.session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def look(self, squares):
        heads = ("class", "colour", "make", "side")
        names = [self.sidecar[h]["output"] for h in heads]
        return dict(zip(heads, self.session.run(names, {self.sidecar["input"]["name"]: squares})))

    def answer(self, head, probabilities):
        """The word and its probability; "" for what can't be told."""
        best = int(probabilities.argmax())
        word = self.sidecar[head]["labels"][best]
        says = word and probabilities[best] >= self.sidecar[head]["least"]
        return (word if says else ""), float(probabilities[best])
