"""Characters of number plates as vector outlines.

Two sources: a parametric stroke font that imitates the dies of US plates
(skeletons on a unit box, drawn with a round pen), and condensed TrueType fonts
flattened to polygons beforehand (see fonts.py). One `Die` is one plate's
style: every character of the plate shares its parameters, as on a real plate.
"""
from dataclasses import dataclass, field

import cv2
import numpy as np

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHIFT = 4  # cv2 draws with 4 fractional bits
ONE = 1 << SHIFT


@dataclass
class Die:
    """Style of the serial's characters. Lengths are fractions of the height."""

    width: float = 0.46  # box width of a normal character
    stroke: float = 0.13
    radius: float = 0.2
    waist: float = 0.48
    slant: float = 0.0
    flat: bool = False  # cut the round pen off at top and bottom
    font: str | None = None  # name of a TrueType font, or None for strokes
    bold: float = 0.0  # outline growth of TrueType glyphs
    serif: float = 0.0  # length of the ticks at the ends of upright strokes, of the width
    iwidth: float = 0.68  # width of I and 1 with flags or serifs, of a normal character
    wide: float = 1.0  # how much wider than other letters M and W are, 0 = not
    oval: float = 1.0  # how much wider the letter O is than the digit 0; 1 = as wide
    variants: dict = field(default_factory=dict)  # glyph name by character


def _round_path(points, radius, closed=False):
    """Polyline through points (x, y, k): corners cut with radius k * radius."""
    pts = [np.array(p[:2], float) for p in points]
    ks = [p[2] if len(p) > 2 else 0.0 for p in points]
    n = len(pts)
    out = []
    for i in range(n):
        p = pts[i]
        if ks[i] <= 0 or (not closed and i in (0, n - 1)):
            out.append(p)
            continue
        a, b = pts[i - 1] - p, pts[(i + 1) % n] - p
        la, lb = np.hypot(*a), np.hypot(*b)
        r = min(ks[i] * radius, la * 0.5 if closed or 1 < i else la,
                lb * 0.5 if closed or i < n - 2 else lb)
        p0, p1 = p + a / max(la, 1e-6) * r, p + b / max(lb, 1e-6) * r
        # a quadratic pulled towards the corner comes close to a circle
        for t in np.linspace(0, 1, 7):
            c = (1 - t) ** 2 * p0 + 2 * t * (1 - t) * p + t * t * p1
            q = (1 - t) * p0 + t * p1
            out.append(c * 1.0 + (c - q) * 0.17)
    if closed:
        out.append(out[0])
    return np.array(out)


