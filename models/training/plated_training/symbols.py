"""Pictures that stand between the groups of a serial, and outlines of states. Colours are BGR."""
import cv2
import numpy as np

from . import art
from .art import blob, disc, hexcol, poly

# Outlines as points on the unit box, y down, coarse: they are ten pixels tall where they matter.
OUTLINES = {
    "mo": [(0, 0), (.62, 0), (.66, .12), (.76, .3), (.78, .42), (.9, .6), (1, .8), (.93, .92), (.86, 1), (.82, .88), (.16, .88), (.16, .3), (.08, .2)],
    "mt": [(0, .05), (1, .05), (1, .8), (.42, .8), (.38, .88), (.27, .9), (.2, .6), (.12, .5), (.1, .3), (.02, .2)],
    "ne": [(0, .05), (.68, .05), (.8, .12), (.92, .35), (.95, .6), (1, .9), (.3, .9), (.3, .62), (0, .62)],
    "nj": [(.35, 0), (.9, .18), (.78, .4), (.9, .5), (.75, .8), (.4, 1), (.1, .8), (.45, .48), (.25, .3)],
    "ny": [(0, .62), (.1, .5), (.4, .45), (.42, .25), (.58, 0), (.78, 0), (.8, .5), (.82, .78), (1, .84), (.8, .95), (.74, .86), (.62, .72), (0, .76)],
    "tn": [(.05, .3), (1, .2), (.95, .45), (.82, .75), (0, .8)],
    "tx": [(.3, 0), (.5, 0), (.5, .25), (.75, .32), (.97, .36), (1, .6), (.85, .7), (.68, .82), (.68, 1), (.5, .9), (.4, .68), (.28, .72), (.18, .62), (0, .46), (.3, .46)],
    "wv": [(.42, 0), (.5, .25), (.75, .3), (1, .35), (.8, .5), (.6, .8), (.4, 1), (.15, .9), (0, .65), (.2, .4), (.4, .25)],
}
HORSE = [(0, .42), (.2, .38), (.5, .43), (.68, .3), (.8, .2), (.98, .34), (.94, .43), (.82, .38), (.74, .56), (.96, .62), (.92, .73), (.7, .7),
         (.5, .7), (.35, .72), (.4, .86), (.28, 1), (.18, .98), (.26, .84), (.14, .68), (.02, .66)]
RIDER = [(.34, .46), (.34, .22), (.2, .06), (.28, .02), (.4, .14), (.42, .07), (.38, 0), (.58, 0), (.52, .1), (.56, .26), (.54, .46)]


def draw(img, pts, x, y, w, h, col):
    art.poly(img, [(x + a * w, y + b * h) for a, b in pts], col)


def outline(name, aspect, col=None):
    """A separator that is a filled state, `aspect` = height over width; in the serial's colour if none is given."""
    def sep(img, x, y, w, h, rng, ink):
        hh = min(w * aspect, h)
        draw(img, OUTLINES[name], x, y + (h - hh) / 2, w, hh, art.hexcol(col) if col else ink)
    return sep


def keystone(img, x, y, w, h, rng, ink):
    draw(img, [(.1, 0), (.9, 0), (1, .25), (.85, .25), (.95, 1), (.05, 1), (.15, .25), (0, .25)], x, y + h / 2 - w * .5, w, w, ink)


def bronc(img, x, y, w, h, rng, ink):
    for pts in (HORSE, RIDER):
        draw(img, pts, x - w * .06, y - h * .14, w * 1.12, h * 1.25, ink)


def zia(img, x, y, w, h, rng, ink):
    """The sun of New Mexico: four rays each way around a disc, red on the yellow plate, yellow on the blue one."""
    cx, cy, r = x + w / 2, y + h / 2, w / 2
    t = max(1, int(r * .09))
    for i in (-1.5, -.5, .5, 1.5):
        k, d = r * (1 if abs(i) < 1 else .75), i * r * .17
        for dx, dy, ex, ey in ((d, -k, d, k), (-k, d, k, d)):
            cv2.line(img, (int(cx + dx), int(cy + dy)), (int(cx + ex), int(cy + ey)), ink, t, cv2.LINE_AA)
    art.disc(img, cx, cy, r * .42, ink)
    art.disc(img, cx, cy, r * .3, art.hexcol("B83028"))


