"""Flat, frontal, undamaged pictures of US number plates with their labels."""
from dataclasses import dataclass, field

import cv2
import numpy as np

from . import art, backdrops, fonts, glyphs, scenery, symbols
from .states import CODES, STATES

SIZES = {"moto": (7.0, 4.0)}  # inches; everything else is 12 x 6
SAFE = "ABCDEFGHJKLMNPRSTUVWXYZ"
ALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SYL = ["BA", "BE", "CO", "DA", "DO", "FA", "GO", "JA", "JO", "KA", "LA", "LO", "MA", "ME", "MO", "NA", "NO", "PA", "RA", "RO", "SA", "SO", "TA",
       "TO", "VA", "WI", "ZO", "IN", "ER", "ON", "AN", "EL", "LY", "IT", "IS", "QU", "UP", "OK", "GR8", "4U", "2", "1", "MR", "MY", "ST", "TH", "NG",
       "CK", "X", "Z", "U", "I", "K9", "B", "SH", "OO", "EE", "LL", "TT", "8", "4", "EV", "IM", "JK", "VW", "QX", "Q", "HI", "II", "OH"]


@dataclass
class Plate:
    image: np.ndarray
    text: str
    state: str
    chars: list  # (character, cx, cy, w, h), pixels, in reading order
    kind: str = "passenger"
    mask: np.ndarray = field(default=None)  # uint8, 0 outside the rounded corners


def vanity(rng):
    n = int(rng.choice([2, 3, 4, 5, 6, 7, 7, 7, 6, 5]))
    if rng.random() < .35:  # any characters: no word may be learned by heart
        t = "".join(rng.choice(list(glyphs.ALNUM + "IIIQQWWJM")) for _ in range(n))
    else:
        t = ""
        while len(t) < n:
            t += str(rng.choice(SYL))
        t = t[:n]
    if n > 3 and rng.random() < .35:
        k = int(rng.integers(1, n))
        t = t[:k] + " " + t[k:]
    return t


def fill(pattern, rng, letters):
    """Pattern -> list of tokens (type, text): char, sym, pic, stack, gap, dash, dot, equal, shape."""
    if "vanity" in pattern:
        pre, post = pattern.split("vanity")
        v = vanity(rng)
        if "#" in post and len(v) > 2:
            v = v[:6]
            k = int(rng.integers(0, len(v) + 1))
            v = v[:k] + "#" + v[k:]
        pattern = pre + "".join("\\" + c if c.isalnum() else c for c in v) + post.replace("#", "")
    out, i = [], 0

    def one(c):
        if c == "l":
            return str(rng.choice(letters))
        if c in "dD":
            return str(rng.integers(0, 10))
        return str(rng.integers(1, 10)) if c == "n" else c
    while i < len(pattern):
        c = pattern[i]
        if c == "\\":
            i += 1
            out.append(("char", pattern[i]))
        elif c == "{":
            j = pattern.index("}", i)
            out.append(("stack", "".join(x if x == "D" else one(x) for x in pattern[i + 1:j])))
            i = j
        elif c == "(":
            out.append(("shape", pattern[i + 1]))
            i += 2
        elif c in " -.*<#=":
            out.append(({" ": "gap", "-": "dash", ".": "dot", "*": "pic", "<": "side", "#": "sym", "=": "equal"}[c], ""))
        else:
            out.append(("char", one(c)))
        i += 1
    return out


