"""A picture to draw printed scenes into, by fractions of its width and height."""
import cv2
import numpy as np

from . import art, symbols


class Canvas:
    """Draws into a picture, every colour and point a little off, as printings differ."""

    def __init__(self, img, rng):
        self.img, self.rng = img, rng
        self.h, self.w = img.shape[:2]

    def col(self, c):
        return tuple(int(v) for v in np.clip(np.array(art.hexcol(c)) + self.rng.normal(0, 5, 3), 0, 255))

    def px(self, pts):
        p = np.asarray(pts, float)
        return (p + self.rng.normal(0, .006, p.shape)) * (self.w, self.h)

    def sky(self, *stops):
        """Vertical gradient through (y, colour)."""
        at = np.array([y for y, _ in stops]) + self.rng.normal(0, .02, len(stops))
        cols = np.array([self.col(c) for _, c in stops], float)
        y = np.linspace(0, 1, self.h)
        at = np.maximum.accumulate(at)
        self.img[:] = np.stack([np.interp(y, at, cols[:, k]) for k in range(3)], 1)[:, None].astype(np.uint8)

    def rect(self, c, x0, y0, x1, y1):
        (a, b), (d, e) = self.px([(x0, y0), (x1, y1)]).astype(int)
        cv2.rectangle(self.img, (a if x0 > 0 else 0, b if y0 > 0 else 0), (d if x1 < 1 else self.w, e if y1 < 1 else self.h), self.col(c), -1)

    def shape(self, c, *pts):
        art.poly(self.img, self.px(pts), self.col(c))

    def land(self, c, *pts, base=1.0, rough=.012):
        """Ground below a line through the points, uneven; hills are smooth with rough=0."""
        x = np.linspace(0, 1, 41)
        y = np.interp(x, [p[0] for p in pts], [p[1] for p in pts]) + self.rng.normal(0, rough, 41) + self.rng.normal(0, .01)
        keep = (x >= pts[0][0]) & (x <= pts[-1][0])
        x, y = x[keep], y[keep]
        top = np.stack([x, np.minimum(y, base)], 1)
        art.poly(self.img, np.concatenate([top, [(x[-1], base), (x[0], base)]]) * (self.w, self.h), self.col(c))

    def line(self, c, t, *pts, closed=False):
        p = np.round(self.px(pts) * 16).astype(np.int32)
        cv2.polylines(self.img, [p], closed, self.col(c), max(1, int(round(t * self.h))), cv2.LINE_AA, 4)

    def oval(self, c, x, y, rx, ry, a0=0, a1=360, t=-1):
        (cx, cy), = self.px([(x, y)])
        cv2.ellipse(self.img, (int(cx), int(cy)), (max(1, int(rx * self.w)), max(1, int(ry * self.h))), 0, a0, a1, self.col(c),
                    t if t < 0 else max(1, int(t * self.h)), cv2.LINE_AA)

    def blob(self, c, x, y, rx, ry, rough=.3):
        art.blob(self.img, x * self.w, y * self.h, rx * self.w, ry * self.h, self.col(c), self.rng, rough=rough)

    def tree(self, c, x, y0, y1, r):
        art.tree(self.img, x * self.w, y0 * self.h, y1 * self.h, r * self.w, self.col(c), self.rng)

    def state(self, name, c, x, y, w, h, t=None):
        """A state's shape, filled or as a line t thick."""
        pts = [(x + a * w, y + b * h) for a, b in symbols.OUTLINES[name]]
        self.line(c, t, *pts, closed=True) if t else self.shape(c, *pts)

    def text(self, s, c, x, y, h, w, style="sans"):
        art.lettering(self.img, s, x * self.w, y * self.h, h * self.h, w * self.w, self.col(c), self.rng, style, fit=True)