def fir(img, x, y, w, h, rng, ink):
    """Oregon's tree stands taller than the serial."""
    art.tree(img, x + w / 2, y - h * .25, y + h * 1.22, w * .58, art.hexcol("2C8C5C"), rng)
    cv2.rectangle(img, (int(x + w * .46), int(y + h * 1.2)), (int(x + w * .54), int(y + h * 1.3)), art.hexcol("705040"), -1)


def palmetto(img, x, y, w, h, rng, ink):
    """South Carolina: palm and crescent, dark blue."""
    col, cx, cy = art.hexcol("203058"), x + w / 2, y + h * .35
    cv2.line(img, (int(cx), int(cy)), (int(cx), int(y + h * 1.12)), col, max(1, int(w * .1)), cv2.LINE_AA)
    for a in np.linspace(-3.4, .3, 9):
        cv2.ellipse(img, (int(cx + w * .24 * np.cos(a)), int(cy + w * .24 * np.sin(a))), (max(int(w * .26), 1), max(int(w * .08), 1)), np.rad2deg(a), 0, 360, col, -1, cv2.LINE_AA)
    cv2.ellipse(img, (int(x + w * .1), int(y - h * .1)), (max(int(w * .13), 1),) * 2, 60, -90, 90, col, max(1, int(w * .07)), cv2.LINE_AA)


def shield(img, x, y, w, h, rng, ink):
    """Oklahoma: a brown war shield with feathers hanging below."""
    r = w * .48
    for dx in (-.6, -.2, .2, .6):
        art.blob(img, x + w / 2 + dx * r, y + h * .5 + r * 1.25, r * .16, r * .6, art.hexcol("B8B0A0"), rng, rough=.1)
    art.disc(img, x + w / 2, y + h * .42, r, art.hexcol("A87850"))
    art.blob(img, x + w / 2, y + h * .42, r * .6, r * .5, art.hexcol("D8C8A0"), rng)
    cv2.line(img, (int(x + w * .1), int(y + h * .7)), (int(x + w * .9), int(y + h * .1)), art.hexcol("506878"), max(1, int(w * .06)), cv2.LINE_AA)


def texas(img, x, y, w, h, rng, ink):
    """Texas in the colours of its flag, or in one colour."""
    s, cy = min(w, h * .5), y + h / 2
    pts = np.array(OUTLINES["tx"])
    if rng.random() < .5:
        draw(img, pts, x, cy - s / 2, w, s, ink)
        return
    draw(img, pts, x, cy - s / 2, w, s, art.hexcol("B82838"))
    draw(img, pts[[0, 1, 2, 12, 13, 14]] * (1, .7) + (0, .05), x, cy - s / 2, w, s, art.hexcol("28407C"))


def seal(img, x, y, w, h, rng, ink):
    r = w * .5
    art.disc(img, x + w / 2, y + h / 2, r, art.hexcol("C0A860"))
    art.disc(img, x + w / 2, y + h / 2, r * .75, art.hexcol("7888A0"))
    art.blob(img, x + w / 2, y + h / 2, r * .45, r * .5, art.hexcol("C8B880"), rng)


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




# Name in states.py -> (width over the serial's height, function).
SEPARATORS = {
    "ak": (.62, _sep_ak), "ak_bear": (.6, _sep_ak_bear), "ar": (.5, _sep_ar), "az": (.35, _sep_az), "fl": (.72, _sep_fl), "ga": (.6, _sep_ga),
    "ky": (.75, _sep_ky), "la": (.5, _sep_la), "md": (.45, _sep_md), "mn": (.5, _sep_mn),
    "bronc": (.7, bronc), "fir": (.42, fir), "keystone": (.2, keystone), "mo": (.45, outline("mo", .9, "8098B8")), "nj": (.17, outline("nj", 1.8)),
    "ny": (.34, outline("ny", .8)), "palmetto": (.62, palmetto), "seal": (.6, seal), "shield": (.55, shield), "texas": (.3, texas),
    "tn": (.5, outline("tn", .3)), "wv": (.25, outline("wv", 1)), "zia": (.6, zia),
}