def skeleton(ch, variant, m):
    """Strokes of a character: list of (points, closed), on the unit box; m = waist."""
    v = variant
    t = 0.22  # how far open ends reach down
    if ch in "0OQ":
        k = 1.0 if ch == "0" else 1.25
        ring = ([(0, 0, k), (1, 0, k), (1, 1, k), (0, 1, k)], True)
        if ch == "0" and v == "slash":
            return [ring, ([(0.9, 0.12), (0.1, 0.88)], False)]
        if ch == "Q":
            if v == "low":
                return [([(0, 0, k), (1, 0, k), (1, 0.92, k), (0, 0.92, k)], True),
                        ([(0.5, 0.74), (0.8, 1.04)], False)]
            if v == "foot":
                return [([(0, 0, k), (1, 0, k), (1, 0.88, k), (0, 0.88, k)], True),
                        ([(0.5, 0.88), (0.55, 1.04), (0.95, 1.04)], False)]
            if v == "long":
                return [ring, ([(0.45, 0.6), (1.06, 1.04)], False)]
            return [ring, ([(0.55, 0.7), (1.05, 1.03)], False)]
        return [ring]
    if ch == "1":
        if v == "plain":
            return [([(0.5, 0), (0.5, 1)], False)]
        if v == "serif":
            return [([(0.15, 0.17), (0.5, 0.0), (0.5, 1)], False), ([(0.1, 1), (0.9, 1)], False)]
        if v == "both":
            return [([(0.2, 0), (0.5, 0), (0.5, 1)], False), ([(0.1, 1), (0.9, 1)], False)]
        if v == "flatflag":
            return [([(0.12, 0.02), (0.55, 0.02), (0.55, 1)], False)]
        return [([(0.1, 0.2), (0.55, 0), (0.55, 1)], False)]
    if ch == "I":
        if v == "serif":
            return [([(0.5, 0), (0.5, 1)], False), ([(0.1, 0), (0.9, 0)], False), ([(0.1, 1), (0.9, 1)], False)]
        return [([(0.5, 0), (0.5, 1)], False)]
    if ch == "2":
        if v == "z":
            return [([(0, t), (0, 0, 1.3), (1, 0, 1.3), (1, 0.36, 0.8), (0, 0.72, 0.8), (0, 1), (1, 1)], False)]
        return [([(0, t), (0, 0, 1.4), (1, 0, 1.4), (1, 0.38, 0.9), (0, 1), (1, 1)], False)]
    if ch == "3":
        if v == "flat":
            return [([(0.02, 0), (1, 0), (0.42, m - 0.06), (1, m - 0.06, 1), (1, 1, 1), (0, 1, 1), (0, 1 - t)], False)]
        return [([(0, t), (0, 0, 1), (1, 0, 1), (1, m, 0.8), (0.4, m)], False),
                ([(0.4, m), (1, m, 0.8), (1, 1, 1), (0, 1, 1), (0, 1 - t)], False)]
    if ch == "4":
        if v == "open":
            return [([(0.32, 0), (0, 0.66), (1, 0.66)], False), ([(0.72, 0.36), (0.72, 1)], False)]
        if v == "openlow":
            return [([(0.4, 0), (0, 0.76), (1, 0.76)], False), ([(0.68, 0.46), (0.68, 1)], False)]
        if v == "openhigh":
            return [([(0.2, 0), (0, 0.62), (1, 0.62)], False), ([(0.75, 0.22), (0.75, 1)], False)]
        if v == "square":
            return [([(0.05, 0), (0.05, 0.6), (1, 0.6)], False), ([(0.8, 0), (0.8, 1)], False)]
        return [([(0.72, 1), (0.72, 0), (0, 0.7), (1, 0.7)], False)]
    if ch == "5":
        if v == "slope":
            return [([(0.95, 0), (0.1, 0), (0, m), (0.35, m - 0.07, 0.6), (1, m - 0.07, 1), (1, 1, 1), (0, 1, 1), (0, 1 - t)], False)]
        return [([(0.97, 0), (0.03, 0), (0.03, m - 0.05, 0.3), (1, m - 0.05, 1), (1, 1, 1), (0, 1, 1), (0, 1 - t)], False)]
    if ch == "6":
        if v == "slant":
            return [([(0.75, 0), (0, 0.55, 0.8), (0, 1, 1), (1, 1, 1), (1, m - 0.02, 1), (0.2, m - 0.02)], False)]
        return [([(1, t), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, m - 0.05, 1), (0, m - 0.05, 0.4), (0, 0.6)], False)]
    if ch == "9":
        return [([(1 - p[0], 1 - p[1], *p[2:]) for p in s], c) for s, c in skeleton("6", v, m)]
    if ch == "7":
        if v == "curve":
            return [([(0, 0), (1, 0), (1, 0.2, 1), (0.4, 0.62, 1), (0.36, 1)], False)]
        if v == "serif":
            return [([(0, 0.14), (0, 0), (1, 0), (0.35, 1)], False)]
        return [([(0, 0), (1, 0), (0.32, 1)], False)]
    if ch == "8":
        return [([(0.05, 0, 1), (0.95, 0, 1), (0.95, m, 0.9), (0.05, m, 0.9)], True),
                ([(0, m, 0.9), (1, m, 0.9), (1, 1, 1), (0, 1, 1)], True)]
    if ch == "A":
        if v == "flat":
            return [([(0, 1), (0.32, 0, 0.5), (0.68, 0, 0.5), (1, 1)], False), ([(0.14, 0.68), (0.86, 0.68)], False)]
        if v == "round":
            return [([(0, 1), (0, 0, 1.2), (1, 0, 1.2), (1, 1)], False), ([(0, 0.6), (1, 0.6)], False)]
        return [([(0, 1), (0.5, 0), (1, 1)], False), ([(0.18, 0.68), (0.82, 0.68)], False)]
    if ch == "B":
        return [([(0, 0), (0.95, 0, 1), (0.95, m, 0.9), (0, m)], True),
                ([(0, m), (1, m, 0.9), (1, 1, 1), (0, 1)], True)]
    if ch == "C":
        return [([(1, t + 0.04), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 0.96 - t)], False)]
    if ch == "D":
        return [([(0, 0), (1, 0, 1.2), (1, 1, 1.2), (0, 1)], True)]
    if ch == "E":
        return [([(1, 0), (0, 0), (0, 1), (1, 1)], False), ([(0, m), (0.82, m)], False)]
    if ch == "F":
        return [([(1, 0), (0, 0), (0, 1)], False), ([(0, m), (0.82, m)], False)]
    if ch == "G":
        bar = {"short": (0.72, 0.58), "low": (0.55, 0.64), "long": (0.35, 0.5)}.get(v, (0.5, 0.55))
        g = [([(1, t + 0.02), (1, 0, 1), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, bar[1]), bar], False)]
        if v == "spur":
            g.append(([(1, 0.55), (1, 1)], False))
        return g
    if ch == "H":
        return [([(0, 0), (0, 1)], False), ([(1, 0), (1, 1)], False), ([(0, m), (1, m)], False)]
    if ch == "J":
        j = [([(1, 0), (1, 1, 1), (0, 1, 1), (0, 0.82 if v == "short" else 0.7)], False)]
        if v == "serif":
            j.append(([(0.45, 0), (1, 0)], False))
        return j
    if ch == "K":
        if v == "meet":
            return [([(0, 0), (0, 1)], False), ([(1, 0), (0.08, 0.5), (1, 1)], False)]
        return [([(0, 0), (0, 1)], False), ([(1, 0), (0, 0.62)], False), ([(0.33, 0.43), (1, 1)], False)]
    if ch == "L":
        return [([(0, 0), (0, 1), (1, 1)], False)]
    if ch == "M":
        d = {"deep": 0.98, "mid": 0.6}.get(v, 0.45)
        return [([(0, 1), (0, 0), (0.5, d), (1, 0), (1, 1)], False)]
    if ch == "N":
        return [([(0, 1), (0, 0), (1, 1), (1, 0)], False)]
    if ch == "P":
        return [([(0, 1), (0, 0), (1, 0, 1), (1, 0.54, 1), (0, 0.54)], False)]
    if ch == "R":
        r = [([(0, 1), (0, 0), (1, 0, 1), (1, 0.52, 1), (0, 0.52)], False)]
        if v == "round":
            r.append(([(0.5, 0.52), (1, 0.56, 0.8), (1, 1)], False))
        else:
            r.append(([(0.5, 0.52), (1, 1)], False))
        return r
    if ch == "S":
        return [([(1, t), (1, 0, 1), (0, 0, 1), (0, m, 1), (1, m, 1), (1, 1, 1), (0, 1, 1), (0, 1 - t)], False)]
    if ch == "T":
        return [([(0, 0), (1, 0)], False), ([(0.5, 0), (0.5, 1)], False)]
    if ch == "U":
        return [([(0, 0), (0, 1, 1.1), (1, 1, 1.1), (1, 0)], False)]
    if ch == "V":
        if v == "flat":
            return [([(0, 0), (0.36, 1, 0.4), (0.64, 1, 0.4), (1, 0)], False)]
        return [([(0, 0), (0.5, 1), (1, 0)], False)]
    if ch == "W":
        if v == "m":
            return [([(0, 0), (0, 1), (0.5, 0.5), (1, 1), (1, 0)], False)]
        if v == "low":
            return [([(0, 0), (0.22, 1), (0.5, 0.45), (0.78, 1), (1, 0)], False)]
        return [([(0, 0), (0.25, 1), (0.5, 0.12), (0.75, 1), (1, 0)], False)]
    if ch == "X":
        return [([(0, 0), (1, 1)], False), ([(1, 0), (0, 1)], False)]
    if ch == "Y":
        k = 0.58 if v == "low" else 0.48
        return [([(0, 0), (0.5, k), (1, 0)], False), ([(0.5, k), (0.5, 1)], False)]
    if ch == "Z":
        return [([(0, 0), (1, 0), (0, 1), (1, 1)], False)]
    raise KeyError(ch)


