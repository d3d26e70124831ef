"""Pictures, stickers, frames and lettering of synthetic plates. Colours are BGR tuples."""
import cv2
import numpy as np

from . import fonts, glyphs


def hexcol(s):
    return (int(s[4:6], 16), int(s[2:4], 16), int(s[0:2], 16))


def randcol(rng, lo=0, hi=256):
    return tuple(int(v) for v in rng.integers(lo, hi, 3))


def poly(img, pts, col):
    cv2.fillPoly(img, [np.round(np.asarray(pts, float) * 16).astype(np.int32)], col, cv2.LINE_AA, 4)


def gradient(w, h, cols, rng):
    """Vertical gradient through the colours, the stops a little moved."""
    n = len(cols)
    c = np.asarray(cols, float) + rng.normal(0, 5, (n, 3))
    if n == 1:
        return np.broadcast_to(np.clip(c[0], 0, 255).astype(np.uint8), (h, w, 3)).copy()
    at = np.linspace(0, 1, n)
    at[1:-1] += rng.uniform(-0.08, 0.08, n - 2)
    y = np.linspace(0, 1, h)
    col = np.stack([np.interp(y, at, c[:, k]) for k in range(3)], 1)
    return np.broadcast_to(np.clip(col, 0, 255).astype(np.uint8)[:, None], (h, w, 3)).copy()


def blob(img, cx, cy, rx, ry, col, rng, n=24, rough=0.3):
    """An irregular closed shape: animals, states, flowers seen small are little more than that."""
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    r = np.ones(n)
    for k in range(1, 6):
        r += rough / k ** 0.7 * rng.normal(0, 0.5) * np.cos(k * a + rng.uniform(0, 6.3))
    r = np.clip(r, 0.25, 1.7)
    poly(img, np.stack([cx + rx * r * np.cos(a), cy + ry * r * np.sin(a)], 1), col)


def ridge(img, y0, y1, col, rng, n=12, rough=1.0, base=None):
    """A mountain or tree line from side to side between heights y0 (peaks) and y1."""
    h, w = img.shape[:2]
    x = np.linspace(0, w, n * 2 + 1)
    y = rng.uniform(y0, y1, len(x))
    y[::2] = np.minimum(y[::2] + (y1 - y0) * 0.4 * rough, y1)
    b = h if base is None else base
    poly(img, np.concatenate([np.stack([x, y], 1), [[w, b], [0, b]]]), col)


def star(img, cx, cy, r, col, k=5):
    a = np.arange(2 * k) * np.pi / k - np.pi / 2
    rr = np.where(np.arange(2 * k) % 2 == 0, r, r * 0.42)
    poly(img, np.stack([cx + rr * np.cos(a), cy + rr * np.sin(a)], 1), col)


def tree(img, cx, y0, y1, w, col, rng):
    n = int(rng.integers(3, 9))
    pts, ys = [], np.linspace(y0, y1, n + 1)
    for i in range(n):
        pts += [(cx + w * (0.25 + i) / n * 0.6, ys[i]), (cx + w * (i + 1.0) / n, ys[i + 1])]
    poly(img, [(cx, y0)] + pts + [(2 * cx - x, y) for x, y in pts[::-1]], col)


def disc(img, cx, cy, r, col):
    cv2.circle(img, (int(cx * 16), int(cy * 16)), max(int(r * 16), 1), col, -1, cv2.LINE_AA, 4)


def wheelchair(img, x, y, s, col):
    t = max(1, int(s * 0.09))
    p = lambda a, b: (int(x + a * s), int(y + b * s))
    disc(img, x + 0.38 * s, y + 0.1 * s, s * 0.09, col)
    for a, b in (((0.38, 0.2), (0.42, 0.55)), ((0.42, 0.55), (0.7, 0.55)), ((0.7, 0.55), (0.82, 0.9)), ((0.4, 0.36), (0.66, 0.36))):
        cv2.line(img, p(*a), p(*b), col, t, cv2.LINE_AA)
    cv2.ellipse(img, p(0.42, 0.68), (int(s * 0.28), int(s * 0.28)), 0, 0, 300, col, t, cv2.LINE_AA)


