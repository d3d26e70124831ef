"""Scenes for training the detector, and shards of them on disk.

Four kinds, mixed:
  real      photos with their own plates: boxes, no corners
  replaced  photos whose plates gave way to rendered ones: a vehicle's true
            surroundings, with exact corners
  drawn     drawn vehicles on drawn streets or photos, by day and night
  floating  rendered plates anywhere on photos: whatever is around them
All take distractors (negatives.py) and a camera's damage.

python -m plated_training.scenes --photos DIR --out DIR --count N --seed S
"""

import argparse
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from . import cars, geometry, negatives
from .photos import Photos

KINDS = ("real", "replaced", "drawn", "floating")
MIX = (0.40, 0.30, 0.20, 0.10)
MIN_WIDTH = 15           # narrower plates are neither sought nor punished
GREY = 114               # what fills the canvas beyond the photo, in training and in use


@dataclass
class Scene:
    image: np.ndarray
    kind: str
    clean: float = 1.0                             # trust that unlabelled places hold no plate
    boxes: list = field(default_factory=list)      # x0 y0 x1 y1
    quads: list = field(default_factory=list)      # 4x2, or None where only the box is known
    box_weight: list = field(default_factory=list)
    ignore: list = field(default_factory=list)     # True: neither sought nor punished

    def add(self, box, quad=None, weight=1.0, ignore=False):
        h, w = self.image.shape[:2]
        x0, y0, x1, y1 = box
        seen = max(0, min(x1, w) - max(x0, 0)) * max(0, min(y1, h) - max(y0, 0))
        share = seen / max(1e-6, (x1 - x0) * (y1 - y0))
        if share < 0.05:
            return
        ignore = bool(ignore or share < 0.8 or x1 - x0 < MIN_WIDTH or y1 - y0 < 5)
        if quad is None:
            box = np.clip(box, 0, [w, h, w, h])
        self.boxes.append(np.float32(box))
        self.quads.append(quad)
        self.box_weight.append(weight)
        self.ignore.append(ignore)


def target_width(rng, w):
    """Widths of plates: most of them as a patrol camera sees them, some very large."""
    if rng.random() < 0.12:
        return rng.uniform(0.35, 0.75) * w
    return float(np.exp(rng.uniform(np.log(18), np.log(170))))


def crop_photo(rng, image, boxes, main, w, h, width=None, cover=False):
    """Scales and crops a photo so that plate `main` gets its width and lies inside the canvas.

    Returns the canvas, the boxes in it and the canvas' share that the photo fills.
    cover: scale up as far as needed to fill the canvas.
    """
    ih, iw = image.shape[:2]
    if width is None and rng.random() < 0.3:
        s = min(w / iw, h / ih) * rng.uniform(0.9, 1.5)          # the whole photo, as in use
    else:
        x0, _, x1, _ = boxes[main]
        s = np.clip((width or target_width(rng, w)) / (x1 - x0), 0.08, 3.0)
    if cover:
        s = max(s, 1.08 * w / iw, 1.08 * h / ih)
    sx, sy = s * rng.uniform(0.93, 1.07), s
    box = boxes[main] * np.float32([sx, sy, sx, sy])

    def place(low, high, size, room):
        # Where the canvas begins in the scaled photo: photo covering if it can, plate inside.
        a, b = min(0, room - size), max(0, room - size)
        inside = max(a, high - size + 4), min(b, low - 4)
        if inside[0] < inside[1]:
            a, b = inside
        return rng.uniform(a, b)

    ox, oy = place(box[0], box[2], w, iw * sx), place(box[1], box[3], h, ih * sy)
    cx0, cy0 = max(0, int(ox / sx)), max(0, int(oy / sy))
    cx1, cy1 = min(iw, int(np.ceil((ox + w) / sx)) + 1), min(ih, int(np.ceil((oy + h) / sy)) + 1)
    cut = image[cy0:cy1, cx0:cx1]
    size = (max(1, int(round((cx1 - cx0) * sx))), max(1, int(round((cy1 - cy0) * sy))))
    how = cv2.INTER_AREA if s < 0.5 else cv2.INTER_LINEAR
    cut = cv2.resize(cut, size, interpolation=how)
    canvas = np.empty((h, w, 3), np.uint8)
    canvas[:] = GREY if rng.random() < 0.8 else rng.integers(0, 256, 3)
    dx, dy = int(round(cx0 * sx - ox)), int(round(cy0 * sy - oy))
    x0, y0 = max(0, dx), max(0, dy)
    x1, y1 = min(w, dx + size[0]), min(h, dy + size[1])
    region = (slice(y0, y1), slice(x0, x1))
    canvas[region] = cut[y0 - dy:y1 - dy, x0 - dx:x1 - dx]
    shift = np.float32([dx - cx0 * sx, dy - cy0 * sy] * 2)
    return canvas, boxes * np.float32([sx, sy, sx, sy]) + shift, region