def random_design(rng):
    """A plate of no known state: every colour and layout at random, so that the reader leans on shapes only."""
    dark = rng.random() < .35
    bg = [art.randcol(rng, 0, 110) if dark else art.randcol(rng, 140, 256) for _ in range(int(rng.integers(1, 4)))]
    if rng.random() < .4:
        bg = bg[:1]
    for _ in range(20):
        fg = art.randcol(rng, 150, 256) if dark else art.randcol(rng, 0, 150)
        if abs(np.mean(fg) - np.mean([np.mean(b) for b in bg])) > 50:
            break
    hx = lambda c: "%02X%02X%02X" % (c[2], c[1], c[0])
    word = lambda: "".join(str(rng.choice(SYL)) for _ in range(int(rng.integers(2, 6))))
    pats = []
    for _ in range(3):
        n = int(rng.integers(4, 9)) if rng.random() < .95 else 9
        p = "".join(rng.choice(list("lldd")) for _ in range(n))
        k = int(rng.integers(0, n))
        p = p[:k] + str(rng.choice(["", "", " ", "-", "*", ".", "#"])) + p[k:]
        p = str(rng.choice(["", "", "", "", "", "<", "{ll}", "{lll}", "{dd}"])) + p + str(rng.choice(["", "", "", "", "", "<", "{ll}", "{dd}", "{ddl}"]))
        pats.append(p)
    return dict(fg=[hx(fg)], bg=[" ".join(hx(b) for b in bg)], top=[word()], bottom=[word(), ""], pats=pats, ncol=[hx(art.randcol(rng, 0, 200))] * 1 + [hx(fg)],
                scol=[hx(fg)], nfont=str(rng.choice(["sans", "serif", "script"])), sfont="sans", w=1, art=str(rng.choice(["", "blobs", "mountains", "hills", "seal"])),
                bands=None, die={}, sticker="tr", kind="generic")


def _die(design, rng):
    fnt = fonts.load()
    want = {k: float(rng.uniform(*v)) if isinstance(v, tuple) else v for k, v in (design["die"] or {}).items()}
    style = want.pop("font", None)
    die = glyphs.random_die(rng, list(fnt["plate"]), **want)
    if design["kind"].startswith(("digital", "temporary")) and fnt["plate"]:
        die.font = str(rng.choice(list(fnt["plate"])))
    if style == "strokes?" and rng.random() < .7:
        die.font = None
    if style == "serif?" and rng.random() < .7:
        die.font, die.serif = None, float(rng.uniform(.18, .34))
        if fnt["serif"] and rng.random() < .35:
            die.font = str(rng.choice(list(fnt["serif"])))
    if want and rng.random() < .25:  # not every plate of a state comes from the one die
        die.variants.update({c: str(rng.choice(v)) for c, v in glyphs.VARIANTS.items()})
    elif want.get("variants"):
        die.stroke = float(rng.uniform(.08, .135))
        die.width = float(rng.uniform(.4, .52))
        die.font = None if rng.random() < .85 else die.font
    elif style is None and not want and fnt["serif"] and rng.random() < .06:
        die.font = str(rng.choice(list(fnt["serif"])))
    die.group = "serif" if die.font in fnt["serif"] else "plate"
    return die


def _char(mask, ch, x, y, w, h, die):
    """Draw one serial character with the ink box (x, y, w, h)."""
    if die.font:
        polys = fonts.load()[die.group][die.font][ch][0]
        lo = np.min([p.min(0) for p in polys], 0)
        hi = np.max([p.max(0) for p in polys], 0)
        sx, sy = w / max(hi[0] - lo[0], 1e-3), h / max(hi[1] - lo[1], 1e-3)
        if hi[0] - lo[0] < .25:  # a bar must not be stretched into a block
            sx = min(sx, sy)
        if ch == "Q":  # keep the bowl as tall as its neighbours
            sy = h / 1.0 if hi[1] - lo[1] > 1.05 else sy
        glyphs.draw_outline(mask, polys, x + (w - sx * (hi[0] - lo[0])) / 2 - lo[0] * sx, y - lo[1] * sy, sx, sy)
    else:
        glyphs.draw_stroke_char(mask, ch, x, y, w, h, die)


