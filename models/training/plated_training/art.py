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


def scenery(img, art, rng):
    """Printed background of a design; kept paler than the serial as states do."""
    h, w = img.shape[:2]
    lay = img.copy()
    a = 0.7
    pale = lambda lo=110, hi=235: randcol(rng, lo, hi)
    if art in ("mountains", "mountains2", "rainier", "rushmore", "mtshape", "outline", "oldman"):
        ridge(lay, h * .25, h * .5, pale(120), rng, n=int(rng.integers(3, 9)))
        ridge(lay, h * .4, h * .6, pale(150, 240), rng, n=int(rng.integers(3, 9)), base=h * .8)
        a = rng.uniform(.2, .7)
    elif art == "purplemts":
        ridge(lay, h * .68, h * .85, (110, 50, 110), rng, n=7)
        if rng.random() < .5:
            for dx in (.04, .07, .1):
                cv2.line(lay, (int(w * dx), int(h * .45)), (int(w * dx), int(h * .8)), (60, 110, 60), max(1, int(w * .012)), cv2.LINE_AA)
        a = .9
    elif art in ("comts", "comts_dark"):
        ridge(lay, h * .12, h * .34, (235, 238, 235) if art == "comts_dark" else (90, 120, 60), rng, n=8, base=h * .45)
        ridge(lay, h * .3, h * .4, (240, 243, 240) if art == "comts_dark" else (70, 90, 30), rng, n=8)
        a = rng.uniform(.5, 1)
    elif art in ("hills", "hillsgreen", "prairie", "pines", "lake", "wave", "wiscene", "city", "butte"):
        y = .6 if art != "lake" else .15
        for i in range(3):
            ridge(lay, h * (y + i * .1), h * (y + .12 + i * .1), (int(rng.integers(60, 230)), int(rng.integers(100, 220)), int(rng.integers(60, 200))), rng, n=int(rng.integers(2, 7)), rough=.2)
        if art == "pines":
            ridge(lay, h * .72, h * .84, (120, 60, 30), rng, n=30)
            if rng.random() < .5:
                tree(lay, w * .94, h * .3, h * .8, w * .04, (60, 60, 20), rng)
        if art in ("city", "butte", "wiscene"):
            for _ in range(6):
                x0 = rng.uniform(.4, .95) * w
                cv2.rectangle(lay, (int(x0), int(h * rng.uniform(.3, .6))), (int(x0 + w * .05), int(h * .75)), pale(150), -1)
        a = rng.uniform(.25, .7)
    elif art == "rainbow":
        cols = [(80, 80, 220), (60, 160, 240), (80, 230, 240), (90, 200, 110), (220, 140, 80), (190, 90, 150)]
        for i, c in enumerate(cols):
            cv2.ellipse(lay, (int(w * .5), int(h * 1.1)), (int(w * .47 - i * w * .018), int(h * .93 - i * h * .036)), 0, 180, 360, c, max(1, int(h * .036)), cv2.LINE_AA)
        a = rng.uniform(.25, .6)
    elif art == "topstars":
        cv2.rectangle(lay, (0, 0), (w, int(h * .17)), (170, 90, 40), -1)
        for _ in range(14):
            star(lay, rng.uniform(0, 1) * w, rng.uniform(0, .16) * h, h * .04, (240, 240, 240))
        a = .85
    elif art in ("seal", "face", "arch", "plane", "casun", "palm", "ohio"):
        cx = {"casun": .5, "arch": .62}.get(art, rng.uniform(.45, .62))
        for _ in range(4):
            blob(lay, w * cx + rng.normal(0, w * .04), h * (.2 if art == "casun" else .45) + rng.normal(0, h * .06), w * rng.uniform(.05, .16), h * rng.uniform(.1, .3),
                 (90, 120, 235) if art in ("casun", "arch") else pale(130), rng)
        a = {"arch": rng.uniform(.6, .95)}.get(art, rng.uniform(.2, .6))
    elif art in ("leftflag", "pineleft", "stateleft", "pelican", "torch"):
        picture(lay, w * .01, h * rng.uniform(.05, .4), w * .14, h * rng.uniform(.3, .5), rng, strong=False)
        a = rng.uniform(.4, .9)
    elif art == "dclines":
        for yy in (.26, .78):
            cv2.line(lay, (int(w * .03), int(h * yy)), (int(w * .97), int(h * yy)), (70, 60, 200), max(1, int(h * .015)))
        a = .9
    elif art == "txstar":
        star(lay, w * .1, h * .14, h * .1, randcol(rng, 0, 250))
    elif art == "flagband":
        for i in range(20):
            cv2.rectangle(lay, (int(i * w / 20), int(h * .74)), (int((i + 1) * w / 20), int(h * .86)), [(30, 190, 240), (20, 20, 20), (50, 40, 200), (240, 240, 240)][int(rng.integers(4))], -1)
    elif art == "bottombox":
        cv2.rectangle(lay, (int(w * .3), int(h * .79)), (int(w * .7), int(h * .95)), (130, 60, 30), -1)
        a = .95
    elif art == "blobs":
        for _ in range(int(rng.integers(2, 7))):
            blob(lay, rng.uniform(0, 1) * w, rng.uniform(0, 1) * h, w * rng.uniform(.05, .3), h * rng.uniform(.1, .4), pale(90), rng)
        a = rng.uniform(.2, .7)
    elif art in SCENES:
        SCENES[art](lay, rng)
        a = rng.uniform(.75, 1)
    return cv2.addWeighted(lay, a, img, 1 - a, 0)