VARIANTS = {
    "0": ["", "", "", "", "", "", "", "", "", "slash"], "Q": ["", "low", "foot", "long", "inner"],
    "1": ["plain", "flag", "serif", "flatflag", "flag"], "I": ["plain", "serif", "serif"], "2": ["", "", "z"],
    "3": ["", "", "", "flat"], "4": ["", "", "", "open", "openlow", "openlow", "openhigh", "square"], "5": ["", "slope"],
    "6": ["", "", "slant"], "9": ["", "", "slant"], "7": ["", "", "curve", "serif"],
    "A": ["", "flat", "flat", "round"], "G": ["", "spur", "short", "low", "long"], "J": ["", "short", "serif"], "K": ["", "meet"],
    "M": ["", "deep", "mid", "mid"], "R": ["", "", "round"], "V": ["", "flat"], "W": ["", "low", "low", "m"],
    "Y": ["", "low"],
}
# Widths relative to a normal character.
WIDTHS = {"1": 0.55, "I": 0.5, "M": 1.15, "W": 1.2, "L": 0.92, "J": 0.95, "Q": 1.02, "V": 1.05, "A": 1.08, "Y": 1.03}


def random_die(rng, fonts=(), **fixed):
    """A die style; `fixed` overrides what a state is known for."""
    variants = {c: str(rng.choice(v)) for c, v in VARIANTS.items()}
    if rng.random() < 0.8:  # mostly 1 and I of one die can be told apart only by serifs
        variants["1"] = str(rng.choice(["flag", "flag", "serif", "serif", "plain", "flatflag", "both"]))
    variants["9"] = variants["6"]
    die = Die(width=float(rng.uniform(0.36, 0.56)), stroke=float(rng.uniform(0.08, 0.17)),
              radius=float(rng.uniform(0.12, 0.27)), waist=float(rng.uniform(0.43, 0.52)),
              slant=float(rng.normal(0, 0.015)), wide=float(rng.uniform(-.2, 1.1)), iwidth=float(rng.uniform(.55, .95)),
              serif=float(rng.uniform(.2, .35)) if rng.random() < .05 else 0.0, flat=bool(rng.random() < 0.35), variants=variants)
    if len(fonts) and rng.random() < 0.3:
        die.font = str(rng.choice(list(fonts)))
        die.bold = float(rng.uniform(-0.01, 0.02))
    if rng.random() < 0.5:
        die.oval = float(rng.uniform(1.04, 1.25))
    for k, val in fixed.items():
        if k == "variants":
            die.variants.update({c: str(rng.choice(v.split("|"))) for c, v in val.items()})
            die.variants["9"] = die.variants["6"]
        else:
            setattr(die, k, val)
    return die