def _layout(tokens, die, h, W, rng, pic=None, spread=None):
    """Widths of the tokens at character height h, squeezed to fit; returns (list of (token, x, w), die)."""
    left, right = W * rng.uniform(.025, .055), W * rng.uniform(.025, .055)
    avail = W - left - right
    gap = h * rng.uniform(.07, .17)
    n = sum(t == "char" for t, _ in tokens)

    def widths():
        ws = []
        for t, c in tokens:
            if t == "char":
                ws.append(glyphs.char_width(die, c) * h if not (die.font and c in "1I") else die.width * .6 * h)
            elif t == "gap":
                ws.append(h * spaces[0])
            elif t == "dash":
                ws.append(h * spaces[1])
            elif t == "dot":
                ws.append(h * .12)
            elif t == "equal":
                ws.append(h * .36)
            elif t == "pic":
                ws.append(h * spaces[2])
            elif t == "side":
                ws.append(h * spaces[3])
            elif t == "sym":
                ws.append(h * .55)
            elif t == "shape":
                ws.append(h * .55)
            else:
                ws.append(h * spaces[4])
        return np.array(ws)
    spaces = [rng.uniform(.2, .5), rng.uniform(.18, .32), rng.uniform(.35, .7), rng.uniform(.65, 1.0), rng.uniform(.23, .42)]
    if pic:
        spaces[2] = pic
    ws = widths()
    total = ws.sum() + gap * (len(tokens) - 1)
    if total > avail:  # dies come narrower for longer serials
        k = avail / total
        die.width *= k
        gap *= k
        die.stroke = min(die.stroke, die.width * .36)
        spaces = [s * k for s in spaces]
        ws = widths()
        total = ws.sum() + gap * (len(tokens) - 1)
        if total > avail:
            ws *= avail / total
            gap *= avail / total
            total = avail
    elif n >= 3 and rng.random() < (.25 if n < 5 else spread or .6):  # spread out to fill the plate, as most states do
        k = min((avail / total), rng.uniform(1.0, 1.35))
        die.width *= k ** .6
        ws = widths()
        g = (avail - ws.sum()) / max(len(tokens) - 1, 1)
        gap = float(np.clip(g, gap, gap * (2.2 if rng.random() < .85 else 5)))
        total = ws.sum() + gap * (len(tokens) - 1)
        if total > avail:
            ws *= avail / total
            gap *= avail / total
            total = avail
    x = left + (avail - total) * (rng.uniform(.3, .7) if rng.random() < .85 else rng.uniform(0, 1))
    out = []
    for (t, c), w in zip(tokens, ws):
        out.append((t, c, x, w))
        x += w + gap
    return out


def _emboss(img, mask, col, rng, u):
    """Paint the serial and shade its edges: pressed characters catch the light on one side."""
    m = mask.astype(np.float32)[:, :, None] / 255
    colv = np.array(col, np.float32)
    out = img.astype(np.float32)
    wear = rng.uniform(.86, 1.0)
    out += (colv - out) * (m * wear)
    if rng.random() < .8:
        k = rng.uniform(8, 55) * (1 if rng.random() < .75 else -1)
        d = max(1, int(round(rng.uniform(1, 2.6) * u)))
        s = cv2.GaussianBlur(mask, (0, 0), max(.6, u * rng.uniform(.6, 1.6)))
        sh = np.zeros_like(s, np.float32)
        sh[d:, :] = s[:-d, :]
        dx = int(rng.integers(-d, d + 1))
        sh = np.roll(sh, dx, 1)
        out += ((s.astype(np.float32) - sh) * (k / 255))[:, :, None]
    return np.clip(out, 0, 255).astype(np.uint8)


def _stack(img, text, x, y, w, h, col, die):
    m = np.zeros(img.shape[:2], np.uint8)
    n = len(text)
    ch = h / n * .86
    small = glyphs.Die(width=.6, stroke=min(.2, die.stroke * 1.5), radius=die.radius, variants=die.variants)
    for i, c in enumerate(text):
        cw = w * .9 * glyphs.WIDTHS.get(c, 1.0) * (.5 if c in "1I" else 1)
        if c in glyphs.ALNUM:
            glyphs.draw_stroke_char(m, c, x + (w - cw) / 2, y + h / n * i + (h / n - ch) / 2, min(cw, ch * .9), ch, small)
    img[m > 100] = col


def _words(text, rng):
    """Fill dd and ll in printed lines (counties' numbers, expiry dates)."""
    text = text.replace("{", "").replace("}", "")
    parts = []
    for wd in text.split(" "):
        if wd and set(wd) <= set("dl-/"):
            wd = "".join(str(rng.integers(0, 10)) if c == "d" else str(rng.choice(list(SAFE))) if c == "l" else c for c in wd)
        parts.append(wd)
    return " ".join(parts)


def _line(img, text, choices, box, col, rng, style):
    """A printed line in its place (see D in states.py), give or take what printing and pressing vary.

    The place is as wide as the longest of the design's choices.
    """
    H, W = img.shape[:2]
    cx, y, h, w = box
    w *= len(text) / max(map(len, choices))
    art.lettering(img, text, W * (cx + rng.normal(0, .006)), H * (y + rng.normal(0, .006)), H * h * rng.uniform(.93, 1.07),
                  W * w * rng.uniform(.95, 1.05), col, rng, style, fit=True)