# Backgrounds of single states' designs, drawn in fractions of the plate. Colours are RRGGBB.


def _shape(img, pts, col, box=(0, 0, 1, 1)):
    """A polygon given in fractions of the box (x0, y0, x1, y1), which is in fractions of the picture."""
    h, w = img.shape[:2]
    x0, y0, x1, y1 = box
    poly(img, [((x0 + x * (x1 - x0)) * w, (y0 + y * (y1 - y0)) * h) for x, y in pts], hexcol(col))


def _rect(img, x0, y0, x1, y1, col):
    _shape(img, [(0, 0), (1, 0), (1, 1), (0, 1)], col, (x0, y0, x1, y1))


def _disc(img, x, y, r, col):
    """A disc, its radius in plate heights."""
    h, w = img.shape[:2]
    disc(img, x * w, y * h, r * h, hexcol(col))


def _fade(img, y0, y1, *cols):
    """A gradient from side to side between two heights."""
    h = img.shape[0]
    a, b = int(y0 * h), max(int(y1 * h), int(y0 * h) + 1)
    at = np.linspace(0, 1, b - a)
    stops = np.linspace(0, 1, len(cols))
    c = np.array([hexcol(c) for c in cols], float)
    img[a:b] = np.stack([np.interp(at, stops, c[:, k]) for k in range(3)], 1)[:, None]


def _line(img, pts, col, t):
    """A polyline; its thickness in plate heights."""
    h, w = img.shape[:2]
    cv2.polylines(img, [np.array([(int(x * w), int(y * h)) for x, y in pts], np.int32)], False, hexcol(col), max(1, int(t * h)), cv2.LINE_AA)


def _hills(img, y0, y1, col, rng, n=6, base=1.0):
    h = img.shape[0]
    ridge(img, h * y0, h * y1, hexcol(col), rng, n=n, rough=.4, base=h * base)


def _al_stars(img, rng):
    h, w = img.shape[:2]
    _fade(img, 0, .19, "2C4CA0", "4468B8")
    for x in np.concatenate([np.arange(.015, .28, .03), np.arange(.72, 1, .03)]):
        star(img, x * w, rng.uniform(.03, .15) * h, h * .035, (245, 245, 245))


def _al_heart(img, rng):
    """The heart with its arrow of words stood left of the state's name."""
    for x in (.185, .235):
        _disc(img, x, .1, .055, "C02030")
    _shape(img, [(.16, .12), (.26, .12), (.21, .22)], "C02030")


def _al_coast(img, rng):
    _fade(img, 0, .3, "F4D878", "F4F0D8")
    _hills(img, .74, .82, "5A8A50", rng)
    _fade(img, .86, 1, "4888B8", "2C68A0")
    _shape(img, [(0, .8), (.35, .86), (.5, .92), (0, .95)], "E8D8A8")


def _al_mountains(img, rng):
    _hills(img, .62, .74, "A8BCC8", rng)
    _hills(img, .76, .84, "587C60", rng)