def char_width(die, ch):
    """Width of a character's ink, as a fraction of the height."""
    if ch == "1" and die.variants.get("1") in ("plain",):
        return die.stroke
    if ch == "I" and die.variants.get("I") == "plain":
        return die.stroke
    if ch in "1I" and die.font is None:
        return max(die.width * (die.iwidth if die.variants.get(ch) in ("serif", "both") else min(die.iwidth, 0.7)), die.stroke * 2)
    k = WIDTHS.get(ch, 1.0) * (die.oval if ch in "OQ" else 1.0)
    return die.width * (1 + (k - 1) * die.wide if ch in "MW" else k)


def draw_stroke_char(mask, ch, x, y, w, h, die):
    """Draw one stroke character into a uint8 mask; (x, y, w, h) is the ink box in pixels."""
    th = max(1, int(round(die.stroke * h)))
    half = th / 2
    ix, iw = x + half, max(w - th, 0.01)
    iy, ih = y + half, h - th
    over = half * 0.8 if die.flat else 0.0
    v = die.variants.get(ch, "")
    target = mask
    if over:
        target = np.zeros_like(mask)
    for pts, closed in skeleton(ch, v, die.waist):
        scaled = []
        for p in pts:
            py = iy + p[1] * ih
            if over and p[1] in (0, 1) and len(p) == 2:
                py += -over if p[1] == 0 else over
            px = ix + p[0] * iw if w > th else x + w / 2
            px += die.slant * (y + h - py)
            scaled.append((px, py, *p[2:]))
        if die.serif and not closed and ch not in "0235689CGOQS":
            for (px, py, *_), p, (qx, qy, *_) in ((scaled[0], pts[0], scaled[1]), (scaled[-1], pts[-1], scaled[-2])):
                if p[1] in (0, 1) and abs(qx - px) < abs(qy - py):
                    e = die.serif * iw
                    tick = np.array([(px - e, py), (px + e, py)])
                    cv2.polylines(target, [np.round(tick * ONE).astype(np.int32)], False, 255, max(1, int(th * .7)), cv2.LINE_AA, SHIFT)
        path = _round_path(scaled, die.radius * h, closed)
        cv2.polylines(target, [np.round(path * ONE).astype(np.int32)], False, 255, th, cv2.LINE_AA, SHIFT)
    if over:
        y0, y1 = max(0, int(round(y))), int(round(y + h)) + 1
        mask[y0:y1] = np.maximum(mask[y0:y1], target[y0:y1])


def draw_outline(mask, polys, x, y, sx, sy, value=255):
    """Fill flattened outlines (list of Nx2, y down, even-odd) scaled by (sx, sy) at (x, y)."""
    pts = [np.round((p * (sx, sy) + (x, y)) * ONE).astype(np.int32) for p in polys]
    if pts:
        cv2.fillPoly(mask, pts, int(value), cv2.LINE_AA, SHIFT)
