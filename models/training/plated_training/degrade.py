"""What stands between a plate and a reader: view, light, dirt, optics, sensor, compression.

Every function takes the random generator, works on uint8 BGR and returns the same.
"""
import cv2
import numpy as np


def quad(rng, width, aspect, yaw=45, pitch=25, roll=10):
    """Corners (4x2, from top left, clockwise, centred on 0) of a plate seen from an angle.

    `width` is the plate's width in pixels when seen from the front; angles are limits in degrees."""
    tri = lambda a: np.deg2rad(np.clip(rng.normal(0, a / 2.2), -a, a))
    ya, pi, ro = tri(yaw), tri(pitch), tri(roll)
    h = width / aspect
    p = np.array([[-width / 2, -h / 2, 0], [width / 2, -h / 2, 0], [width / 2, h / 2, 0], [-width / 2, h / 2, 0]])
    cy, sy, cp, sp, cr, sr = np.cos(ya), np.sin(ya), np.cos(pi), np.sin(pi), np.cos(ro), np.sin(ro)
    r = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    q = p @ r.T
    d = width * rng.uniform(2.5, 12)
    q = q[:, :2] * (d / (d + q[:, 2:3]))
    if rng.random() < .15:  # rolling shutter: rows moved sideways in proportion to their height
        q[:, 0] += q[:, 1] * rng.normal(0, .08)
    return q