def _ak_fifty(img, rng):
    """Fifty years of statehood: orange mountains with snow, the flag with a 50 at the left."""
    h, w = img.shape[:2]
    _shape(img, [(.3, .85), (.55, .5), (.66, .62), (.82, .38), (1, .6), (1, .85)], "F09840")
    _shape(img, [(.1, .88), (.45, .72), (.7, .78), (.9, .68), (1, .75), (1, 1), (0, 1), (0, .88)], "F4F0E8")
    _rect(img, .02, .27, .165, .62, "1C3C90")
    _rect(img, .02, .62, .165, .82, "F4F4F0")
    for x, y in ((.05, .5), (.06, .42), (.08, .38), (.1, .45), (.12, .4), (.15, .32)):
        star(img, x * w, y * h, h * .025, hexcol("F4C830"))


def _ak_rush(img, rng):
    """The gold rush's prospectors climbing the pass, from left below to right above."""
    _shape(img, [(0, .8), (.25, .62), (.4, .45), (.55, .28), (.75, .22), (1, .4), (1, 1), (0, 1)], "B8CCE4")
    _shape(img, [(0, .95), (.3, .75), (.6, .85), (1, .7), (1, 1), (0, 1)], "E8ECF4")
    for t in np.linspace(0, 1, 9):
        _disc(img, .04 + .3 * t, .78 - .33 * t, .03, "403830")


def _az_desert(img, rng):
    """Dark purple mountains along the foot, a low sun at the right, a saguaro at the left."""
    if rng.random() < .7:
        _disc(img, .8, .86, .2, "F8E090")
    purple = str(rng.choice(["3C2468", "4C2C74", "582C6C", "382050"]))
    _shape(img, [(0, .79), (.06, .74), (.1, .77), (.17, .7), (.24, .74), (.33, .69), (.38, .75), (.46, .73), (.5, .8), (.58, .84), (.7, .87), (.85, .9),
                 (1, .86), (1, 1), (0, 1)], purple)
    _line(img, [(.065, .38), (.065, .8)], purple, .035)
    _line(img, [(.035, .5), (.035, .6), (.065, .63)], purple, .025)
    _line(img, [(.095, .46), (.095, .56), (.065, .59)], purple, .025)


def _co_range(img, rng, sky, snow, shade=None):
    """A jagged snowy range whose upper edge meets the coloured sky in the plate's upper third."""
    h, w = img.shape[:2]
    sky = np.atleast_1d(sky)
    _fade(img, 0, .42, *sky)
    n = 25
    x = np.linspace(0, 1, n)
    y = .31 - .1 * np.exp(-((x - .5) / .3) ** 2) + rng.uniform(-.035, .035, n) + np.where(np.arange(n) % 2, .04, 0)
    _shape(img, [(0, .48)] + list(zip(x, y)) + [(1, .48)], snow)
    if shade:  # rocks below the ridge
        for i in range(1, n - 1, 2):
            _shape(img, [(x[i], y[i]), (x[i] + .03, y[i] + rng.uniform(.06, .16)), (x[i] - .01, y[i] + .12)], shade)


def _co_white(img, rng):
    _co_range(img, rng, str(rng.choice(["0E4A30", "123C2C", "104028"])), "F4F6F4")


def _co_green(img, rng):
    _co_range(img, rng, "F0F4F0", "0E4A30")


def _co_color(img, rng):
    skies = [["C02830", "E04038"], ["403070", "705098"], ["204088", "3860B0"], ["1C2C60", "5080B8"], ["8C6040", "C8A070"], ["101010", "303030"], ["206040", "408860"]]
    _co_range(img, rng, skies[int(rng.integers(len(skies)))], "ECEEF0", "A8ACB4")


def _ct_state(img, rng):
    _shape(img, CT_SHAPE, str(rng.choice(["1C3C88", "284890"])), (.055, .06, .155, .24))


CT_SHAPE = [(0, .12), (.95, 0), (1, .72), (.55, .74), (.12, 1), (.05, .95), (.2, .8), (.12, .7)]


def _dc_lines(img, rng):
    for y in (.235, .825):
        _line(img, [(.02, y), (.98, y)], "C83040", .014)


def _fl_map(img, rng):
    """The state in pale green behind the oranges."""
    _shape(img, FL_SHAPE, str(rng.choice(["8CC0A4", "98C4A8", "B0D4BC"])), (.34, .2, .68, .84))


FL_SHAPE = [(0, 0), (.5, .03), (.68, 0), (.76, .2), (.95, .55), (1, .85), (.9, 1), (.8, .88), (.68, .6), (.6, .3), (.45, .18), (.3, .22), (.2, .12), (0, .12)]


