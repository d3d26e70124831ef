"""Things that look like plates and are none: signs, lettering, grilles, overlays, blank plates."""

import string

import cv2
import numpy as np

from .geometry import fill_quad, paste_quad, plate_quad, scale_quad

FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX,
         cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX_SMALL)
WORDS = ("TAXI STOP YIELD BUS SCHOOL POLICE SHERIFF FOR SALE OPEN EXIT ONLY ONE WAY SPEED LIMIT NO PARKING TURBO "
         "DIESEL HYBRID SPORT 4X4 AWD LTD GT V6 V8 RENT TOWING PLUMBING ELECTRIC PIZZA DELIVERY CALL NOW HOW IS MY "
         "DRIVING US MAIL AMBULANCE FIRE TRUCK LOANER MOTORS AUTO MALL BAKERY CLEANERS BANK HOTEL").split()


def words(rng):
    k = rng.integers(5)
    if k == 0:
        return " ".join(rng.choice(WORDS, rng.integers(1, 4)))
    if k == 1:
        return "".join(rng.choice(list(string.digits), rng.integers(2, 6)))
    if k == 2:
        return "(%03d) 555-%04d" % (rng.integers(200, 999), rng.integers(10000))
    if k == 3:
        return "".join(rng.choice(list(string.ascii_uppercase), rng.integers(3, 10)))
    return str(rng.choice(WORDS)).title()


def timestamp(rng):
    d = (rng.integers(2005, 2030), rng.integers(1, 13), rng.integers(1, 29), rng.integers(24), rng.integers(60), rng.integers(60))
    return str(rng.choice(["%04d-%02d-%02d %02d:%02d:%02d" % d, "CAM%02d %02d:%02d:%02d" % (rng.integers(20), *d[3:]),
                           "%02d/%02d/%04d %02d:%02d" % (d[1], d[2], d[0], d[3], d[4]),
                           "UNIT %03d  %d MPH" % (rng.integers(999), rng.integers(90))]))


def text_patch(rng, text, ink, paper, pad=0.35, lines=1):
    """Text on a plain patch, with its alpha (transparent paper when paper is None)."""
    font, thick = int(rng.choice(FONTS)), int(rng.integers(2, 5))
    (tw, th), base = cv2.getTextSize(text, font, 1.6, thick)
    m = int(th * pad) + 2
    h = th + base + 2 * m
    patch = np.empty((h * lines, tw + 2 * m, 3), np.uint8)
    patch[:] = ink if paper is None else paper
    alpha = np.full(patch.shape[:2], 0 if paper is None else 255, np.uint8)
    for i in range(lines):
        at = (m, m + th + i * h)
        cv2.putText(patch, text if i == 0 else words(rng)[:len(text)], at, font, 1.6, tuple(int(v) for v in ink), thick, cv2.LINE_AA)
        if paper is None:
            cv2.putText(alpha, text, at, font, 1.6, 255, thick, cv2.LINE_AA)
    return patch, alpha