def _stickers(img, where, rng, W, H):
    if rng.random() < .12:
        return
    s = lambda x, y, month=False: art.sticker(img, x * W, y * H, W * rng.uniform(.08, .13), H * rng.uniform(.09, .15), rng, month)
    if where in ("catop", "bothtop", "ctr"):
        s(rng.uniform(.02, .09), rng.uniform(.02, .1), True)
        s(rng.uniform(.8, .9), rng.uniform(.02, .1))
    elif where == "bb":
        s(rng.uniform(.02, .08), rng.uniform(.8, .86), True)
        s(rng.uniform(.8, .88), rng.uniform(.8, .86))
    elif where == "br":
        s(rng.uniform(.78, .88), rng.uniform(.76, .86))
    elif where == "bl":
        s(rng.uniform(.02, .1), rng.uniform(.74, .84))
    elif where == "mid":
        s(.45, rng.uniform(.34, .42))
        s(rng.uniform(.01, .05), rng.uniform(.03, .08), True)
    elif where == "tl":
        s(rng.uniform(.02, .08), rng.uniform(.02, .1))
    else:
        s(rng.uniform(.78, .88), rng.uniform(.02, .1))
    if rng.random() < .3:
        s(*[(.04, .04), (.84, .04), (.04, .84), (.84, .82)][int(rng.integers(4))], bool(rng.random() < .5))


def pick_state(rng):
    r = rng.random()
    if r < .24:
        return "CA"
    return "" if r < .36 else str(rng.choice(CODES))


