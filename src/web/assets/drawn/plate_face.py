"""Draws the type in which plates are set, and writes it as WOFF2.

    pip install fonttools brotli shapely
    python plate_face.py ../plate.woff2

Letters and digits of a plate in one width, made of strokes, so that read and list stand exactly
above each other. What readers and people confuse is drawn apart: 0 is narrow and has a slash, O and
Q are wide, I has serifs and 1 has none, B and D have corners where 8 is round, Z has a bar where 2
has a bow, 5 has corners where S is round. Everything here is our own drawing.
"""

import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from shapely.geometry import LineString, Polygon
from shapely.ops import unary_union

ADVANCE, STROKE = 580, 96
L, R, M, B, T = 90, 490, 290, 50, 660  # middle lines of the strokes

# A stroke is a list of (x, y) or (x, y, radius of the corner); "closed" ends where it begins.
GLYPHS = {
    "A": [[(75, B), (240, T, 30), (340, T, 30), (505, B)], [(130, 220), (450, 220)]],
    "B": [["closed", (L, B), (L, T), (455, T, 145), (455, 365, 145), (L, 365)],
          ["closed", (L, B), (L, 365), (R, 365, 150), (R, B, 150)]],
    "C": [[(R, 500), (R, T, 180), (L, T, 180), (L, B, 180), (R, B, 180), (R, 210)]],
    "D": [["closed", (L, B), (L, T), (R, T, 240), (R, B, 240)]],
    "E": [[(R, T), (L, T), (L, B), (R, B)], [(L, 360), (430, 360)]],
    "F": [[(R, T), (L, T), (L, B)], [(L, 345), (430, 345)]],
    "G": [[(R, 520), (R, T, 180), (L, T, 180), (L, B, 180), (R, B, 180), (R, 320), (320, 320)]],
    "H": [[(L, B), (L, T)], [(R, B), (R, T)], [(L, 360), (R, 360)]],
    "I": [[(M, B), (M, T)], [(140, T), (440, T)], [(140, B), (440, B)]],
    "J": [[(220, T), (430, T), (430, B, 170), (95, B, 170), (95, 210)]],
    "K": [[(L, B), (L, T)], [(480, T), (L, 300)], [(215, 400), (R, B)]],
    "L": [[(L, T), (L, B), (R, B)]],
    "M": [[(80, B), (80, T), (M, 320), (500, T), (500, B)]],
    "N": [[(L, B), (L, T), (R, B), (R, T)]],
    "O": [["closed", (72, B, 215), (72, T, 215), (508, T, 215), (508, B, 215)]],
    "P": [[(L, B), (L, T), (R, T, 165), (R, 310, 165), (L, 310)]],
    "Q": [["closed", (72, B, 215), (72, T, 215), (508, T, 215), (508, B, 215)], [(330, 235), (515, 25)]],
    "R": [[(L, B), (L, T), (R, T, 165), (R, 320, 165), (L, 320)], [(280, 320), (R, B)]],
    "S": [[(485, 520), (485, T, 150), (95, T, 150), (95, 360, 150), (485, 360, 150), (485, B, 150), (95, B, 150),
           (95, 190)]],
    "T": [[(70, T), (510, T)], [(M, T), (M, B)]],
    "U": [[(L, T), (L, B, 195), (R, B, 195), (R, T)]],
    "V": [[(78, T), (M, B), (502, T)]],
    "W": [[(64, T), (168, B), (M, 470), (412, B), (516, T)]],
    "X": [[(80, T), (500, B)], [(500, T), (80, B)]],
    "Y": [[(78, T), (M, 330), (502, T)], [(M, 330), (M, B)]],
    "Z": [[(L, T), (R, T), (L, B), (R, B)], [(170, 355), (410, 355)]],
    "0": [["closed", (118, B, 170), (118, T, 170), (462, T, 170), (462, B, 170)], [(205, 215), (375, 495)]],
    "1": [[(150, 520), (320, T), (320, B)]],
    "2": [[(95, 500), (95, T, 165), (485, T, 165), (485, 400, 130), (L, B), (R, B)]],
    "3": [[(95, 550), (95, T, 150), (475, T, 150), (475, 370, 140), (240, 370)],
          [(240, 370), (R, 370, 150), (R, B, 155), (L, B, 155), (L, 165)]],
    "4": [[(360, T), (75, 215), (510, 215)], [(400, 400), (400, B)]],
    "5": [[(465, T), (120, T), (100, 390), (485, 390, 165), (485, B, 165), (L, B, 165), (L, 160)]],
    "6": [["closed", (L, B, 175), (L, 410, 175), (R, 410, 175), (R, B, 175)], [(400, T), (135, 430, 120), (L, 230)]],
    "7": [[(L, T), (R, T), (235, B)]],
    "8": [["closed", (118, 370, 142), (118, T, 142), (462, T, 142), (462, 370, 142)],
          ["closed", (L, B, 155), (L, 370, 155), (R, 370, 155), (R, B, 155)]],
    "9": [["closed", (L, T, 175), (L, 300, 175), (R, 300, 175), (R, T, 175)], [(180, B), (445, 280, 120), (R, 480)]],
    "?": [[(115, 520), (115, T, 155), (465, T, 155), (465, 400, 140), (M, 400, 100), (M, 235)], [(M, 70), (M, 71)]],
    "*": [[(M, 200), (M, 560)], [(134, 290), (446, 470)], [(446, 290), (134, 470)]],
    "-": [[(150, 355), (430, 355)]],
}
NAMES = {"?": "question", "*": "asterisk", "-": "hyphen", **{d: n for d, n in zip("0123456789", (
    "zero one two three four five six seven eight nine").split())}}