class SceneMaker:
    def __init__(self, photos, plate, mix=MIX):
        """photos: Photos; plate: f(rng) -> (flat frontal plate BGR, its mask or None); None: real photos only."""
        self.photos, self.plate = photos, plate
        mix = np.array(mix if plate is not None else (1.0, 0, 0, 0))
        self.mix = mix / mix.sum()

    def make(self, rng, w=416, h=256, kind=None):
        kind = kind or str(rng.choice(KINDS, p=self.mix))
        scene = getattr(self, "_" + kind)(rng, w, h)
        taken = [np.asarray(b) for b in scene.boxes]
        for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.45, 0.3, 0.17, 0.08]))):
            # Over an incompletely labelled photo a distractor may cover a plate: no harm.
            negatives.add_negative(rng, scene.image, taken)
        scene.image = camera(rng, scene.image)
        return scene

    def _view(self, rng, photo, boxes, main, w, h):
        """A photo scaled for plate `main`; where it leaves room, often a stretch of another."""
        image, boxes, region = crop_photo(rng, photo, boxes, main, w, h)
        filled = (region[0].stop - region[0].start) * (region[1].stop - region[1].start)
        if filled < 0.9 * w * h and rng.random() < 0.6:
            around, _ = self._background(rng, w, h)
            around[region] = image[region]
            image = around
        return image, boxes

    def _real(self, rng, w, h):
        s, photo, boxes, keep = self.photos.draw(rng)
        main = int(rng.choice(np.flatnonzero(keep)))
        image, boxes = self._view(rng, photo, boxes, main, w, h)
        scene = Scene(image, "real", 1.0 if s.complete else 0.15)
        for box, k in zip(boxes, keep):
            scene.add(box, None, s.box_weight, not k)
        return scene

    def _replaced(self, rng, w, h):
        s, photo, boxes, keep = self.photos.draw(rng)
        main = int(rng.choice(np.flatnonzero(keep)))
        image, boxes = self._view(rng, photo, boxes, main, w, h)
        scene = Scene(image, "replaced", 1.0 if s.complete else 0.15)
        for box, k in zip(boxes, keep):
            x0, y0, x1, y1 = box
            c = np.clip([(x0 + x1) / 2, (y0 + y1) / 2], 0, [w - 1, h - 1])
            local = image[max(0, int(y0)):int(y1) + 1, max(0, int(x0)):int(x1) + 1]
            if not k or not local.size or x1 - x0 < 8:
                scene.add(box, None, 0, True)
                continue
            light = local.mean()
            geometry.erase_box(image, box)
            width = (x1 - x0) * rng.uniform(0.78, 1.1)
            if (x1 - x0) > 2.6 * (y1 - y0):           # a long European plate: ours is taller, and not so wide
                width = max((y1 - y0) * 2.2, (x1 - x0) * rng.uniform(0.6, 0.9))
            self._put(rng, scene, geometry.plate_quad(rng, c, width), light)
        return scene

    def _drawn(self, rng, w, h):
        if rng.random() < 0.6:
            image = cars.draw_street(rng, w, h, night=(night := rng.random() < 0.3))
            clean = 1.0
        else:
            image, clean = self._background(rng, w, h)
            night = image.mean() < 60
        scene = Scene(image, "drawn", clean)
        placed = []
        widths = np.sort([np.exp(rng.uniform(np.log(18), np.log(130))) / cars.PLATE_SHARE for _ in range(int(rng.integers(1, 4)))])
        for width in np.minimum(widths, 1.6 * w):
            view = "rear" if rng.random() < 0.65 else "front"
            car = cars.draw_car(rng, int(max(80, min(width, 900))), view=view, lit=night or rng.random() < 0.25)
            ch, cw = car.image.shape[:2]
            yaw = np.clip(rng.normal(0, 18), -45, 45)
            quad = geometry.project_quad((cw / 2, ch / 2), cw, cw / ch, yaw, rng.normal(0, 4), rng.normal(0, 1.5), rng.uniform(2, 6))
            src = np.float32([[0, 0], [cw, 0], [cw, ch], [0, ch]])
            warp = cv2.getPerspectiveTransform(src, quad)
            gain = rng.uniform(0.25, 0.5) if night else rng.uniform(0.6, 1.15)
            car.image = np.clip(car.image * gain, 0, 255).astype(np.uint8)
            mid = car.plate.mean(0) * (width / cw)
            x = rng.uniform(0.1, 0.9) * w - mid[0] + width / 2
            y = rng.uniform(0.25, 0.92) * h - mid[1] + ch * width / cw
            at = cars.put_car(scene.image, car, x, y, width, warp)
            hull = np.concatenate([[x - width / 2, y - ch * width / cw], [x + width / 2, y]])
            for i, b in enumerate(scene.boxes):       # plates behind this car are hidden or cut
                if negatives.clashes(b, [hull], 0):
                    scene.ignore[i] = True
            placed.append(hull)
            if rng.random() < 0.12:                   # no plate at all, or a blank one
                if rng.random() < 0.6:
                    geometry.paste_quad(scene.image, negatives.blank_plate(rng), at)
                continue
            self._put(rng, scene, at, rng.uniform(70, 200) if night else gain * rng.uniform(110, 200), recess=False)
        return scene

    def _floating(self, rng, w, h):
        image, clean = self._background(rng, w, h)
        scene = Scene(image, "floating", clean)
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.15, 0.45, 0.25, 0.15]))):
            width = target_width(rng, w)
            c = (rng.uniform(0.05, 0.95) * w, rng.uniform(0.05, 0.95) * h)
            quad = geometry.plate_quad(rng, c, width, steep=1.2)
            if negatives.clashes(geometry.quad_box(quad), scene.boxes):
                continue
            self._put(rng, scene, quad, rng.uniform(60, 210))
        return scene

    def _background(self, rng, w, h):
        """A stretch of a photo with its labelled plates erased, or a drawn street."""
        if rng.random() < 0.2:
            return cars.draw_street(rng, w, h, night=rng.random() < 0.3), 1.0
        s, photo, boxes, keep = self.photos.draw(rng)
        image, boxes, _ = crop_photo(rng, photo, boxes, 0, w, h, width=rng.uniform(15, 90), cover=True)
        for b in boxes:
            geometry.erase_box(image, b)
        return (image[:, ::-1].copy() if rng.random() < 0.3 else image), (1.0 if s.complete else 0.3)

    def _put(self, rng, scene, quad, light, recess=True):
        """Renders a plate on `quad`, about as bright as `light`, and labels it."""
        patch, mask = self.plate(rng)
        image = scene.image
        # The place is for 12 by 6 inches; motorcycle plates and others have another aspect.
        quad = geometry.scale_quad(quad, 1.0, 2.0 * patch.shape[0] / patch.shape[1])
        gain = np.clip(light / max(20.0, patch.mean()) * rng.uniform(0.85, 1.25), 0.25, 1.35)
        slope = np.linspace(1 + (a := rng.uniform(-.15, .15)), 1 - a, patch.shape[1])[None, :, None]
        patch = np.clip(patch * (gain * slope), 0, 255).astype(np.uint8)
        edge = rng.random()
        if recess and edge < 0.45:
            geometry.fill_quad(image, geometry.scale_quad(quad, rng.uniform(1.05, 1.35), rng.uniform(1.1, 1.6)),
                               np.full(3, rng.uniform(8, 90)), rng.uniform(0.4, 1))
        if edge > 0.6:                                # a dealer's frame around it
            colour = rng.choice([rng.uniform(5, 50), rng.uniform(120, 220)]) + rng.uniform(-8, 8, 3)
            geometry.fill_quad(image, geometry.scale_quad(quad, rng.uniform(1.02, 1.06), rng.uniform(1.03, 1.12)), colour)
            ph, pw = patch.shape[:2]
            top, low, side = (int(ph * rng.uniform(0, f)) for f in (.13, .16, .05))
            patch[:top], patch[ph - low:] = colour, colour
            patch[:, :side], patch[:, pw - side:] = colour, colour
            for band, y in ((top, top), (low, ph)):
                if band > ph * .07 and rng.random() < .7:
                    cv2.putText(patch, negatives.words(rng)[:14], (int(pw * .2), y - band // 5), cv2.FONT_HERSHEY_DUPLEX,
                                band / 32, tuple(int(v) for v in 255 - colour), max(1, band // 14), cv2.LINE_AA)
        geometry.paste_quad(image, patch, quad, mask)
        if rng.random() < 0.06:                       # a tow ball, a bike rack, a bar across it
            x = rng.uniform(quad[:, 0].min(), quad[:, 0].max())
            cv2.line(image, (int(x), int(quad[:, 1].min() - 5)), (int(x + rng.normal(0, 6)), int(quad[:, 1].max() + 8)),
                     (int(rng.integers(10, 120)),) * 3, max(1, int((quad[:, 0].max() - quad[:, 0].min()) * .06)), cv2.LINE_AA)
        scene.add(geometry.quad_box(quad), quad)


def camera(rng, image):
    """What a camera does to a scene: exposure, colour, blur, noise, compression."""
    x = image.astype(np.float32)
    if rng.random() < 0.7:
        x = 255 * (x / 255) ** np.exp(rng.normal(0, 0.3))
        x = x * rng.uniform(0.7, 1.2) + rng.uniform(-15, 20)
    if rng.random() < 0.3:
        x = x * (1 + rng.normal(0, 0.08, 3))
    if rng.random() < 0.10:                           # infrared or monochrome camera
        x = np.repeat(x.mean(2, keepdims=True), 3, 2) * rng.uniform(0.5, 1.2)
    if rng.random() < 0.18:
        n = int(rng.integers(2, 8))
        k = np.zeros((n, n), np.float32)
        t = np.clip(rng.normal(0, .35), -1, 1) * (n - 1) / 2
        cv2.line(k, (0, int(round((n - 1) / 2 - t))), (n - 1, int(round((n - 1) / 2 + t))), 1.0)
        x = cv2.filter2D(x, -1, k / k.sum(), borderType=cv2.BORDER_REPLICATE)
    elif rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.5))
    if rng.random() < 0.4:
        x = x + rng.standard_normal(x.shape, dtype=np.float32) * rng.uniform(1, 11)
    x = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])[1], cv2.IMREAD_COLOR)
    return x


