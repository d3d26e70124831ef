"""What the detector's maps should hold for labelled plates."""

import numpy as np

STRIDE = 8


def make_targets(plates, clean, w, h):
    """Target maps for one canvas.

    plates: rows of box (x0 y0 x1 y1), corners (8), has corners, box weight, ignore.
    Returns heat [h,w], negative weight [h,w], and per cell box [4], corners [8], weights [2].
    """
    gw, gh = w // STRIDE, h // STRIDE
    heat = np.zeros((gh, gw), np.float32)
    weight = np.full((gh, gw), clean, np.float32)
    box, corners = np.zeros((4, gh, gw), np.float32), np.zeros((8, gh, gw), np.float32)
    reg = np.zeros((2, gh, gw), np.float32)           # box weight, corner weight
    px = (np.arange(gw, dtype=np.float32) + 0.5) * STRIDE
    py = (np.arange(gh, dtype=np.float32) + 0.5) * STRIDE
    # Around a labelled plate is its vehicle, which has no second one: full negatives there.
    for p in plates:
        if not p[14]:
            bw, bh = p[2] - p[0], p[3] - p[1]
            near = (np.abs(py - (p[1] + p[3]) / 2) < 3.5 * bh)[:, None] & (np.abs(px - (p[0] + p[2]) / 2) < 2.2 * bw)
            weight[near] = 1.0
    for p in plates:
        if p[14]:
            inside = ((py > p[1] - 4) & (py < p[3] + 4))[:, None] & ((px > p[0] - 4) & (px < p[2] + 4))
            weight[inside] = 0.0
    for p in plates:
        if p[14]:
            continue
        x0, y0, x1, y1 = p[:4]
        bw, bh = x1 - x0, y1 - y0
        if p[12]:
            # The corners' own middle: with perspective it is not the bounding box's.
            cx, cy = p[4:12:2].mean(), p[5:12:2].mean()
        else:
            cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        dx, dy = px - cx, py - cy
        sx, sy = max(4.0, 0.10 * bw), max(4.0, 0.14 * bh)
        g = np.exp(-0.5 * ((dx / sx) ** 2)[None] - 0.5 * ((dy / sy) ** 2)[:, None])
        ix, iy = int(np.clip(cx // STRIDE, 0, gw - 1)), int(np.clip(cy // STRIDE, 0, gh - 1))
        g[iy, ix] = 1.0
        np.maximum(heat, g, out=heat)
        mx, my = np.abs(dx) <= max(6.0, 0.22 * bw), np.abs(dy) <= max(6.0, 0.25 * bh)
        m = my[:, None] & mx[None]
        yy, xx = np.nonzero(m)
        box[:, yy, xx] = np.stack([px[xx] - x0, py[yy] - y0, x1 - px[xx], y1 - py[yy]])
        share = 1.0 / max(1, len(yy))                 # every plate counts alike, whatever its size
        reg[0, yy, xx] = p[13] * share
        if p[12]:
            corners[0::2, yy, xx] = p[4:12:2, None] - px[xx]
            corners[1::2, yy, xx] = p[5:12:2, None] - py[yy]
            reg[1, yy, xx] = share
        else:
            reg[1, yy, xx] = 0.0
    return heat, weight, box, corners, reg


def flip(image, plates, w):
    """Mirrors a scene; the corner that is then at the top left becomes the first."""
    p = plates.copy()
    p[:, 0], p[:, 2] = w - plates[:, 2], w - plates[:, 0]
    for a, b in ((4, 6), (6, 4), (8, 10), (10, 8)):
        p[:, a], p[:, a + 1] = w - plates[:, b], plates[:, b + 1]
    return image[:, ::-1], p


def shift(plates, dx, dy, w, h, min_seen=0.8):
    """Labels after a crop that begins at (dx, dy); plates mostly cut off are to be ignored."""
    p = plates.copy()
    p[:, 0:12:2] -= dx
    p[:, 1:12:2] -= dy
    seen = (np.clip(p[:, 2], 0, w) - np.clip(p[:, 0], 0, w)) * (np.clip(p[:, 3], 0, h) - np.clip(p[:, 1], 0, h))
    share = seen / np.maximum(1e-6, (p[:, 2] - p[:, 0]) * (p[:, 3] - p[:, 1]))
    p[:, 14] = np.maximum(p[:, 14], share < min_seen)
    return p[share > 0.05]
