"""Read plates with the exported reader and onnxruntime. The daemon does exactly this, in Rust.

Crop of a found plate: its corners pushed outward by the sidecar's margins,
cv2.getPerspectiveTransform to the input size, cv2.warpPerspective with
INTER_LINEAR and BORDER_REPLICATE; a plate of more than twice the input's width is first
reduced to that by area, with what lies around it. Crop of a whole image: cv2.resize, INTER_AREA
when it shrinks in width, else INTER_LINEAR.

Text: of the most probable texts (a class for each slot, blanks left out, the product
over all slots of their probabilities), the best after the syntax prior (prior.py).
Confidence: its probability then.
"""
import hashlib
import os
import tomllib

import cv2
import numpy as np
import onnxruntime as ort

from . import prior


MAX_SHRINK = 2.0  # pixels of a plate for one of the reader's, at most, between which pixels are interpolated

# A look of a confidence between these is cut out again, with margins that are that much wider, and read as the mean of all.
DOUBTFUL = 0.05, 0.9
AGAIN = (-0.03, -0.04), (0.04, 0.04)


class Reader:
    def __init__(self, models, name="reader", threads=1):
        with open(os.path.join(models, f"{name}.toml"), "rb") as f:
            self.card = tomllib.load(f)
        path = os.path.join(models, self.card["file"])
        with open(path, "rb") as f:
            if hashlib.sha256(f.read()).hexdigest() != self.card["sha256"]:
                raise ValueError(f"{path} is not the file its sidecar describes")
        o = ort.SessionOptions()
        o.intra_op_num_threads = threads
        self.session = ort.InferenceSession(path, o, providers=["CPUExecutionProvider"])
        i, out = self.card["input"], self.card["output"]
        self.size, self.margin, self.input = (i["width"], i["height"]), i["margin"], i["name"]
        self.outputs = [out["slots"], out["state"]]
        self.alphabet, self.states = out["alphabet"], out["states"]
        self.forms = prior.load()

    def crop_corners(self, image, corners, margin=None):
        w, h = self.size
        mx, my = self.margin if margin is None else margin
        q = np.asarray(corners, np.float64)
        right = (q[1] - q[0] + q[2] - q[3]) / 2 * mx
        down = (q[3] - q[0] + q[2] - q[1]) / 2 * my
        q = q + np.array([-right - down, right - down, right + down, -right + down])
        factor = MAX_SHRINK * w / max(np.linalg.norm(q[1] - q[0]), np.linalg.norm(q[2] - q[3]), 1)
        if factor < 1:
            image, q = reduced(image, q, factor)
        m = cv2.getPerspectiveTransform(q.astype(np.float32), np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32))
        return cv2.warpPerspective(image, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def crop_whole(self, image):
        shrink = image.shape[1] > self.size[0]
        return cv2.resize(image, self.size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)

    def run(self, crops):
        """uint8 BGR crops -> (slots [N,S,37], state [N,52])."""
        return self.session.run(self.outputs, {self.input: np.ascontiguousarray(np.stack(crops))})

    def read(self, crops, candidates=5):
        if not len(crops):
            return []
        slots, state = self.run(crops)
        return [self.settle(s, t, candidates) for s, t in zip(slots, state)]

    def read_corners(self, image, plates):
        """Reads of the plates with these corners."""
        crops = [self.crop_corners(image, c) for c in plates]
        return self.looks(image, crops, plates, self.margin)

    def read_whole(self, image):
        """The read of an image that is the plate."""
        h, w = image.shape[:2]
        return self.looks(image, [self.crop_whole(image)], [[[0, 0], [w, 0], [w, h], [0, h]]], (0, 0))[0]

    def looks(self, image, crops, plates, margin, candidates=5):
        if not len(crops):
            return []
        out = []
        for slots, state, corners in zip(*self.run(crops), plates):
            read = self.settle(slots, state, candidates)
            if DOUBTFUL[0] <= read["confidence"] <= DOUBTFUL[1]:
                again, _ = self.run([self.crop_corners(image, corners, np.add(margin, m)) for m in AGAIN])
                read = self.settle(mean([slots, *again], self.alphabet), state, candidates)
            out.append(read)
        return out

    def settle(self, slots, state, candidates):
        name, sure = self.states[int(state.argmax())], float(state.max())
        floored = np.maximum(prior.fold(slots, self.alphabet), prior.FLOOR)
        read = decode(floored / floored.sum(1, keepdims=True), self.alphabet, candidates)
        ranked = prior.rank(self.forms, [(c["text"], c["confidence"]) for c in read["candidates"]], name if sure >= prior.LIKELY else "")
        if ranked:
            read = {"text": ranked[0][0], "confidence": ranked[0][1],
                    "candidates": [{"text": t, "confidence": round(p, 6)} for t, p in ranked]}
        return read | {"state": name, "state_confidence": round(sure, 4)}


def reduced(image, q, factor):
    """The part of `image` around the corners `q`, scaled by about `factor`, and the corners in it."""
    h, w = image.shape[:2]
    x0, y0 = np.clip(np.floor(q.min(0)), 0, [w, h]).astype(int)
    x1, y1 = np.clip(np.ceil(q.max(0)) + 1, 0, [w, h]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return image, q
    size = max(1, round((x1 - x0) * factor)), max(1, round((y1 - y0) * factor))
    part = cv2.resize(image[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    return part, (q - (x0, y0) + 0.5) * size / np.array([x1 - x0, y1 - y0]) - 0.5


def mean(looks, alphabet):
    """Several cuts of one picture as one look: the mean of the logarithms, made to sum to one."""
    logs = np.mean([np.log(np.maximum(prior.fold(s, alphabet), prior.FLOOR)) for s in looks], 0)
    p = np.exp(logs - logs.max(1, keepdims=True))
    return (p / p.sum(1, keepdims=True)).astype(np.float32)


def decode(slots, alphabet, candidates=5):
    """Slot distributions [S, classes] -> text, confidence and the most probable texts."""
    beam = [(1.0, "")]
    for p in slots:
        best = np.argsort(-p)[:4]
        grown = {}
        for c, t in beam:
            for k in best:
                u = t + (alphabet[k] if k else "")
                grown[u] = max(grown.get(u, 0.0), c * float(p[k]))
        beam = sorted(((c, t) for t, c in grown.items()), reverse=True)[:max(candidates, 8)]
    ids = slots.argmax(1)
    text = "".join(alphabet[k] for k in ids if k)
    return {"text": text, "confidence": float(np.prod(slots.max(1), dtype=np.float64)),
            "candidates": [{"text": t, "confidence": round(c, 6)} for c, t in beam[:candidates]]}