def pack(scenes):
    """One shard: images as JPEG bytes end to end, labels as one padded table."""
    blobs = [cv2.imencode(".jpg", s.image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1] for s in scenes]
    rows = []
    for i, s in enumerate(scenes):
        for box, quad, weight, ignore in zip(s.boxes, s.quads, s.box_weight, s.ignore):
            corners = np.zeros(8) if quad is None else np.asarray(quad).ravel()
            rows.append([i, *box, *corners, quad is not None, weight, ignore])
    return dict(bytes=np.concatenate(blobs), ends=np.cumsum([len(b) for b in blobs]),
                clean=np.float32([s.clean for s in scenes]), plates=np.float32(rows).reshape(-1, 16))


def default_plate():
    """The package's own generator, or None while it is not there."""
    try:
        from .plates import render_plate
    except ImportError:
        return None

    def plate(rng):
        p = render_plate(rng)
        return p.image, getattr(p, "mask", None)
    return plate


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--photos", required=True, help="folder with the photo sets (shared/data/train)")
    ap.add_argument("--out", required=True)
    ap.add_argument("--count", type=int, default=100, help="shards in all; those already there are kept")
    ap.add_argument("--size", type=int, default=256, help="scenes a shard")
    ap.add_argument("--canvas", default="416x256")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--prefix", default="s", help="start of the shards' names, one for each kind of run")
    args = ap.parse_args()
    from tqdm import tqdm
    cv2.setNumThreads(1)
    w, h = map(int, args.canvas.split("x"))
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    maker = SceneMaker(Photos(args.photos), default_plate())
    for k in tqdm(range(args.count), desc="shards"):
        path = out / f"{args.prefix}{args.seed:02d}-{w}x{h}-{k:05d}.npz"
        if path.exists():
            continue
        # Every scene's randomness comes from (seed, shard, index): a cut-off run goes on alike.
        scenes = [maker.make(np.random.default_rng([args.seed, k, i]), w, h) for i in range(args.size)]
        tmp = path.with_suffix(".tmp")
        with open(tmp, "wb") as f:
            np.savez(f, **pack(scenes))
        os.replace(tmp, path)


if __name__ == "__main__":
    main()