def symbol(img, x, y, s, rng, col):
    """Symbols inside a serial: hand, heart, star, plus, wheelchair. (x, y) is the upper left corner."""
    k = rng.choice(["heart", "star", "plus", "hand", "wheel", "blob"])
    cx, cy = x + s / 2, y + s / 2
    if k == "heart":
        disc(img, cx - s * 0.22, y + s * 0.32, s * 0.26, col)
        disc(img, cx + s * 0.22, y + s * 0.32, s * 0.26, col)
        poly(img, [(cx - s * 0.46, y + s * 0.42), (cx + s * 0.46, y + s * 0.42), (cx, y + s)], col)
    elif k == "star":
        star(img, cx, cy, s * 0.55, col)
    elif k == "plus":
        cv2.rectangle(img, (int(cx - s * 0.12), int(y + s * .1)), (int(cx + s * 0.12), int(y + s * .9)), col, -1)
        cv2.rectangle(img, (int(x + s * .1), int(cy - s * 0.12)), (int(x + s * .9), int(cy + s * 0.12)), col, -1)
    elif k == "hand":
        blob(img, cx, y + s * 0.7, s * 0.28, s * 0.3, col, rng, rough=0.1)
        for i in range(5):
            a = np.pi * (0.1 + 0.2 * i) + np.pi
            cv2.line(img, (int(cx), int(y + s * 0.7)), (int(cx + s * 0.5 * np.cos(a)), int(y + s * 0.7 + s * 0.65 * np.sin(a))), col, max(1, int(s * 0.13)), cv2.LINE_AA)
    elif k == "wheel":
        wheelchair(img, x, y, s, col)
    else:
        blob(img, cx, cy, s * 0.42, s * 0.42, col, rng)


