"""TrueType outlines flattened to polygons, cached in one .npz file.

`python -m plated_training.fonts NODE_MODULES OUT.npz` reads the @fontsource
packages (all SIL OFL 1.1) that npm unpacked. Without the file everything still
works, with stroke characters only: the light tests need no download.
"""
import functools
import glob
import os
import sys

import numpy as np

PATH = os.environ.get("PLATED_FONTS") or os.path.expanduser("~/.cache/plated-training/fonts.npz")
CHARS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-,'&"
# name -> (package, weights). Plate faces are narrow; name faces are for state names and slogans.
PLATE_FONTS = {
    "oswald": (400, 600), "bebas-neue": (400,), "barlow-condensed": (500, 700), "roboto-condensed": (500, 700),
    "saira-condensed": (500, 700), "antonio": (500, 700), "pathway-gothic-one": (400,), "fjalla-one": (400,),
    "archivo-narrow": (600,), "league-gothic": (400,), "overpass": (600,), "share-tech-mono": (400,),
    "rajdhani": (700,), "sofia-sans-extra-condensed": (600, 800), "saira-extra-condensed": (500, 700),
    "smooch-sans": (700,), "big-shoulders-display": (600, 800),
}
SERIF_FONTS = {"zilla-slab": (500, 700), "arvo": (400, 700), "rokkitt": (500, 700), "bree-serif": (400,), "playfair-display": (600,)}
NAME_FONTS = {"pacifico": (400,), "dancing-script": (700,), "kaushan-script": (400,), "damion": (400,)}


def _flatten(glyph_set, name, cmap):
    from fontTools.pens.recordingPen import DecomposingRecordingPen
    pen = DecomposingRecordingPen(glyph_set)
    glyph_set[cmap[ord(name)]].draw(pen)
    polys, cur = [], []
    for op, args in pen.value:
        if op == "moveTo":
            cur = [args[0]]
        elif op == "lineTo":
            cur.append(args[0])
        elif op == "qCurveTo":
            pts = list(args)
            if pts[-1] is None:  # closed curve without an on-curve point: begin half way
                pts[-1] = tuple((u + v) / 2 for u, v in zip(pts[-2], pts[0]))
                cur = [pts[-1]]
            p0 = cur[-1]
            for i in range(len(pts) - 1):
                c = pts[i]
                e = pts[i + 1] if i == len(pts) - 2 else ((c[0] + pts[i + 1][0]) / 2, (c[1] + pts[i + 1][1]) / 2)
                for t in (0.25, 0.5, 0.75, 1.0):
                    cur.append(tuple((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * d for a, b, d in zip(p0, c, e)))
                p0 = e
        elif op == "curveTo":
            p0, (a, b, c) = cur[-1], args
            for t in (0.2, 0.4, 0.6, 0.8, 1.0):
                cur.append(tuple((1 - t) ** 3 * w + 3 * t * (1 - t) ** 2 * x + 3 * t * t * (1 - t) * y + t ** 3 * z
                                 for w, x, y, z in zip(p0, a, b, c)))
        elif op in ("closePath", "endPath") and len(cur) > 2:
            polys.append(np.array(cur, float))
            cur = []
    return polys


def prepare(node_modules, out):
    from fontTools.ttLib import TTFont
    store = {}
    for group, table in (("plate", PLATE_FONTS), ("serif", SERIF_FONTS), ("name", NAME_FONTS)):
        for pkg, weights in table.items():
            for w in weights:
                files = glob.glob(f"{node_modules}/@fontsource/{pkg}/files/{pkg}-latin-{w}-normal.woff2")
                if not files:
                    print("missing", pkg, w)
                    continue
                font = TTFont(files[0])
                gs, cmap = font.getGlyphSet(), font.getBestCmap()
                cap = max(p[:, 1].max() for p in _flatten(gs, "H", cmap))
                for ch in CHARS:
                    if ord(ch) not in cmap:
                        continue
                    polys = [p * (1, -1) / cap for p in _flatten(gs, ch, cmap)]
                    adv = gs[cmap[ord(ch)]].width / cap
                    key = f"{group}:{pkg}-{w}:{ord(ch)}"
                    store[key] = np.concatenate([np.array([[adv, len(polys)]] + [[len(p), 0] for p in polys], float)] + polys).astype(np.float32)
    tmp = out + ".tmp.npz"
    np.savez_compressed(tmp, **store)
    os.replace(tmp, out)
    print(len(store), "glyphs in", out)


@functools.lru_cache(maxsize=1)
def load():
    """{group: {font: {char: (polygons with the baseline at 0 and cap height 1, advance)}}}."""
    groups = {"plate": {}, "serif": {}, "name": {}}
    if not os.path.exists(PATH):
        return groups
    with np.load(PATH) as z:
        for key in z.files:
            group, font, code = key.split(":")
            a = z[key]
            adv, n = float(a[0, 0]), int(a[0, 1])
            polys, at = [], 1 + n
            for i in range(n):
                k = int(a[1 + i, 0])
                polys.append(a[at:at + k].astype(float))
                at += k
            groups[group].setdefault(font, {})[chr(int(code))] = (polys, adv)
    return groups


if __name__ == "__main__":
    prepare(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else PATH)