def _ga_peach(img, rng):
    """One large peach, pale, behind the middle of the serial."""
    _disc(img, .51, .52, .17, str(rng.choice(["E89060", "F0A878"])))
    _disc(img, .53, .55, .13, "F8DCC0")
    _shape(img, [(.5, .38), (.58, .3), (.54, .42)], "487848")


def _ga_orchard(img, rng):
    _hills(img, .8, .86, "D89858", rng)
    _hills(img, .88, .92, "8C6038", rng)
    for x, y, r in ((.05, .78, .12), (.13, .86, .1), (.93, .8, .1)):
        _disc(img, x, y, r, "E88848")
    for x in (.02, .1, .17, .05):
        _disc(img, x, rng.uniform(.06, .3), .045, "F0B0B8")


def _hi_rainbow(img, rng):
    """A wide flat bow from foot to foot, its crown just below the name."""
    h, w = img.shape[:2]
    pale = rng.uniform(0, .5)
    t = .04
    for i, c in enumerate(["E87080", "F0A860", "F4E040", "F4E878", "90CC90", "90B8E0", "B8A0D0"]):
        col = tuple(int(v + (238 - v) * (1 - pale)) for v in hexcol(c))
        cv2.ellipse(img, (w // 2, int(h * 1.08)), (int(w * .47 - i * t * h), int(h * (.92 - i * t))), 0, 180, 360, col, max(1, int(h * t * 1.3)), cv2.LINE_AA)


def _ia_farm(img, rng):
    """Grey towers of a city and silos of a farm on the right, under a blue sky."""
    for x, y, ww in ((.47, .52, .03), (.52, .45, .03), (.57, .5, .03), (.6, .56, .1), (.78, .36, .07), (.87, .42, .06), (.94, .4, .04)):
        _rect(img, x, y, x + ww, .78, str(rng.choice(["C4CCD4", "B4BCC8", "D0D4D8"])))
    _shape(img, [(.58, .58), (.65, .46), (.72, .58)], "BCC4CC")


def _ia_skyline(img, rng):
    """Since 2018: white towers and barns cut out of a blue sky, green fields below."""
    _fade(img, 0, .3, "1C84C0", "48A8D8")
    x = 0
    while x < 1:
        step = rng.uniform(.02, .07)
        _rect(img, x, rng.uniform(.17, .27) if .14 < abs(x - .5) < .48 else .27, x + step, .31, "F4F4F4")
        x += step + rng.uniform(0, .03)
    _hills(img, .78, .83, "58A048", rng)
    _fade(img, .86, 1, "A8C850", "78B048")


def _id_pines(img, rng):
    """Blue mountains along the foot, a dark ridge of firs below, tall ones at the sides."""
    h, w = img.shape[:2]
    _hills(img, .55, .68, "90A8D0", rng)
    _hills(img, .64, .74, "5C7CB4", rng, n=9)
    _fade(img, .82, 1, "2C4C94", "1C3070")
    ridge(img, h * .74, h * .84, hexcol("24407C"), rng, n=30, base=h * .9)
    for x in (.03, .955, .99):
        tree(img, x * w, h * rng.uniform(.32, .4), h * .84, w * .03, hexcol("24386C"), rng)


def _il_face(img, rng):
    """Lincoln's head in pale blue, in the middle."""
    h, w = img.shape[:2]
    c = hexcol(str(rng.choice(["A8C0E0", "C0D0E8", "98B4DC"])))
    blob(img, w * .49, h * .5, h * .17, h * .24, c, rng, rough=.1)
    blob(img, w * .5, h * .47, h * .1, h * .12, hexcol("ECF0F6"), rng, rough=.15)


def _il_half(img, rng):
    """Since 2017: a large half of Lincoln's face at the left edge, skyline pale below."""
    h, w = img.shape[:2]
    blob(img, w * .06, h * .5, w * .09, h * .42, hexcol("8CA8CC"), rng, rough=.12)
    blob(img, w * .09, h * .48, w * .05, h * .28, hexcol("D4E0EC"), rng, rough=.2)
    blob(img, w * .05, h * .2, w * .08, h * .16, hexcol("405878"), rng, rough=.2)
    for x in np.arange(.3, .98, .05):
        _rect(img, x, rng.uniform(.66, .8), x + .035, .84, "CCDCEC")


def _in_torch(img, rng):
    """The torch in its circle of stars at the left; the county stands in a white slip above."""
    h, w = img.shape[:2]
    if rng.random() < .7:
        for a in np.arange(0, 2 * np.pi, np.pi / 6.5):
            star(img, w * .1 + h * .19 * np.cos(a), h * .5 + h * .22 * np.sin(a), h * .025, (240, 240, 240))
        _line(img, [(.1, .45), (.1, .66)], "F0F0F0", .03)
        _disc(img, .1, .42, .05, "F4F0E0")
    _rect(img, .27, .04, .73, .175, "F4F4F0")


def _in_flag(img, rng):
    for i in range(4):
        _rect(img, 0, .8 + i * .05, 1, .825 + i * .05, "C83040" if i % 2 else "F0F0F0")


def _in_bridge(img, rng):
    """The covered bridge: trees on both sides, red bridge in the middle, water below."""
    for x in np.concatenate([np.arange(0, .27, .05), np.arange(.74, 1.03, .05)]):
        _disc(img, x, rng.uniform(.76, .82), .08, str(rng.choice(["4C9058", "60A468", "3C7C50"])))
    _fade(img, .84, .93, "68A868", "88B898")
    _fade(img, .91, 1, "A8D4E8", "78B4DC")
    _rect(img, .35, .75, .66, .86, "B86058")
    for x in np.arange(.37, .65, .06):
        _rect(img, x, .79, x + .03, .84, "E8E0D8")


def _in_grain(img, rng):
    _hills(img, .7, .78, "70A068", rng)
    _fade(img, .82, 1, "E8C860", "D8A840")


def _ks_seal(img, rng):
    """The state's seal, large and blue in blue behind the serial's left half."""
    h, w = img.shape[:2]
    c = str(rng.choice(["98B0D4", "B4C8E4", "8CA4C8"]))
    _disc(img, .5, .55, .36, c)
    _disc(img, .5, .55, .28, "B4C8E0")
    blob(img, w * .5, h * .55, h * .18, h * .16, hexcol(c), rng)


def _ks_wheat(img, rng):
    for x in (.47, .5, .53):
        _line(img, [(x, .78), (x + rng.uniform(-.02, .02), .3)], "D0A850", .02)
        for y in np.arange(.28, .48, .04):
            _disc(img, x, y, .03, "DCB860")


def _ky_box(img, rng):
    """The county's blue box; the name's motto in small red letters and its horse's head."""
    _fade(img, .76, 1, "C8DCF0", "88B0DC")
    _line(img, [(.4, .245), (.66, .245)], "B05058", .02)
    _shape(img, [(0, .9), (.5, 0), (1, .35), (.7, .5), (.6, 1)], "5070B0", (.69, .05, .78, .2))
    _rect(img, .25, .825, .75, .96, str(rng.choice(["24489C", "1C3C90", "2C58A8"])))


def _ky_grass(img, rng):
    _fade(img, .55, 1, "ECF4F8", "50A8E0")
    _rect(img, .3, .85, .7, .97, "203C88")


def _ky_spires(img, rng):
    for x in (.06, .94):
        _shape(img, [(x - .03, .75), (x - .03, .45), (x, .25), (x + .03, .45), (x + .03, .75)], "9CB4D8")
    _rect(img, .25, .825, .75, .96, "24489C")


def _la_pelican(img, rng):
    """The brown pelican between the groups, a warm evening below."""
    h, w = img.shape[:2]
    _fade(img, .6, 1, "F4EEE0", "F0C890", "E8A870")
    c = str(rng.choice(["989490", "ACA49C", "B8A890"]))
    blob(img, w * .55, h * .62, w * .05, h * .16, hexcol(c), rng, rough=.15)
    _line(img, [(.54, .52), (.51, .42), (.535, .33), (.55, .36)], c, .05)
    _line(img, [(.53, .34), (.49, .5)], c, .03)
    _line(img, [(.55, .75), (.55, .92)], "887868", .06)


def _ma_month(img, rng):
    """The month of expiry stands in plain letters of the serial's red at the upper left."""
    h, w = img.shape[:2]
    lettering(img, MONTHS[int(rng.integers(12))], w * .09, h * .07, h * .1, w * .12, hexcol("B82830"), rng, fit=True)


def _md_flag(img, rng):
    """Maryland's flag as a waving band along the foot."""
    n = 28
    for i in range(n):
        x = i / n
        y = .8 + .03 * np.sin(x * 9)
        q = (i // 7) % 2
        a, b = (("E8B830", "181818"), ("C03038", "F0F0F0"))[q]
        for j in range(3):
            _rect(img, x, y + j * .06, x + 1 / n + .003, y + (j + 1) * .06, a if (i + j) % 2 else b)


def _md_1812(img, rng):
    """The fort's ramparts at the foot, the large striped flag and bursting bombs above."""
    h, w = img.shape[:2]
    _fade(img, 0, .4, "C8D4DC", "F0F0EC")
    for i in range(7):
        _shape(img, [(0, 0), (.4, .15), (1, .05), (1, .85), (.4, 1), (0, .8)], "B83840" if i % 2 == 0 else "F0ECE8", (.02, .08 + i * .045, .19, .13 + i * .045))
    _rect(img, .02, .08, .09, .26, "283C70")
    for _ in range(5):
        star(img, w * rng.uniform(.2, .95), h * rng.uniform(.05, .25), h * rng.uniform(.03, .07), hexcol("E89848"), k=8)
    _shape(img, [(0, .84), (.2, .8), (.5, .85), (.8, .8), (1, .84), (1, 1), (0, 1)], "907868")


def _md_bay(img, rng):
    """Treasure the Chesapeake: a heron among reeds at the right, green and tan water."""
    _hills(img, .6, .7, "8CB4A8", rng)
    _fade(img, .78, 1, "7CA890", "B8A878")
    for x in np.arange(.84, .99, .02):
        _line(img, [(x, .95), (x + rng.uniform(-.02, .02), rng.uniform(.2, .5))], "8C8C50", .02)
    _line(img, [(.9, .85), (.91, .55), (.89, .42), (.91, .34), (.88, .33)], "5C7488", .05)


def _md_farm(img, rng):
    """Our Farms, Our Future: a yellow and red sunrise over fields."""
    _fade(img, 0, .75, "F8E8B0", "F4D060", "F0A048")
    _disc(img, .5, .72, .25, "F8E070")
    _fade(img, .74, 1, "90A850", "688C40")


def _me_chickadee(img, rng):
    """Chickadee on a pine branch with its cone at the left, grey-green woods along the foot."""
    h, w = img.shape[:2]
    ridge(img, h * .8, h * .88, hexcol(str(rng.choice(["A8C4B4", "B8CCBC", "90B4A4"]))), rng, n=28)
    _fade(img, .93, 1, "A0BCAC", "88A898")
    for _ in range(16):  # needles
        x, y = rng.uniform(.02, .14), rng.uniform(.3, .75)
        _line(img, [(x, y), (x + rng.uniform(-.05, .05), y + rng.uniform(0, .12))], "587058", .012)
    blob(img, w * .08, h * .31, w * .045, h * .13, hexcol("585850"), rng, rough=.15)
    _disc(img, .06, .18, .07, "202020")
    _disc(img, .1, .35, .065, "C8C0B4")
    blob(img, w * .115, h * .65, w * .028, h * .15, hexcol("906840"), rng, rough=.1)


def _me_lobster(img, rng):
    h, w = img.shape[:2]
    blob(img, w * .5, h * .55, w * .04, h * .2, hexcol("E08078"), rng, rough=.3)
    for x in (.45, .55):
        blob(img, w * x, h * .36, w * .025, h * .1, hexcol("E08078"), rng, rough=.2)


def _me_pine(img, rng):
    h, w = img.shape[:2]
    tree(img, w * .1, h * .25, h * .85, w * .06, hexcol("1C4838"), rng)
    star(img, w * .1, h * .16, h * .07, hexcol("203468"))


def _mi_band(img, rng):
    """The blue band above, fading out at its lower edge."""
    _fade(img, 0, .16, "203C90", "2C4CA0")
    _fade(img, .16, .26, "2C4CA0", "F2F4F6")


def _mi_bridge(img, rng):
    """The Mackinac bridge in a sunset."""
    _fade(img, 0, 1, "F0B060", "F4D8A0", "A8C4D8", "5080A8")
    for x in (.2, .8):
        _line(img, [(x, .3), (x, .75)], "806858", .03)
    _line(img, [(0, .6), (.2, .32), (.5, .6), (.8, .32), (1, .6)], "907868", .015)
    _line(img, [(0, .7), (1, .7)], "806858", .02)


def _mn_lake(img, rng):
    """A lake under wooded shores across the top, pale in the middle, blue again below."""
    h, w = img.shape[:2]
    teal = str(rng.choice(["48A0A8", "5CA8B8", "4C94B0", "60A0C0"]))
    _fade(img, 0, .15, "D4E8F0", "A8D4E4")
    ridge(img, h * .13, h * .19, hexcol(teal), rng, n=16, rough=.3, base=h * .24)
    _shape(img, [(0, .17), (.25, .2), (1, .19), (1, .25), (.6, .235), (0, .25)], teal)
    for x in np.arange(.8, 1, .03):
        tree(img, x * w, h * rng.uniform(.03, .1), h * .22, w * .018, hexcol("3C8890"), rng)


def _ms_lighthouse(img, rng):
    """Biloxi's light in front of a sunrise."""
    _fade(img, 0, 1, "A8BCE4", "E8D0D0", "F4DC88", "F4D050", "C0B8A0")
    _shape(img, [(.4, 0), (.6, 0), (1, 1), (0, 1)], "F4F0E4", (.475, .36, .545, .85))
    _rect(img, .483, .27, .537, .36, "585048")


def _ms_magnolia(img, rng):
    """A large white magnolia with dark green leaves in the middle."""
    for dx, dy in ((-.07, .06), (.07, .05), (-.04, -.16), (.05, -.15), (0, .2)):
        _disc(img, .5 + dx, .52 + dy, .13, "7CA484")
    for a in np.arange(0, 6.2, 1.05):
        _disc(img, .5 + .04 * np.cos(a), .52 + .09 * np.sin(a), .09, "F4F0E8")
    _disc(img, .5, .52, .04, "E0D080")


def _ms_guitar(img, rng):
    """B. B. King's guitar leaning across the middle."""
    _disc(img, .47, .66, .13, "A86048")
    _disc(img, .5, .55, .1, "A86048")
    _line(img, [(.48, .62), (.57, .25)], "705040", .04)


def _ms_seal(img, rng):
    _disc(img, .5, .53, .24, "C8AC68")
    _disc(img, .5, .53, .21, "F0E4C4")
    h, w = img.shape[:2]
    blob(img, w * .5, h * .53, h * .13, h * .13, hexcol("8C8CA0"), rng)


SCENES = {f.__name__[1:]: f for f in (
    _al_stars, _al_heart, _al_coast, _al_mountains, _ak_fifty, _ak_rush, _az_desert, _co_white, _co_green, _co_color, _ct_state, _dc_lines, _fl_map,
    _ga_peach, _ga_orchard, _hi_rainbow, _ia_farm, _ia_skyline, _id_pines, _il_face, _il_half, _in_torch, _in_flag, _in_bridge, _in_grain,
    _ks_seal, _ks_wheat, _ky_box, _ky_grass, _ky_spires, _la_pelican, _ma_month, _md_flag, _md_1812, _md_bay, _md_farm, _me_chickadee, _me_lobster, _me_pine,
    _mi_band, _mi_bridge, _mn_lake, _ms_lighthouse, _ms_magnolia, _ms_guitar, _ms_seal)}


# What stands between a serial's groups: (width in character heights, how it is drawn in the box x, y, w, h; ink is the serial's colour).


def _shape_at(img, pts, x, y, w, h, col, line=False):
    p = [(x + a * w, y + b * h) for a, b in pts]
    if line:
        cv2.polylines(img, [np.round(np.asarray(p) * 16).astype(np.int32)], True, col, max(1, int(w * .05)), cv2.LINE_AA, 4)
    else:
        poly(img, p, col)


def _sep_ak(img, x, y, w, h, rng, ink):
    cv2.rectangle(img, (int(x), int(y + h * .32)), (int(x + w), int(y + h * .68)), hexcol("1C2C70"), -1)
    for a, b in ((.15, .6), (.25, .5), (.4, .45), (.5, .52), (.65, .48), (.85, .38)):
        disc(img, x + w * a, y + h * b, h * .035, hexcol("F4D040"))


def _sep_ak_bear(img, x, y, w, h, rng, ink):
    c = hexcol("8C6440")
    blob(img, x + w * .5, y + h * .6, w * .45, h * .3, c, rng, rough=.15)
    disc(img, x + w * .35, y + h * .25, w * .2, c)


def _sep_ar(img, x, y, w, h, rng, ink):
    """The diamond, seen through by the sky behind."""
    dia = [(.5, 0), (1, .5), (.5, 1), (0, .5)]
    _shape_at(img, dia, x - w * .1, y + h * .15, w * 1.2, h * .7, hexcol(str(rng.choice(["B0B8D0", "C4CCDC", "A8A8C0"]))))
    _shape_at(img, dia, x + w * .15, y + h * .3, w * .7, h * .4, hexcol("ECEEF4"))


def _sep_az(img, x, y, w, h, rng, ink):
    t = max(1, int(w * .22))
    for pts in ([(.5, .1), (.5, .9)], [(.1, .35), (.1, .55), (.5, .6)], [(.9, .25), (.9, .45), (.5, .5)]):
        cv2.polylines(img, [np.array([(int(x + a * w), int(y + b * h)) for a, b in pts], np.int32)], False, ink, t, cv2.LINE_AA)


def _sep_fl(img, x, y, w, h, rng, ink):
    """Two oranges, leaves above, a blossom at the lower right."""
    green, orange = hexcol("2C7048"), hexcol(str(rng.choice(["E87828", "DC6820", "F08C30"])))
    for a, b in ((.3, .1), (.7, .12), (.9, .35)):
        blob(img, x + w * a, y + h * b, w * .22, h * .12, green, rng, rough=.2)
    disc(img, x + w * .32, y + h * .6, w * .42, orange)
    disc(img, x + w * .62, y + h * .38, w * .38, orange)
    for a in np.arange(0, 6.2, 1.26):
        disc(img, x + w * (.82 + .13 * np.cos(a)), y + h * (.75 + .1 * np.sin(a)), w * .09, (248, 248, 248))


def _sep_ga(img, x, y, w, h, rng, ink):
    disc(img, x + w * .5, y + h * .55, w * .5, hexcol(str(rng.choice(["E88850", "F0A070"]))))
    disc(img, x + w * .58, y + h * .6, w * .35, hexcol("F4BC90"))
    blob(img, x + w * .65, y + h * .2, w * .25, h * .08, hexcol("488048"), rng, rough=.2)


KY_SHAPE = [(0, .85), (.12, .62), (.32, .55), (.48, .28), (.62, .15), (.8, .2), (1, .5), (.85, .75), (.55, .83), (.2, .9)]
MN_SHAPE = [(.08, .05), (.35, .05), (.4, .13), (.95, .22), (.66, .45), (.6, .62), (.85, .85), (.85, .97), (.16, .97), (.16, .6), (.06, .5)]


def _sep_ky(img, x, y, w, h, rng, ink):
    _shape_at(img, KY_SHAPE, x, y + h * .33, w, h * .38, hexcol("5070B0"), line=True)


def _sep_la(img, x, y, w, h, rng, ink):
    """The state's boot."""
    _shape_at(img, [(.1, .1), (.55, .1), (.6, .5), (.85, .55), (1, .9), (.6, .88), (.1, .8), (.15, .5)], x, y + h * .3, w, h * .5, hexcol("9CA8C8"), line=rng.random() < .5)


def _sep_md(img, x, y, w, h, rng, ink):
    """The shield, quartered in black and gold, red and white."""
    y, h = y + h * .2, h * .62
    gold, red, white, black = hexcol("F0C040"), hexcol("C83038"), (245, 245, 245), (25, 25, 25)
    _shape_at(img, [(0, 0), (1, 0), (1, .7), (.5, 1), (0, .7)], x, y, w, h, black)
    for i, j, a, b in ((0, 0, gold, black), (1, 0, white, red), (0, 1, white, red), (1, 1, gold, black)):
        x0, y0, ww, hh = x + w * (.07 + .45 * i), y + h * (.05 + .38 * j), w * .41, h * .36
        _shape_at(img, [(0, 0), (1, 0), (1, 1), (0, 1)], x0, y0, ww, hh, a)
        _shape_at(img, [(.25, 0), (.5, 0), (.75, 1), (.5, 1)], x0, y0, ww, hh, b)


def _sep_mn(img, x, y, w, h, rng, ink):
    _shape_at(img, MN_SHAPE, x, y + h * .2, w, h * .6, tuple(int(v) for v in ink))


SEPARATORS = {"ak": (.62, _sep_ak), "ak_bear": (.6, _sep_ak_bear), "ar": (.5, _sep_ar), "az": (.35, _sep_az), "fl": (.72, _sep_fl), "ga": (.6, _sep_ga),
              "ky": (.75, _sep_ky), "la": (.5, _sep_la), "md": (.45, _sep_md), "mn": (.5, _sep_mn)}


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