def picture(img, x, y, w, h, rng, strong=True):
    """A picture beside or between the groups: seal, animal, fruit, tree, emblem, flag."""
    cx, cy = x + w / 2, y + h / 2
    base = randcol(rng, 0, 200) if strong else randcol(rng, 120, 230)
    k = rng.integers(0, 13)
    r = min(w, h) / 2
    if k == 0:  # seal
        disc(img, cx, cy, r, base)
        disc(img, cx, cy, r * 0.8, randcol(rng, 100))
        blob(img, cx, cy, r * 0.5, r * 0.5, randcol(rng), rng)
        if rng.random() < 0.5:
            cv2.circle(img, (int(cx), int(cy)), max(int(r * 0.9), 1), randcol(rng), max(1, int(r * .06)), cv2.LINE_AA)
    elif k == 1:
        for _ in range(int(rng.integers(2, 6))):
            blob(img, cx + rng.normal(0, w * 0.15), cy + rng.normal(0, h * 0.15), w * rng.uniform(.15, .4), h * rng.uniform(.15, .35), randcol(rng), rng)
    elif k == 2:  # fruit with leaves
        for _ in range(int(rng.integers(1, 4))):
            disc(img, cx + rng.normal(0, r * 0.3), cy + rng.normal(0, r * 0.3), r * rng.uniform(.4, .6), (int(rng.integers(0, 80)), int(rng.integers(90, 170)), int(rng.integers(200, 256))))
        blob(img, cx, cy - r * 0.5, r * 0.4, r * 0.25, (40, 140, 60), rng)
    elif k == 3:
        tree(img, cx, y, y + h, w / 2, base, rng)
    elif k == 4:
        star(img, cx, cy, r, base)
    elif k == 5:  # a box with a motif
        cv2.rectangle(img, (int(x), int(y)), (int(x + w), int(y + h)), base, -1)
        blob(img, cx, cy, w * 0.3, h * 0.3, randcol(rng, 80), rng)
    elif k == 6:  # animal-like: body with legs
        blob(img, cx, cy - h * .05, w * 0.42, h * 0.25, base, rng, rough=.4)
        for _ in range(3):
            lx = cx + rng.uniform(-.35, .35) * w
            cv2.line(img, (int(lx), int(cy)), (int(lx + rng.normal(0, .1) * w), int(y + h)), base, max(1, int(w * .08)), cv2.LINE_AA)
        disc(img, cx + w * .3, y + h * .25, r * .25, base)
    elif k == 7:  # flag or ribbon
        for i in range(6):
            yy = y + h * i / 6
            poly(img, [(x, yy), (x + w, yy + h * .04), (x + w, yy + h / 6), (x, yy + h / 7)], (60, 50, 190) if i % 2 else (235, 235, 235))
        cv2.rectangle(img, (int(x), int(y)), (int(x + w * .4), int(y + h * .45)), (120, 60, 40), -1)
    elif k == 8:  # sun with bundles of rays
        disc(img, cx, cy, r * .38, base)
        t = max(1, int(r * rng.uniform(.06, .12)))
        for i in (-1.5, -.5, .5, 1.5):
            for a, b in (((cx + i * r * .16, cy - r), (cx + i * r * .16, cy + r)), ((cx - r, cy + i * r * .16), (cx + r, cy + i * r * .16))):
                cv2.line(img, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), base, t, cv2.LINE_AA)
    elif k == 9:  # tower or lighthouse: easily taken for a 1
        ww = w * rng.uniform(.1, .3)
        poly(img, [(cx - ww * .6, y), (cx + ww * .6, y), (cx + ww, y + h), (cx - ww, y + h)], base)
        for i in range(int(rng.integers(0, 4))):
            cv2.rectangle(img, (int(cx - ww), int(y + h * (.15 + .25 * i))), (int(cx + ww), int(y + h * (.22 + .25 * i))), randcol(rng), -1)
    elif k == 10:  # palm
        cv2.line(img, (int(cx), int(y + h * .3)), (int(cx + rng.normal(0, .05) * w), int(y + h)), base, max(1, int(w * .1)), cv2.LINE_AA)
        for a in np.linspace(-2.9, -.2, 7):
            cv2.ellipse(img, (int(cx + r * .5 * np.cos(a)), int(y + h * .3 + r * .4 * np.sin(a))), (max(int(r * .55), 1), max(int(r * .13), 1)), np.rad2deg(a), 0, 360, base, -1, cv2.LINE_AA)
    elif k == 11:  # outlined shape, as states' borders are
        lay = np.zeros(img.shape[:2], np.uint8)
        blob(lay, cx, cy, w * .45, h * .45, 255, rng, rough=.5)
        cs = cv2.findContours(lay, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        cv2.drawContours(img, cs, -1, base, max(1, int(r * .07)), cv2.LINE_AA)
    else:
        blob(img, cx, cy, w * 0.45, h * 0.45, base, rng, rough=.45)
        if rng.random() < .5:
            symbol(img, cx - r * .5, cy - r * .5, r, rng, randcol(rng, 100))


def text_width(polys_font, text, size):
    return sum(polys_font[c][1] if c in polys_font else 0.3 for c in text) * size


def lettering(img, text, cx, y, h, maxw, col, rng, style="sans", spacing=0.0, stretch=None, fit=False):
    """A line of printed lettering, cap height h, centred on cx with its top at y; `fit` makes it maxw wide.

    `style`: sans, serif or script, a font's name after a colon to ask for it, and "italic" to lean it,
    "bold" for the heavy faces, "spaced", "arc", "smallcaps" for what they say.
    """
    groups = fonts.load()
    kind, _, face = style.split()[0].partition(":")
    key = {"script": "name", "serif": "serif"}.get(kind, "plate")
    lean = rng.uniform(.15, .3) if "italic" in style else 0
    pool = groups[key]
    if not pool:  # no fonts at hand: strokes, upper case
        die = glyphs.Die(width=.6, stroke=.16, variants={})
        cell = h * .8
        k = min(1.0, maxw / max(len(text) * cell, 1))
        x = cx - len(text) * cell * k / 2
        m = np.zeros(img.shape[:2], np.uint8)
        for c in text.upper():
            if c in glyphs.ALNUM:
                glyphs.draw_stroke_char(m, c, x, y, cell * .7 * k, h, die)
            x += cell * k
        img[m > 127] = col
        return
    face = face if rng.random() < .75 else ""  # no font here is just a state's own
    names = [n for n in pool if face in n and ("bold" not in style or n.endswith(("600", "700", "800")))] or list(pool)
    sizes = [1.0] * len(text)
    if "smallcaps" in style:
        sizes = [.76 if c.islower() else 1.0 for c in text]
        text = text.upper()
    if "spaced" in style:
        spacing = .35
    font = pool[names[int(rng.integers(len(names)))]]
    wide = stretch or (rng.uniform(1.0, 1.7) if key == "plate" else rng.uniform(.9, 1.2))
    total = sum(text_width(font, c, h * wide * z) for c, z in zip(text, sizes)) + spacing * h * (len(text) - 1)
    k = maxw / max(total, 1) if fit else min(1.0, maxw / max(total, 1))
    x = cx - total * k / 2
    m = np.zeros(img.shape[:2], np.uint8)
    for c, z in zip(text, sizes):
        if c in font:
            polys, adv = font[c]
            if lean:
                polys = [p @ ((1, 0), (-lean, 1)) for p in polys]
            drop = h * .8 * ((x + h * .3 - cx) / maxw * 2) ** 2 if "arc" in style else 0
            glyphs.draw_outline(m, polys, x, y + h + drop, h * wide * k * z, h * z)
            x += (adv * wide * z + spacing) * h * k
        else:
            x += .3 * h * wide * k
    ys = slice(max(0, int(y - h * .6)), int(y + h * (2.5 if "arc" in style else 1.7)))
    mm = m[ys, :, None].astype(np.float32) / 255
    img[ys] = (img[ys] * (1 - mm) + np.array(col, np.float32) * mm).astype(np.uint8)


STICKER_COLS = [(40, 40, 200), (40, 150, 240), (60, 200, 240), (90, 160, 60), (190, 110, 40), (160, 60, 130), (240, 240, 240), (60, 220, 230)]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def sticker(img, x, y, w, h, rng, month=False):
    col = STICKER_COLS[int(rng.integers(len(STICKER_COLS)))]
    if month and rng.random() < .6:
        col = (238, 240, 240)
    a = rng.uniform(-.06, .06)
    c, s = np.cos(a), np.sin(a)
    pts = [(x + w / 2 + (dx * c - dy * s), y + h / 2 + (dx * s + dy * c)) for dx, dy in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))]
    poly(img, pts, col)
    ink = (20, 20, 20) if sum(col) > 380 else (240, 240, 240)
    if rng.random() < .3:
        ink = (160, 40, 20)
    t = MONTHS[int(rng.integers(12))] if month else str(rng.choice(["%02d" % rng.integers(0, 30), str(rng.integers(1995, 2028)), "%d-%02d" % (rng.integers(1, 13), rng.integers(0, 28)), str(rng.integers(1, 13))]))
    lettering(img, t, x + w / 2, y + h * .2, h * .6, w * .8, ink, rng)


