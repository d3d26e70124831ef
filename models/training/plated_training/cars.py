"""Drawn vehicles, seen from behind or from the front, and simple streets.

Not likenesses: shapes, lamps, glass, chrome and badges around the place where a
plate belongs, so that a plate's surroundings look like a vehicle's.  The detector's
synthetic scenes and the patrol-drive fixture both use them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

PLATE_SHARE = 0.165      # a 12 inch plate on a 6 foot car
PAINTS = ((235, 235, 235), (200, 200, 200), (150, 152, 155), (90, 92, 95), (30, 30, 32), (15, 15, 18), (40, 35, 130),
          (30, 30, 180), (120, 60, 25), (170, 110, 60), (70, 90, 40), (150, 190, 205), (60, 110, 150), (25, 130, 200))
KINDS = ("sedan", "suv", "hatch", "pickup", "van")
HEIGHT = {"sedan": 0.78, "suv": 0.96, "hatch": 0.84, "pickup": 0.98, "van": 1.12}


@dataclass
class Car:
    image: np.ndarray     # HxWx3 BGR
    alpha: np.ndarray     # HxW
    plate: np.ndarray     # 4x2 corners of the plate's place in the image


def _poly(img, alpha, pts, colour):
    pts = np.round(np.asarray(pts) * 16).astype(np.int32)
    cv2.fillPoly(img, [pts], tuple(int(np.clip(v, 0, 255)) for v in colour), cv2.LINE_AA, 4)
    if alpha is not None:
        cv2.fillPoly(alpha, [pts], 255, cv2.LINE_AA, 4)


def _sides(left, w):
    """A left-hand outline mirrored to the right."""
    left = np.asarray(left, float)
    right = left[::-1].copy()
    right[:, 0] = w - right[:, 0]
    return np.concatenate([left, right])


def draw_car(rng, width, kind=None, view="rear", paint=None, lit=False, plate_aspect=2.0):
    """A vehicle `width` pixels wide."""
    kind = kind or str(rng.choice(KINDS))
    paint = np.array(paint if paint is not None else PAINTS[rng.integers(len(PAINTS))], float)
    w, h = float(width), float(width) * HEIGHT[kind] * rng.uniform(0.95, 1.05)
    img = np.zeros((int(h), int(w), 3), np.uint8)
    img[:] = np.clip(paint * 0.6, 0, 255)
    alpha = np.zeros(img.shape[:2], np.uint8)

    def shade(k):
        return np.clip(paint * k + (8 if k > 1 else 0), 0, 255)

    belt = h * rng.uniform(0.38, 0.44) if kind != "van" else h * 0.45
    floor, dark = h * 0.9, np.array((22, 22, 24))
    for x in (0.06, 0.79):                                            # wheels
        _poly(img, alpha, [(w * x, h * 0.72), (w * (x + .15), h * .72), (w * (x + .15), h * .995), (w * x, h * .995)], (14, 14, 15))
    _poly(img, alpha, _sides([(w * 0.12, floor), (w * 0.12, h * .95)], w), (16, 16, 17))
    inset = {"sedan": 0.2, "suv": 0.11, "hatch": 0.15, "pickup": 0.17, "van": 0.06}[kind] * rng.uniform(0.85, 1.15)
    _poly(img, alpha, _sides([(w * 0.03, belt), (w * inset * 0.8, h * 0.1), (w * inset, h * 0.03), (w * .5, h * 0.005)], w), shade(0.85))
    _poly(img, alpha, _sides([(w * .05, floor), (0, h * .75), (w * 0.005, h * .55), (w * 0.03, belt), (w * .12, belt - h * .02)], w), shade(0.97))
    glass = _sides([(w * 0.1, belt - h * 0.03), (w * (inset + .05), h * 0.09), (w * .5, h * .07)], w)
    sky = rng.uniform(30, 110)
    _poly(img, None, glass, (sky * 1.15, sky, sky * .85))
    _poly(img, None, [(w * .3, belt - h * .03), (w * .45, h * .08), (w * .6, h * .08), (w * .4, belt - h * .03)], (sky * 1.7,) * 3)
    _poly(img, None, _sides([(w * .02, belt + h * .02), (w * .02, belt + h * .05)], w), shade(1.15))
    bump = h * rng.uniform(0.66, 0.72)                                # bumper
    bumper = shade(rng.uniform(0.8, 1.0)) if rng.random() < 0.6 else np.array(rng.choice([(35, 35, 36), (185, 187, 190), (70, 70, 72)]))
    _poly(img, None, _sides([(w * .02, bump), (0, h * .78), (w * .05, floor)], w), bumper)
    _poly(img, None, _sides([(w * .02, bump), (w * .02, bump + h * .012)], w), shade(0.45))
    _poly(img, None, _sides([(w * .2, floor - h * .07), (w * .22, floor - h * .005)], w), dark)

    lamp_h, lamp_w = h * rng.uniform(.07, .15), w * rng.uniform(.11, .2)
    lamp_y = belt + h * rng.uniform(.07, .12)
    if kind in ("van", "pickup", "suv") and rng.random() < .6:
        lamp_h, lamp_w = h * rng.uniform(.16, .26), w * rng.uniform(.06, .1)
    if view == "rear":
        colour = (60, 60, 255) if lit else (35, 30, 165)
    else:
        colour = (255, 255, 255) if lit else (205, 205, 200)
    for m in (0, 1):
        def fx(x):
            return w - x if m else x
        _poly(img, None, [(fx(w * .03), lamp_y), (fx(w * .03 + lamp_w), lamp_y + lamp_h * .1),
                          (fx(w * .03 + lamp_w * .93), lamp_y + lamp_h), (fx(w * .02), lamp_y + lamp_h)], colour)
        _poly(img, None, [(fx(w * .04), lamp_y + lamp_h * .35), (fx(w * .03 + lamp_w * .5), lamp_y + lamp_h * .38),
                          (fx(w * .03 + lamp_w * .5), lamp_y + lamp_h * .6), (fx(w * .04), lamp_y + lamp_h * .6)],
              (60, 140, 255) if view == "rear" else (90, 170, 250))
    low = view == "front" or rng.random() < 0.35
    pw = w * PLATE_SHARE * rng.uniform(0.97, 1.03)
    ph = pw / plate_aspect
    cx = w * .5 + (w * rng.uniform(-.12, .12) if rng.random() < .06 else 0)
    cy = (bump + floor) / 2 - h * .03 if low else (lamp_y + rng.uniform(.2, 1.1) * lamp_h)
    cy = np.clip(cy, belt + ph * .8, floor - ph * .55)
    if view == "front":
        gy0, gy1 = lamp_y, min(bump - h * .01, lamp_y + h * rng.uniform(.1, .2))
        gx = w * rng.uniform(.24, .32)
        _poly(img, None, [(gx, gy0), (w - gx, gy0), (w - gx * 1.1, gy1), (gx * 1.1, gy1)], dark)
        bars = int(rng.integers(2, 7))
        for i in range(bars):
            y = gy0 + (gy1 - gy0) * (i + .5) / bars
            cv2.line(img, (int(gx * 1.05), int(y)), (int(w - gx * 1.05), int(y)), (150, 150, 152), max(1, int(h * .006)), cv2.LINE_AA)
    else:
        # The recess in which a rear plate sits.
        if rng.random() < .7:
            rw, rh = pw * rng.uniform(.58, .85), ph * rng.uniform(.6, .9)
            _poly(img, None, [(cx - rw, cy - rh), (cx + rw, cy - rh), (cx + rw * .95, cy + rh), (cx - rw * .95, cy + rh)], shade(rng.uniform(.3, .8)))
        if rng.random() < .5:
            _poly(img, None, [(w * .3, cy - ph * .9), (w * .7, cy - ph * .9), (w * .7, cy - ph * .78), (w * .3, cy - ph * .78)], (190, 190, 192))
        if rng.random() < .5:      # model lettering
            word = "".join(rng.choice(list("AEILMNORSTVX"), int(rng.integers(3, 8))))
            cv2.putText(img, word, (int(w * .68), int(lamp_y - h * .01)), cv2.FONT_HERSHEY_DUPLEX, w / 900, (200, 200, 200), max(1, int(w / 500)), cv2.LINE_AA)
        if rng.random() < .3:      # a sticker
            sx, sy = w * rng.uniform(.08, .25), bump + h * .03
            _poly(img, None, [(sx, sy), (sx + w * .14, sy), (sx + w * .14, sy + h * .05), (sx, sy + h * .05)], rng.integers(0, 256, 3))
    cv2.circle(img, (int(w * .5), int(lamp_y - h * .005)), max(1, int(w * .02)), (190, 190, 192), -1, cv2.LINE_AA)   # badge
    light = np.linspace(1.12, 0.72, img.shape[0])[:, None, None] * (1 + rng.uniform(-.1, .1) * np.linspace(-1, 1, img.shape[1])[None, :, None])
    img = np.clip(img * light, 0, 255).astype(np.uint8)
    plate = np.float32([(cx - pw / 2, cy - ph / 2), (cx + pw / 2, cy - ph / 2), (cx + pw / 2, cy + ph / 2), (cx - pw / 2, cy + ph / 2)])
    return Car(img, alpha, plate)


def cloud(rng, h, w, coarse):
    """Smooth noise in 0..1, for foliage, dirt and asphalt."""
    small = rng.random((max(2, h // coarse), max(2, w // coarse))).astype(np.float32)
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)


def draw_street(rng, w, h, night=False, horizon=None):
    """A street seen from a car: sky, buildings or trees, pavement, asphalt, lane marks."""
    hz = int(h * (horizon if horizon is not None else rng.uniform(.25, .5)))
    img = np.empty((h, w, 3), np.uint8)
    top, low = ((230, 190, 150), (235, 225, 215)) if rng.random() < .6 else ((200, 200, 198), (225, 225, 225))
    t = np.linspace(0, 1, max(1, hz))[:, None, None]
    img[:hz] = np.array(top) * (1 - t) + np.array(low) * t
    road = rng.uniform(70, 130)
    img[hz:] = (np.linspace(1.15, .85, h - hz)[:, None, None] * road * (1 + rng.uniform(-.04, .04, 3)))
    x = 0
    while x < w:
        bw = int(rng.uniform(.08, .3) * w)
        bh = int(hz * rng.uniform(.2, 1.0))
        if rng.random() < .5:      # a building with windows
            colour = rng.uniform(60, 210) * (1 + rng.uniform(-.15, .15, 3))
            cv2.rectangle(img, (x, hz - bh), (x + bw, hz + int(h * .03)), tuple(int(v) for v in np.clip(colour, 0, 255)), -1)
            sx, sy = max(6, bw // int(rng.integers(3, 8))), max(6, bh // int(rng.integers(2, 6)))
            for yy in range(hz - bh + sy // 3, hz - sy // 3, sy):
                for xx in range(x + sx // 3, x + bw - sx // 3, sx):
                    cv2.rectangle(img, (xx, yy), (xx + sx // 2, yy + sy // 2), (int(rng.integers(30, 120)),) * 3, -1)
        else:                      # foliage
            y0 = max(0, hz - bh)
            patch = img[y0:hz + int(h * .04), x:x + bw]
            if patch.size:
                n = cloud(rng, patch.shape[0], patch.shape[1], 5)[:, :, None]
                m = (cloud(rng, patch.shape[0], patch.shape[1], 22)[:, :, None] > .35)
                green = np.array((45, 95, 65)) * (.4 + n)
                patch[:] = np.where(m, np.clip(green, 0, 255), patch).astype(np.uint8)
        x += bw
    vx = w * rng.uniform(.35, .65)
    for side in (-1, 1):           # pavement and kerb
        far, near = vx + side * w * .06, vx + side * w * rng.uniform(.7, 1.2)
        edge = 0 if side < 0 else w
        _poly(img, None, [(far, hz), (near, h), (edge + side * w, h), (edge + side * w, hz)], np.full(3, road * 1.35 + 10))
    for lane in (-.22, .2):        # dashed lines
        d = 0.04
        while d < 1:
            y0, y1 = hz + (h - hz) * d, hz + (h - hz) * min(1, d * 1.35)
            x0, x1 = vx + lane * w * d * 2, vx + lane * w * min(1, d * 1.35) * 2
            t0, t1 = w * .008 * d * 2, w * .008 * d * 2.7
            _poly(img, None, [(x0 - t0, y0), (x0 + t0, y0), (x1 + t1, y1), (x1 - t1, y1)], (215, 220, 222))
            d *= 1.8
    grain = cloud(rng, h - hz, w, 3)[:, :, None] * 24 - 12
    img[hz:] = np.clip(img[hz:] + grain, 0, 255)
    if night:
        img = (img * rng.uniform(.08, .35)).astype(np.uint8)
        for _ in range(int(rng.integers(3, 18))):
            c = (int(rng.uniform(0, w)), int(rng.uniform(0, hz + h * .1)))
            glow = np.zeros_like(img)
            cv2.circle(glow, c, int(rng.integers(2, 9)), tuple(int(v) for v in rng.choice([(160, 220, 255), (255, 255, 255), (60, 60, 255), (120, 255, 160)])), -1)
            img = cv2.add(img, cv2.GaussianBlur(glow, (0, 0), 3))
    return img


def put_car(image, car, x, y, width, warp=None):
    """Draws a car with its lower middle at (x, y); returns the plate's corners in the image.

    warp: optional 3x3 matrix applied to the car's own pixels first (a turned car).
    """
    h, w = car.image.shape[:2]
    s = width / w
    m = np.float32([[s, 0, x - width / 2], [0, s, y - h * s], [0, 0, 1]])
    if warp is not None:
        m = m @ warp
    quad = cv2.perspectiveTransform(car.plate[None], m.astype(np.float64))[0]
    box = cv2.perspectiveTransform(np.float32([[[0, 0], [w, 0], [w, h], [0, h]]]), m.astype(np.float64))[0]
    x0, y0 = np.floor(box.min(0)).astype(int)
    x1, y1 = np.ceil(box.max(0)).astype(int) + 1
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(image.shape[1], x1), min(image.shape[0], y1)
    if x1 - x0 > 2 and y1 - y0 > 2:
        shift = np.float64([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ m
        size = (x1 - x0, y1 - y0)
        flags = cv2.INTER_AREA if s < .6 else cv2.INTER_LINEAR
        rgb = cv2.warpPerspective(car.image, shift, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        a = cv2.warpPerspective(car.alpha, shift, size, flags=flags)[:, :, None].astype(np.float32) / 255
        roi = image[y0:y1, x0:x1]
        roi[:] = (roi + (rgb.astype(np.float32) - roi) * a + .5).astype(np.uint8)
    return quad.astype(np.float32)
