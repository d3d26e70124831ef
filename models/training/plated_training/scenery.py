"""Printed backgrounds of designs: of no state in particular, and of the states from AL to MS (SCENES).

The others are in backdrops.py.
"""
import cv2
import numpy as np

from .art import MONTHS, blob, disc, hexcol, lettering, poly, randcol, ridge, star, tree

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


def draw(img, art, rng):
    """Printed background of a design; kept paler than the serial as states do."""
    h, w = img.shape[:2]
    lay = img.copy()
    a = rng.uniform(.2, .7)
    pale = lambda lo: randcol(rng, lo, 235)
    if art == "mountains":
        ridge(lay, h * .25, h * .5, pale(120), rng, n=int(rng.integers(3, 9)))
        ridge(lay, h * .4, h * .6, pale(150), rng, n=int(rng.integers(3, 9)), base=h * .8)
    elif art == "hills":
        for y in (.6, .7, .8):
            col = (int(rng.integers(60, 230)), int(rng.integers(100, 220)), int(rng.integers(60, 200)))
            ridge(lay, h * y, h * (y + .12), col, rng, n=int(rng.integers(2, 7)), rough=.2)
    elif art in ("seal", "casun"):
        cx, cy = (.5, .2) if art == "casun" else (rng.uniform(.45, .62), .45)
        for _ in range(4):
            col = (90, 120, 235) if art == "casun" else pale(130)
            blob(lay, w * cx + rng.normal(0, w * .04), h * cy + rng.normal(0, h * .06), w * rng.uniform(.05, .16), h * rng.uniform(.1, .3), col, rng)
    elif art == "blobs":
        for _ in range(int(rng.integers(2, 7))):
            blob(lay, rng.uniform(0, 1) * w, rng.uniform(0, 1) * h, w * rng.uniform(.05, .3), h * rng.uniform(.1, .4), pale(90), rng)
    else:
        SCENES[art](lay, rng)
        a = rng.uniform(.75, 1)
    return cv2.addWeighted(lay, a, img, 1 - a, 0)