def rounded(points, closed):
    """The polyline with its corners bent to the radius given."""
    points = [(*p, 0) if len(p) == 2 else p for p in points]
    out = []
    for i, (x, y, radius) in enumerate(points):
        if radius == 0 or (not closed and i in (0, len(points) - 1)):
            out.append((x, y))
            continue
        before, after = points[i - 1], points[(i + 1) % len(points)]
        ends = []
        for ax, ay, _ in (before, after):
            length = ((ax - x) ** 2 + (ay - y) ** 2) ** 0.5
            ends.append((x + (ax - x) * radius / length, y + (ay - y) * radius / length))
        (ax, ay), (bx, by) = ends
        for step in range(17):  # a cubic near a quarter of a circle
            t = step / 16
            k = 0.5523
            cx, cy = ax + (x - ax) * k, ay + (y - ay) * k
            dx, dy = bx + (x - bx) * k, by + (y - by) * k
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            out.append((a * ax + b * cx + c * dx + d * bx, a * ay + b * cy + c * dy + d * by))
    return out + out[:1] if closed else out


def shape(strokes):
    parts = []
    for stroke in strokes:
        closed = stroke[0] == "closed"
        line = rounded(stroke[1:] if closed else stroke, closed)
        parts.append(LineString(line).buffer(STROKE / 2, quad_segs=8, cap_style="round", join_style="round"))
    return unary_union(parts).simplify(0.8)


def glyph(area):
    pen = TTGlyphPen(None)
    for polygon in [area] if isinstance(area, Polygon) else area.geoms:
        rings = [(polygon.exterior, False), *((hole, True) for hole in polygon.interiors)]
        for ring, counter_clockwise in rings:
            points = list(ring.coords)[:-1]
            if ring.is_ccw != counter_clockwise:
                points.reverse()
            pen.moveTo(tuple(map(round, points[0])))
            for point in points[1:]:
                pen.lineTo(tuple(map(round, point)))
            pen.closePath()
    return pen.glyph()


def main(path):
    names = {c: NAMES.get(c, c) for c in GLYPHS}
    builder = FontBuilder(1000, isTTF=True)
    order = [".notdef", "space", *names.values()]
    builder.setupGlyphOrder(order)
    codes = {ord(c): n for c, n in names.items()}
    codes |= {ord(c.lower()): n for c, n in names.items() if c.isalpha()}
    codes |= {0x20: "space", 0x2009: "space", 0x2013: "hyphen"}
    builder.setupCharacterMap(codes)
    empty = TTGlyphPen(None).glyph()
    frame = shape([["closed", (L, B), (L, T), (R, T), (R, B)]])
    builder.setupGlyf({".notdef": glyph(frame), "space": empty, **{names[c]: glyph(shape(s)) for c, s in GLYPHS.items()}})
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics({n: (ADVANCE, getattr(table[n], "xMin", 0)) for n in order})
    builder.setupHorizontalHeader(ascent=820, descent=-120)
    builder.setupNameTable({"familyName": "plated plate", "styleName": "Bold"})
    builder.setupOS2(sTypoAscender=820, sTypoDescender=-120, usWinAscent=820, usWinDescent=120, sCapHeight=710,
                     sxHeight=710, usWeightClass=700)
    builder.setupPost(isFixedPitch=1)
    builder.setupHead(unitsPerEm=1000, created=0, modified=0)
    builder.font.flavor = "woff2"
    builder.save(path)


if __name__ == "__main__":
    main(sys.argv[1])