def dirt(img, rng):
    """Mud, salt, insects: brown or grey spots on the plate itself."""
    h, w = img.shape[:2]
    small = rng.random((max(2, h // 16), max(2, w // 16))).astype(np.float32)
    m = cv2.resize(small, (w, h), interpolation=cv2.INTER_CUBIC)
    m = np.clip((m - rng.uniform(.55, .85)) * 4, 0, 1) * rng.uniform(.15, .6)
    col = np.array([[60, 90, 120], [150, 155, 160], [40, 45, 50]][int(rng.integers(3))], np.float32)
    return (img * (1 - m[..., None]) + col * m[..., None]).astype(np.uint8)


def cover(img, rng):
    """A plastic cover over the plate: smoked or yellowed, with the light's reflection across it."""
    h, w = img.shape[:2]
    tint = np.array([[1, 1, 1], [1.05, 1, .95], [.75, .92, 1]][int(rng.integers(3))], np.float32) * rng.uniform(.45, .95)
    f = img * tint + rng.uniform(0, 40)  # what the cover scatters veils dark and light alike
    if rng.random() < .6:
        yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
        d = (xx - rng.uniform(0, w)) + (yy - h / 2) * rng.uniform(-2, 2)
        f += (np.exp(-(d / (w * rng.uniform(.04, .2))) ** 2) * rng.uniform(20, 110))[..., None]
    return np.clip(f, 0, 255).astype(np.uint8)


def light(img, rng):
    """Exposure, colour of the light, shadow edges, glare, night and infrared."""
    h, w = img.shape[:2]
    f = img.astype(np.float32)
    r = rng.random()
    if r < .10:  # infrared or a monochrome camera
        g = f @ np.array(rng.dirichlet([2, 3, 3]), np.float32)
        f = np.repeat(g[..., None], 3, 2)
        f = (f - 128) * rng.uniform(.6, 1.3) + 128 + rng.uniform(-50, 30)
    elif r < .22:  # night
        f *= rng.uniform(.2, .55)
        f *= np.array([rng.uniform(.6, 1), rng.uniform(.85, 1), 1], np.float32)
        f += rng.uniform(0, 12)
    else:
        # Photos' colours are stronger than print's: one in seven has a cast (measure.py).
        f *= 1 + rng.normal(0, .06 if rng.random() < .86 else .16, 3).astype(np.float32)
        f = (f - 128) * rng.uniform(.5, 1.15) + 128 + rng.normal(0, 24)
    if rng.random() < .25:  # shadow with a straight edge
        a, o = rng.uniform(0, 2 * np.pi), rng.normal(0, .35)
        yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
        d = ((xx / w - .5) * np.cos(a) + (yy / h - .5) * np.sin(a) - o) * w
        m = np.clip(d / rng.uniform(1, w * .15) + .5, 0, 1)
        f *= (1 - m * rng.uniform(.25, .7))[..., None]
    if rng.random() < .10:  # glare
        yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
        cx, cy, s = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(.08, .4) * w
        f += (np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * s * s)) * rng.uniform(40, 180))[..., None]
    return np.clip(f, 0, 255).astype(np.uint8)


def motion_kernel(length, angle):
    n = int(np.ceil(length)) | 1
    k = np.zeros((n, n), np.float32)
    c = n // 2
    dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
    cv2.line(k, (int(round((c - dx) * 16)), int(round((c - dy) * 16))), (int(round((c + dx) * 16)), int(round((c + dy) * 16))), 1.0, 1, cv2.LINE_AA, 4)
    return k / max(k.sum(), 1e-6)


def optics(img, rng, width, strength=1.0):
    """Defocus and motion blur; lengths follow the plate's width so that characters stay readable."""
    if rng.random() < .35 * strength:
        s = rng.uniform(.004, .016) * width
        img = cv2.GaussianBlur(img, (0, 0), max(.3, s))
    if rng.random() < .25 * strength:
        n = min(rng.uniform(.015, .07) * width, 15)
        a = rng.normal(0, .35) if rng.random() < .7 else rng.uniform(0, np.pi)
        if n > 1.2:
            img = cv2.filter2D(img, -1, motion_kernel(n, a), borderType=cv2.BORDER_REPLICATE)
    return img


def video(img, rng):
    """What a camera's H.264 leaves of a moving picture: coarse colour, coarse blocks smoothed at their
    edges, and here and there a block that still shows where the plate was a frame ago."""
    h, w = img.shape[:2]
    old = cv2.warpAffine(img, np.float32([[1, 0, rng.normal(0, 1.5)], [0, 1, rng.normal(0, 1)]]), (w, h), borderMode=cv2.BORDER_REPLICATE)
    stale = cv2.resize((rng.random((-(-h // 16), -(-w // 16))) < rng.uniform(0, .3)).astype(np.uint8), None, fx=16, fy=16, interpolation=cv2.INTER_NEAREST)
    out = np.where(stale[:h, :w, None] > 0, old, img)
    y, cr, cb = cv2.split(cv2.cvtColor(out, cv2.COLOR_BGR2YCrCb))
    k = rng.uniform(2, 5)
    cr, cb = (cv2.resize(cv2.resize(c, (max(1, int(w / k)), max(1, int(h / k))), interpolation=cv2.INTER_AREA), (w, h)) for c in (cr, cb))
    y = cv2.imdecode(cv2.imencode(".jpg", y, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(10, 45))])[1], cv2.IMREAD_GRAYSCALE)
    y = cv2.bilateralFilter(y, 3, rng.uniform(5, 30), 1.5)
    return cv2.cvtColor(cv2.merge([y, cr, cb]), cv2.COLOR_YCrCb2BGR)


def sensor(img, rng):
    """Noise, sharpening, compression."""
    if rng.random() < .6:
        s = rng.gamma(1.5, 3.0)
        n = rng.standard_normal(img.shape[:2] + (1 if rng.random() < .5 else 3,), dtype=np.float32) * s
        img = np.clip(img + n, 0, 255).astype(np.uint8)
    if rng.random() < .15:
        b = cv2.GaussianBlur(img, (0, 0), 1.2)
        img = cv2.addWeighted(img, 1.8, b, -.8, 0)
    if rng.random() < .12:
        return video(img, rng)
    if rng.random() < .6:
        for _ in range(2 if rng.random() < .2 else 1):
            q = int(rng.uniform(18, 90))
            img = cv2.imdecode(cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, q])[1], cv2.IMREAD_COLOR)
    return img


def paste(scene, plate, corners, mask=None):
    """Warp a plate onto a scene, in place. Returns the homography from plate to scene pixels.

    The plate is first reduced to about its size in the scene, or fine strokes alias."""
    h, w = plate.shape[:2]
    q = np.asarray(corners, np.float32)
    wide = max(np.linalg.norm(q[1] - q[0]), np.linalg.norm(q[2] - q[3]), 8)
    k = min(1.0, 1.3 * wide / w)
    sm = cv2.resize(plate, (max(8, int(w * k)), max(4, int(h * k))), interpolation=cv2.INTER_AREA) if k < 1 else plate
    m = np.full(sm.shape[:2], 255, np.uint8) if mask is None else cv2.resize(mask, (sm.shape[1], sm.shape[0]), interpolation=cv2.INTER_AREA)
    sh, sw = sm.shape[:2]
    hs = cv2.getPerspectiveTransform(np.array([[0, 0], [sw, 0], [sw, sh], [0, sh]], np.float32), q)
    size = (scene.shape[1], scene.shape[0])
    warped = cv2.warpPerspective(sm, hs, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    a = cv2.warpPerspective(m, hs, size, flags=cv2.INTER_LINEAR)[..., None].astype(np.float32) / 255
    scene[:] = (scene * (1 - a) + warped * a).astype(np.uint8)
    return hs @ np.diag([sw / w, sh / h, 1.0])


def margins(corners, mx, my):
    """The plate's corners pushed outward from its centre by the fractions mx of its width and my of its height."""
    q = np.asarray(corners, np.float64)
    right = (q[1] - q[0] + q[2] - q[3]) / 2 * mx
    down = (q[3] - q[0] + q[2] - q[1]) / 2 * my
    return q + np.array([-right - down, right - down, right + down, -right + down])


def apply_h(hm, pts):
    p = np.c_[np.asarray(pts, float), np.ones(len(pts))] @ hm.T
    return p[:, :2] / p[:, 2:3]
