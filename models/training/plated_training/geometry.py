"""Plates in perspective: where a tilted plate's corners fall, and pasting it there."""

import cv2
import numpy as np


def plate_quad(rng, centre, width, aspect=2.0, steep=1.0):
    """Corners (4x2, from top left, clockwise) of a tilted plate about `width` pixels wide.

    Yaw reaches 45 degrees and more, since a patrol car looks at parked cars from
    the next lane; pitch and roll stay what cameras and bumpers make of them.
    """
    yaw = np.clip(rng.normal(0, 22), -55, 55) * steep
    pitch = np.clip(rng.normal(0, 9), -28, 28) * steep
    roll = np.clip(rng.normal(0, 3.5), -14, 14) * steep
    if rng.random() < 0.04:
        roll = rng.uniform(-25, 25)
    return project_quad(centre, width, aspect, yaw, pitch, roll, depth=rng.uniform(4, 14))


def project_quad(centre, width, aspect, yaw, pitch, roll, depth=8.0):
    y, p, r = np.radians([yaw, pitch, roll])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    rp = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    rr = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    hw, hh = 0.5, 0.5 / aspect
    flat = np.array([[-hw, -hh, 0], [hw, -hh, 0], [hw, hh, 0], [-hw, hh, 0]])
    pts = flat @ (rr @ rp @ ry).T
    quad = pts[:, :2] * depth / (depth + pts[:, 2:3])
    return (quad * width + np.asarray(centre)).astype(np.float32)


def quad_box(quad):
    """Bounding box [x0, y0, x1, y1] of corners."""
    return np.concatenate([quad.min(0), quad.max(0)])


def scale_quad(quad, fx, fy=None):
    """Grows a quad about its centre along its own two directions."""
    fy = fx if fy is None else fy
    c = quad.mean(0)
    u = (quad[1] + quad[2] - quad[0] - quad[3]) / 4
    v = (quad[2] + quad[3] - quad[0] - quad[1]) / 4
    # Keep the perspective: scale each corner's offset in the (u, v) frame.
    m = np.linalg.pinv(np.stack([u, v], 1))
    uv = (quad - c) @ m.T
    return ((uv * [fx, fy]) @ np.stack([u, v], 1).T + c).astype(np.float32)


def paste_quad(image, patch, quad, alpha=None, strength=1.0):
    """Warps `patch` (HxWx3) onto `quad` in `image`, in place, with soft edges."""
    h, w = image.shape[:2]
    x0, y0 = np.floor(quad.min(0)).astype(int) - 2
    x1, y1 = np.ceil(quad.max(0)).astype(int) + 3
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(w, x1), min(h, y1)
    if x1 <= x0 or y1 <= y0:
        return
    # Shrink first: warping a large patch to few pixels directly would alias.
    qw = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    f = 1.3 * qw / patch.shape[1]
    if f < 0.8:
        size = (max(4, int(patch.shape[1] * f)), max(3, int(patch.shape[0] * f)))
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        if alpha is not None:
            alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    ph, pw = patch.shape[:2]
    if alpha is None:
        alpha = np.full((ph, pw), 255, np.uint8)
    # Pixel centres: the patch's outer edge, not its outer pixel centres, meets the quad.
    src = np.float32([[0, 0], [pw, 0], [pw, ph], [0, ph]]) - 0.5
    m = cv2.getPerspectiveTransform(src, (quad - [x0, y0] - 0.5).astype(np.float32))
    size = (x1 - x0, y1 - y0)
    warped = cv2.warpPerspective(patch, m, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(alpha, m, size, flags=cv2.INTER_LINEAR)
    a = mask.astype(np.float32)[:, :, None] * (strength / 255.0)
    roi = image[y0:y1, x0:x1]
    roi[:] = np.clip(roi + (warped.astype(np.float32) - roi) * a + 0.5, 0, 255).astype(np.uint8)


def fill_quad(image, quad, colour, strength=1.0):
    patch = np.empty((32, 64, 3), np.uint8)
    patch[:] = np.clip(colour, 0, 255)
    paste_quad(image, patch, quad, strength=strength)


def erase_box(image, box):
    """Removes what is in `box` [x0,y0,x1,y1] by inpainting at low resolution, in place."""
    h, w = image.shape[:2]
    x0, y0, x1, y1 = box
    mx, my = (x1 - x0) * 0.07 + 1, (y1 - y0) * 0.12 + 1
    x0, y0 = int(max(0, x0 - mx)), int(max(0, y0 - my))
    x1, y1 = int(min(w, x1 + mx + 1)), int(min(h, y1 + my + 1))
    if x1 - x0 < 3 or y1 - y0 < 3:
        return
    pad = max(4, (y1 - y0) // 3)
    rx0, ry0, rx1, ry1 = max(0, x0 - pad), max(0, y0 - pad), min(w, x1 + pad), min(h, y1 + pad)
    roi = image[ry0:ry1, rx0:rx1]
    f = min(1.0, 48.0 / (x1 - x0))
    small = cv2.resize(roi, None, fx=f, fy=f, interpolation=cv2.INTER_AREA) if f < 1 else roi.copy()
    mask = np.zeros(small.shape[:2], np.uint8)
    mask[int((y0 - ry0) * f):int(np.ceil((y1 - ry0) * f)), int((x0 - rx0) * f):int(np.ceil((x1 - rx0) * f))] = 255
    filled = cv2.inpaint(small, mask, 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, (rx1 - rx0, ry1 - ry0), interpolation=cv2.INTER_LINEAR)
    roi[y0 - ry0:y1 - ry0, x0 - rx0:x1 - rx0] = filled[y0 - ry0:y1 - ry0, x0 - rx0:x1 - rx0]