DEALERS = ["MOTORS", "TOYOTA", "HONDA", "FORD", "CHEVROLET", "AUTO SALES", "NISSAN", "CITY", "VALLEY", "CENTRAL", "DOWNTOWN", "BMW",
           "LEXUS OF", "SUBARU", "CERTIFIED", "AUTO GROUP", "DODGE", "STEVENS", "CREEK", "KIA", "PACIFIC", "HARBOR", "UNIVERSITY", "ALUMNI"]


def frame(img, rng, x0=.27, x1=.77):
    """A dealer's frame over the edge: may hide the top and bottom lines, rarely touches the serial."""
    h, w = img.shape[:2]
    light = rng.random() < .35
    col = randcol(rng, 170, 230) if light else (randcol(rng, 0, 60) if rng.random() < .85 else randcol(rng))
    if rng.random() < .7:
        col = (int(np.mean(col)),) * 3
    top, bot = h * rng.uniform(.03, x0 * .95), h * rng.uniform(.03, (1 - x1) * .95)
    if rng.random() < .25:
        bot = h * (1 - x1)
    if rng.random() < .3:
        top = h * .04
    side = w * rng.uniform(.01, .05)
    hole = np.zeros((h, w), np.uint8)
    r = int(h * rng.uniform(.02, .1))
    p = (int(side), int(top)), (int(w - side), int(h - bot))
    cv2.rectangle(hole, (p[0][0] + r, p[0][1]), (p[1][0] - r, p[1][1]), 255, -1)
    cv2.rectangle(hole, (p[0][0], p[0][1] + r), (p[1][0], p[1][1] - r), 255, -1)
    for cx in (p[0][0] + r, p[1][0] - r):
        for cy in (p[0][1] + r, p[1][1] - r):
            cv2.circle(hole, (cx, cy), r, 255, -1)
    img[hole == 0] = col
    ink = (235, 235, 235) if np.mean(col) < 110 else (30, 30, 30)
    words = lambda: " ".join(rng.choice(DEALERS, int(rng.integers(1, 3)), replace=False))
    for y, b in ((0, top), (h - bot, bot)):
        if b > h * .08 and rng.random() < .75:
            lettering(img, words(), w / 2, y + b * .22, b * .5, w * .85, ink, rng, spacing=.1)


def bolts(img, rng):
    h, w = img.shape[:2]
    u = w / 480
    xs = (.21, .79) if rng.random() < .8 else (.25, .75)
    for y in (.085, .915):
        if y > .5 and rng.random() < .35:
            continue
        for x in xs:
            cx, cy, r = x * w + rng.normal(0, 2 * u), y * h + rng.normal(0, 2 * u), rng.uniform(5, 11) * u
            k = rng.random()
            if k < .4:  # empty slot
                cv2.ellipse(img, (int(cx), int(cy)), (int(r * rng.uniform(.8, 1.3)), max(int(r * .6), 1)), 0, 0, 360, randcol(rng, 20, 90), -1, cv2.LINE_AA)
            else:
                c = int(rng.integers(60, 220))
                disc(img, cx, cy, r, (c, c, c))
                disc(img, cx - r * .2, cy - r * .2, r * .5, (min(c + 35, 255),) * 3)
                if k > .8:  # rust runs from old bolts
                    lay = img.copy()
                    blob(lay, cx, cy + 2 * r, r * .9, r * 2.2, (40, 80, 140), rng)
                    cv2.addWeighted(lay, .4, img, .6, 0, img)