def render_plate(rng, state=None, kind=None, width=480):
    """Render one plate. `kind` limits the design (see kind= in states.py, or "generic")."""
    if state is None:
        state = "CA" if kind and kind not in ("generic", "passenger") else pick_state(rng)
    if kind == "generic":
        state = ""
    if state == "":
        design = random_design(rng)
    else:
        pool = STATES[state]
        if kind:
            pool = [d for d in pool if d["kind"] == kind] or pool
        w = np.array([d["w"] for d in pool], float)
        design = pool[int(rng.choice(len(pool), p=w / w.sum()))]
    dk = design["kind"]
    inches = SIZES.get(dk, (12.0, 6.0))
    if state == "" and rng.random() < .1:
        inches = (7.0, 4.0)
    if dk == "temporary":
        inches = (12.0, float(rng.choice([6.0, 6.0, 7.0])))
    W, H = width, int(round(width * inches[1] / inches[0]))
    u = W / 480
    pick = lambda v: v[int(rng.integers(len(v)))]
    bg = [art.hexcol(c) for c in pick(design["bg"]).split()]
    fg = np.array(art.hexcol(pick(design["fg"])), float) + rng.normal(0, 10, 3)
    special = bool(state and state != "CA" and rng.random() < .12)  # charity and club designs beyond the table
    if special:
        r = random_design(rng)
        bg = [art.hexcol(c) for c in r["bg"][0].split()]
        if rng.random() < .8:
            fg = np.array(art.hexcol(r["fg"][0]), float)
    elif state and rng.random() < .25:  # faded or reprinted colours
        j = rng.normal(0, 9, 3) + rng.normal(-8, 18)
        bg = [tuple(np.clip(np.array(b) + j, 0, 255)) for b in bg]
    fg = tuple(float(v) for v in np.clip(fg, 0, 255))
    img = art.gradient(W, H, bg, rng)
    for kind_, frac, col in (design["bands"] or []) if not special else []:
        c = art.hexcol(col)
        if kind_ == "top":
            img[:int(H * frac)] = c
        elif kind_ == "bottom":
            img[int(H * (1 - frac)):] = c
        else:
            y = int(H * frac)
            img[y:y + max(2, int(H * .025))] = c
    a = pick((design["art"] or "").split("|")) if not special else pick(["blobs", "", "hills", "mountains", "seal"])
    if a:
        img = backdrops.draw(img, a, rng) if a in backdrops.BACKDROPS else scenery.draw(img, a, rng)

    # Lettering above and below the serial.
    nfont, sfont = (pick(design[k].split("|")) for k in ("nfont", "sfont"))
    top, bottom = _words(pick(design["top"]), rng), _words(pick(design["bottom"]), rng)
    ncol = art.hexcol(pick(design["ncol"]))
    scol = art.hexcol(pick(design["scol"]))
    if special:  # the state's name must stay legible on a ground it was not made for
        ground = np.mean(bg)
        ncol, scol = (c if abs(np.mean(c) - ground) > 50 else (30, 30, 30) if ground > 120 else (235, 235, 235) for c in (ncol, scol))
    small = inches[0] < 8
    th = H * rng.uniform(.10, .15) * (1.25 if nfont == "script" else 1)
    ty0, ty1 = .27, .77
    if top and design.get("tbox"):
        _line(img, top, design["top"], design["tbox"], ncol, rng, nfont)
    elif top:
        y = H * rng.uniform(.04, .085)
        art.lettering(img, top, W * (.5 if not small else rng.uniform(.4, .7)), y, th, W * rng.uniform(.42, .62), ncol, rng, nfont, spacing=rng.uniform(0, .2) if nfont == "sans" else 0)
    else:
        ty0 = .12
    if bottom and design.get("bbox"):
        _line(img, bottom, design["bottom"], design["bbox"], scol, rng, sfont)
    elif bottom:
        bh = H * rng.uniform(.06, .11)
        art.lettering(img, bottom, W * rng.uniform(.45, .55), H * rng.uniform(.84, .88) - bh * .2, bh, W * rng.uniform(.45, .75), scol, rng, sfont, spacing=rng.uniform(0, .3) if sfont == "sans" else 0)
    else:
        ty1 = rng.choice([.77, .86, .93])

    # The serial.
    letters = list(ALL + "IQWQJ") if rng.random() < (.25 if state else .6) else list(SAFE)
    pats = design["pats"]
    pat = pick(pats)
    if state and state != "CA" and rng.random() < .1:
        pat = "vanity"
    tokens = fill(pat, rng, letters)
    if special and rng.random() < .6 and not any(t in ("side", "pic", "stack") for t, _ in tokens):
        tokens = [("side", "")] + tokens if rng.random() < .8 else tokens + [("side", "")]
    if dk in ("passenger", "generic") and len(tokens) < 8 and rng.random() < .09 and not any(t in ("side", "pic", "stack") for t, _ in tokens):
        small_ = "".join(str(rng.choice(list(SAFE + "0123456789"))) for _ in range(int(rng.integers(2, 4))))
        tokens = tokens[:5] if rng.random() < .5 else tokens
        tokens = [("stack", small_)] + tokens if rng.random() < .6 else tokens + [("stack", small_)]
        if rng.random() < .3:
            tokens = [("side", "")] + tokens
    die = _die(design, rng)
    h = H * rng.uniform(.42, .56) if not small else H * rng.uniform(.4, .55)
    h = min(h, (ty1 - ty0) * H)
    y0 = H * ty0 + ((ty1 - ty0) * H - h) * rng.uniform(.25, .85)
    if design.get("serial"):
        h = H * design["serial"][1] * rng.uniform(.93, 1.07)
        y0 = H * (design["serial"][0] + design["serial"][1] / 2 + rng.normal(0, .012)) - h / 2
    sep = None if special else symbols.SEPARATORS.get(design.get("sep"))
    lay = _layout(tokens, die, h, W, rng, sep and sep[0] * rng.uniform(.9, 1.1), design.get("spread"))
    mask = np.zeros((H, W), np.uint8)
    chars = []
    ifg = tuple(int(v) for v in fg)
    for t, c, x, w in lay:
        if t == "char":
            _char(mask, c, x, y0, w, h, die)
            chars.append((c, x + w / 2, y0 + h / 2, w, h))
        elif t == "dash":
            cv2.rectangle(mask, (int(x), int(y0 + h * .45)), (int(x + w), int(y0 + h * .45 + max(2, h * rng.uniform(.08, .14)))), 255, -1)
        elif t == "dot":
            art.disc(mask, x + w / 2, y0 + h * .5, h * rng.uniform(.05, .09), 255)
        elif t == "equal":
            for i in range(2):
                cv2.rectangle(img, (int(x), int(y0 + h * (.35 + .18 * i))), (int(x + w), int(y0 + h * (.43 + .18 * i))), (50, 40, 190), -1)
            for i in range(3):
                art.star(img, x + w * (.2 + .3 * i), y0 + h * .22, h * .08, (50, 40, 190))
        elif t == "pic":
            if sep:
                sep[1](img, x, y0, w, h, rng, ifg)
            elif state == "FL" or state == "GA":
                r = min(w * .6, h * .4)
                for dx, dy in ((-.3, .2), (.35, .15), (0, -.35)):
                    art.disc(img, x + w / 2 + dx * r, y0 + h / 2 + dy * r, r * .62, (int(rng.integers(20, 90)), int(rng.integers(110, 160)), int(rng.integers(220, 250))))
                art.blob(img, x + w / 2, y0 + h * .35, r * .5, r * .3, (60, 120, 40), rng)
            elif state == "WY" or (w > h * .6 and rng.random() < .3):
                for _ in range(4):
                    art.blob(img, x + w / 2 + rng.normal(0, w * .12), y0 + h * rng.uniform(.2, .8), w * rng.uniform(.2, .4), h * rng.uniform(.15, .35), ifg, rng, rough=.5)
            elif state == "OR":
                art.tree(img, x + w / 2, y0 - h * .2, y0 + h * 1.2, w * .7, (90, 150, 50), rng)
            else:
                s = rng.uniform(.35, 1.2)
                art.picture(img, x + w * (1 - s) / 2, y0 + h * .5 - w * s * .6, w * s, w * s * 1.2, rng, strong=rng.random() < .6)
        elif t == "side" and (special or design.get("side") != "art"):
            art.picture(img, x, y0 + h * rng.uniform(-.1, .1), w, h * rng.uniform(.9, 1.2), rng, strong=True)
        elif t == "sym":
            art.symbol(img, x, y0 + h * .22, w, rng, ifg if rng.random() < .7 else art.randcol(rng, 0, 160))
        elif t == "shape":  # exempt: E in an octagon or a diamond
            k = int(c)
            ang = np.arange(k) * 2 * np.pi / k + (np.pi / k if k == 8 else 0)
            r = w * (.56 if k == 4 else .5)
            pts = np.stack([x + w / 2 + r * np.cos(ang), y0 + h / 2 + r * 1.15 * np.sin(ang)], 1)
            cv2.polylines(mask, [np.round(pts * 16).astype(np.int32)], True, 255, max(1, int(h * .05)), cv2.LINE_AA, 4)
            glyphs.draw_stroke_char(mask, "E", x + w * .34, y0 + h * .36, w * .32, h * .28, glyphs.Die(stroke=.16))
        elif t == "stack":
            tall = h * (rng.uniform(.7, 1.12) if len(c) > 1 else .4)
            _stack(img, c, x, y0 + (h - tall) * rng.uniform(0, 1), w, tall, ifg if rng.random() < .8 else ncol, die)
    img = _emboss(img, mask, fg, rng, u)
    if not dk.startswith("digital") and design.get("sticker") and dk not in ("exempt", "temporary"):
        _stickers(img, design["sticker"], rng, W, H)
    if rng.random() < .6:  # pressed rim
        t = max(1, int(2 * u))
        c = fg if rng.random() < .35 else tuple(np.clip(np.array(bg[0], float) * rng.uniform(.6, 1.15), 0, 255))
        m = int(rng.uniform(3, 9) * u)
        cv2.rectangle(img, (m, m), (W - m, H - m), c, t, cv2.LINE_AA)
    if rng.random() < .85:
        art.bolts(img, rng)
    out = np.full((H, W), 255, np.uint8)
    r = int(W * rng.uniform(.01, .04))
    full = np.zeros((H, W), np.uint8)
    cv2.rectangle(full, (r, 0), (W - r, H), 255, -1)
    cv2.rectangle(full, (0, r), (W, H - r), 255, -1)
    for cx in (r, W - r):
        for cy in (r, H - r):
            cv2.circle(full, (cx, cy), r, 255, -1)
    out = np.minimum(out, full)
    if rng.random() < .3:
        bite = h / H * rng.uniform(0, .09) if rng.random() < .25 else 0  # some frames reach into the serial
        art.frame(img, rng, y0 / H, (y0 + h) / H - bite)
        out[:] = 255
    text = "".join(c[0] for c in chars)
    return Plate(img, text, state, chars, dk, out)