def grille(rng):
    """Bars or mesh of a radiator, vents of a bumper."""
    w, h = 96, int(rng.integers(24, 60))
    patch = np.full((h, w, 3), rng.integers(5, 50), np.uint8)
    bright = tuple(int(v) for v in np.full(3, rng.integers(60, 230)))
    step, thick = int(rng.integers(5, 14)), int(rng.integers(1, 4))
    if rng.random() < 0.75:
        for y in range(step // 2, h, step):
            cv2.line(patch, (0, y), (w, y), bright, thick)
    if rng.random() < 0.5:
        for x in range(step // 2, w, step):
            cv2.line(patch, (x, 0), (x, h), bright, thick)
    if rng.random() < 0.5:
        cv2.rectangle(patch, (0, 0), (w - 1, h - 1), bright, 3)
    return patch


def blank_plate(rng):
    """A plate's shape with nothing to read: dealer inserts, covers, bare brackets."""
    patch = np.empty((60, 120, 3), np.uint8)
    patch[:] = rng.choice([rng.integers(190, 256), rng.integers(10, 60), rng.integers(60, 190)]) + rng.integers(-8, 8, 3)
    if rng.random() < 0.6:
        cv2.rectangle(patch, (0, 0), (119, 59), tuple(int(v) for v in rng.integers(0, 255, 3)), int(rng.integers(1, 5)))
    for x in (25, 95):
        if rng.random() < 0.6:
            cv2.circle(patch, (x, int(rng.choice([6, 54]))), 3, (int(rng.integers(40, 160)),) * 3, -1)
    if rng.random() < 0.25:   # a picture or a shine, no characters
        cv2.ellipse(patch, (int(rng.integers(30, 90)), 30), (int(rng.integers(8, 30)), int(rng.integers(6, 20))), 0, 0, 360,
                    tuple(int(v) for v in rng.integers(0, 255, 3)), -1)
    return patch


def add_negative(rng, image, taken, kind=None):
    """Draws one distractor clear of the boxes in `taken`; appends its place to `taken`."""
    h, w = image.shape[:2]
    kind = kind or rng.choice(["sign", "letters", "grille", "blank", "overlay", "lamp"], p=[0.27, 0.22, 0.13, 0.16, 0.14, 0.08])
    ink = rng.integers(0, 256, 3)
    if kind == "overlay":
        text = timestamp(rng)
        scale = rng.uniform(0.35, 0.9)
        size, _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        x, y = int(rng.uniform(0, max(1, w - size[0]))), int(rng.choice([rng.uniform(size[1], 40), h - rng.uniform(4, 30)]))
        box = np.float32([x, y - size[1], x + size[0], y + 4])
        if clashes(box, taken):
            return
        if rng.random() < 0.4:
            cv2.rectangle(image, (x, y - size[1] - 3), (x + size[0], y + 5), (0, 0, 0), -1)
        colour = tuple(int(v) for v in (ink if rng.random() < 0.3 else (255, 255, 255)))
        cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1 + int(rng.random() < 0.3), cv2.LINE_AA)
        taken.append(box)
        return
    width = float(np.exp(rng.uniform(np.log(18), np.log(190))))
    aspect = {"sign": rng.uniform(0.8, 4.5), "letters": rng.uniform(2.0, 6.0), "grille": rng.uniform(1.5, 4.5),
              "blank": rng.uniform(1.6, 2.4), "lamp": rng.uniform(1.2, 3.5)}[kind]
    quad = plate_quad(rng, (rng.uniform(0, w), rng.uniform(0, h)), width, aspect)
    box = np.concatenate([quad.min(0) - 3, quad.max(0) + 3])
    if clashes(box, taken):
        return
    if kind == "sign":
        paper = np.array(rng.choice([(255, 255, 255), (230, 230, 225), (40, 120, 30), (160, 80, 20), (30, 30, 190), (30, 200, 250), (20, 20, 20)]))
        patch, alpha = text_patch(rng, words(rng), ink if rng.random() < 0.3 else (np.zeros(3) if paper.sum() > 380 else np.full(3, 255)),
                                  paper, lines=int(rng.integers(1, 4)))
        paste_quad(image, patch, quad, alpha)
    elif kind == "letters":
        patch, alpha = text_patch(rng, words(rng), ink, None)
        paste_quad(image, patch, quad, alpha)
    elif kind == "grille":
        paste_quad(image, grille(rng), quad)
    elif kind == "blank":
        paste_quad(image, blank_plate(rng), quad)
    else:
        fill_quad(image, quad, rng.choice([(30, 30, 200), (40, 140, 250), (235, 235, 235)]))
        fill_quad(image, scale_quad(quad, 0.5), (120, 120, 255))
    taken.append(box)


def clashes(box, taken, margin=4):
    return any(box[0] < t[2] + margin and box[2] > t[0] - margin and box[1] < t[3] + margin and box[3] > t[1] - margin
               for t in taken)
