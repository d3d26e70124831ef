"""A synthetic patrol drive: a video, what is in it, and a hotlist to match.

python -m plated_training.drive --out fixtures [--seed 1]

A patrol car rolls along a drawn street, past parked cars, through oncoming traffic
and up behind slower cars, each with a rendered plate.  Positions are metres and the
camera is a pinhole, so plates grow, tilt and smear as they would.  Every frame is the
mean of a few moments of its exposure, which gives motion blur in the right places.

Every registration is invented, and no registration of the drive can be taken for
another (one equivalent character or one edit away), but for one pair that is meant.
"""

import argparse
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from . import cars, geometry, plates

W, H, FPS = 1280, 720, 15
FOCAL, CX, CY, EYE = 1500.0, 640.0, 300.0, 1.25      # pixels, pixels, pixels, metres above the road
SPEED = 5.0                                          # of the patrol car, metres a second
EXPOSURE, MOMENTS = 1 / 280, 4
SEEN, FOLLOWED = 40.0, 24.0                          # plate widths: of first/last frame, of any box


@dataclass
class Vehicle:
    plate: str
    state: str
    kind: str            # of plate
    lane: str            # parked, oncoming, leading
    passes: float        # when it leaves the picture or turns off, seconds
    body: str = "sedan"
    paint: int = 0
    yaw: float = 0.0
    x: float = None      # metres to the right of the camera
    parts: dict = field(default_factory=dict)


# Parked cars stand on the right, the oncoming come on the left.  passes is at least
# 1.5 s apart within a lane; while a leading car fills the view nothing else is due.
VEHICLES = [
    Vehicle("7VKM482", "CA", "passenger", "parked", 2.4, "sedan", 2, 6),
    Vehicle("8T46291", "CA", "commercial", "oncoming", 3.4, "pickup", 0, -3),
    Vehicle("6KOJ318", "CA", "passenger", "parked", 4.3, "hatch", 7, -4),
    Vehicle("4HNU635", "CA", "passenger", "parked", 6.0, "suv", 4, 12),
    Vehicle("583KWV", "OR", "passenger", "oncoming", 6.9, "van", 8, 4),
    Vehicle("5RWE907", "CA", "passenger", "leading", 10.0, "suv", 9, 2),
    Vehicle("8XBR815", "CA", "passenger", "parked", 11.9, "sedan", 0, -8),
    Vehicle("XMP417", "CA", "legacy-black", "oncoming", 12.8, "sedan", 11, -5),
    Vehicle("9FWL270", "CA", "passenger", "parked", 13.8, "van", 1, 5),
    Vehicle("1637024", "CA", "exempt", "parked", 15.6, "suv", 0, 16),
    Vehicle("4HNU685", "CA", "passenger", "oncoming", 16.6, "sedan", 12, 0),
    Vehicle("2YZA194", "CA", "passenger", "leading", 20.2, "sedan", 6, -2),
    Vehicle("PLATEDX", "CA", "vanity", "parked", 22.0, "hatch", 10, 9),
    Vehicle("CJ4M586", "CA", "temporary", "parked", 23.8, "sedan", 3, -6),
]
SECONDS = 24.4
NEAR_MISS = ("4HNU635", "4HNU685")                # a 3 and an 8 apart; only the first is on the hotlist

# plate, state, category, priority, reason, make, colour, source, date
HOTLIST = [
    ("6K0J318", "CA", "stolen_vehicle", "high", "Stolen from a driveway", "Honda", "red", "SVS", "2026-11-18"),    # typed with a zero
    ("4HNU635", "CA", "felony", "high", "Wanted in connection with a robbery", "Ford", "black", "SVS", "2026-11-20"),
    ("8X8R815", "CA", "stolen_plate", "normal", "Plate reported lost or stolen", "", "", "SVS", "2026-11-12"),       # B in the drive
    ("9FWL270", "NV", "missing_person", "normal", "Missing adult may be travelling in it", "GMC", "silver", "NCIC", "2026-11-19"),  # CA in the drive
    ("PLATEDX", "CA", "amber_alert", "high", "Child abduction alert, exercise only", "Kia", "green", "local", "2026-11-21"),
    ("3MSG850", "CA", "stolen_vehicle", "high", "Taken in a carjacking", "Toyota", "white", "SVS", "2026-11-17"),
    ("BLV7193", "AZ", "stolen_plate", "low", "Plate reported lost or stolen", "", "", "NCIC", "2026-10-30"),
    ("7GCT046", "CA", "felony", "normal", "Registered owner has a warrant", "Nissan", "blue", "local", "2026-11-15"),
]


def render(rng, text, state, kind):
    """A plate with just this registration, clean enough to be read by eye."""
    pool = [d for d in plates.STATES[state] if d["kind"] == kind] or plates.STATES[state]
    whole = plates.STATES[state]
    # The renderer draws registrations itself: give it designs that can only draw this one.
    plates.STATES[state] = [dict(d, pats=["".join("\\" + c for c in text)]) for d in pool]
    # And no dealer's frame: some cover part of a character, and the truth must be readable.
    frame, plates.art.frame = plates.art.frame, lambda *args, **more: None
    try:
        for _ in range(200):
            p = plates.render_plate(rng, state, kind, width=720)
            if p.text == text:
                return p
    finally:
        plates.STATES[state] = whole
        plates.art.frame = frame
    raise RuntimeError(f"{text} could not be rendered")


def at(x, y, z):
    """A point (right, down, ahead of the camera) in the picture."""
    return CX + FOCAL * x / z, CY + FOCAL * y / z


class Street:
    """Ground, lane marks, house fronts and trees on both sides, fixed in the world."""

    def __init__(self, rng, length):
        self.fronts, self.trees = [], []
        for side in (-1, 1):
            z = -5.0
            while z < length + 90:
                deep = rng.uniform(7, 16)
                tone = rng.uniform(90, 205) * (1 + rng.uniform(-.12, .12, 3))
                self.fronts.append((side, z, deep, rng.uniform(4, 11), tone, int(rng.integers(2, 5)), rng.uniform(8.0, 9.0)))
                z += deep + rng.uniform(0, 2)
            z = rng.uniform(4, 12)
            while z < length + 70:
                sprite = np.empty((160, 130, 3), np.float32)
                sprite[:] = np.array((38, 88, 58)) * (.45 + cars.cloud(rng, 160, 130, 6)[:, :, None])
                blob = cars.cloud(rng, 160, 130, 26) - np.hypot(*np.meshgrid(np.linspace(-1, 1, 130), np.linspace(-1, 1, 160))) * .9
                mask = np.clip((blob + .38) * 6, 0, 1) * 255
                self.trees.append((side * rng.uniform(5.2, 6.2), z, rng.uniform(1.5, 2.4), np.clip(sprite, 0, 255).astype(np.uint8), mask.astype(np.uint8)))
                z += rng.uniform(8, 17)
        sky = np.empty((H, W, 3), np.float32)
        t = np.linspace(0, 1, int(CY))[:, None, None]
        sky[:int(CY)] = np.array((222, 176, 132)) * (1 - t) + np.array((236, 226, 214)) * t
        sky[int(CY):] = np.array((104, 104, 102)) * np.linspace(1.05, .82, H - int(CY))[:, None, None]
        sky[:int(CY)] += 9 * (cars.cloud(rng, int(CY), W, 90)[:, :, None] - .5)
        sky[int(CY):] += 7 * (cars.cloud(rng, H - int(CY), W, 5)[:, :, None] - .5)
        self.base = np.clip(sky, 0, 255).astype(np.uint8)

    def draw(self, cam):
        img = self.base.copy()
        near = 1.3

        def quad(pts, colour):
            pts = np.round(np.array([at(*p) for p in pts]).clip(-30000, 30000) * 8).astype(np.int32)
            cv2.fillPoly(img, [pts], tuple(int(np.clip(v, 0, 255)) for v in colour), cv2.LINE_AA, 3)

        for side in (-1, 1):
            quad([(side * 3.9, EYE, near), (side * 12, EYE, near), (side * 12, EYE, 300), (side * 3.9, EYE, 300)], (150, 152, 152))
            quad([(side * 3.75, EYE, near), (side * 3.9, EYE, near), (side * 3.9, EYE, 300), (side * 3.75, EYE, 300)], (188, 190, 190))
        things = [("front", f[1] - cam, f) for f in self.fronts] + [("tree", t[1] - cam, t) for t in self.trees]
        for what, z, thing in sorted(things, key=lambda t: -t[1]):
            if z > 95:
                continue
            if what == "tree":
                x, _, r, sprite, mask = thing
                if z < 2.5 or abs(FOCAL * x / z) > W:
                    continue
                (u, v), s = at(x, EYE - 3.6, z), FOCAL / z
                cv2.line(img, tuple(int(c) for c in at(x, EYE, z)), (int(u), int(v)), (40, 55, 70), max(1, int(.22 * s)))
                q = np.float32([(u - r * s, v - 1.25 * r * s), (u + r * s, v - 1.25 * r * s), (u + r * s, v + 1.1 * r * s), (u - r * s, v + 1.1 * r * s)])
                geometry.paste_quad(img, sprite, q, mask)
                continue
            side, _, deep, tall, tone, rows, off = thing
            z0, z1 = max(near, z), z + deep
            if z1 <= near + .5:
                continue
            x = side * off
            quad([(x, EYE - tall, z0), (x, EYE - tall, z1), (x, EYE, z1), (x, EYE, z0)], tone * .8)
            if z > near:
                quad([(x, EYE - tall, z), (x + side * 6, EYE - tall, z), (x + side * 6, EYE, z), (x, EYE, z)], tone)
            cols = max(2, int(deep / 2.4))
            for i in range(cols):
                wz0, wz1 = z + deep * (i + .25) / cols, z + deep * (i + .75) / cols
                if wz0 <= near:
                    continue
                for r in range(rows):
                    y0 = EYE - tall * (r + .8) / rows
                    quad([(x, y0, wz0), (x, y0, wz1), (x, y0 + tall * .5 / rows, wz1), (x, y0 + tall * .5 / rows, wz0)], (88, 78, 66))
        for x in (-.75, ):                                # the dashed middle line
            z = 4.0 - cam % 6.0
            while z < 90:
                a, b = max(near, z), z + 2.6
                if b > near:
                    quad([(x - .06, EYE, a), (x + .06, EYE, a), (x + .06, EYE, b), (x - .06, EYE, b)], (206, 212, 214))
                z += 6.0
        return img


class Drive:
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.street = Street(rng, SPEED * SECONDS)
        for k, v in enumerate(VEHICLES):
            own = np.random.default_rng([seed, k])
            art = np.random.default_rng([seed, k, 1])     # apart, so that a changed plate renderer moves no car
            view = "front" if v.lane == "oncoming" else "rear"
            car = cars.draw_car(own, 900, v.body, view, cars.PAINTS[v.paint])
            plate = render(art, v.plate, v.state, v.kind)
            v.parts = dict(car=car, plate=plate, gain=own.uniform(.82, 1.05), side=np.array(cars.PAINTS[v.paint]) * .62,
                           x={"parked": 1.62 + own.uniform(-.12, .1), "oncoming": -1.85 + own.uniform(-.1, .1), "leading": own.uniform(-.1, .2)}[v.lane])
        self.bob = rng.uniform(0, 6.28, 4)
        # Shade of trees, seconds from and to, and how dark.
        self.shade = [(4.6, 6.4, .62), (13.1, 14.2, .7), (17.5, 18.6, .55)]

    def place(self, v, t):
        """(x, z) of a vehicle's nearer face at time t, metres from the camera."""
        if v.lane == "parked":
            return v.parts["x"], 3.7 + (v.passes - t) * SPEED
        if v.lane == "oncoming":
            return v.parts["x"], 4.7 + (v.passes - t) * (SPEED + 1.6)
        # A slower car ahead: closed on until `passes`, then it turns off to the right.
        left = v.passes - t
        z = 2.35 + max(0.0, left) * 2.6
        away = max(0.0, -left)
        return v.parts["x"] + 3.2 * away ** 2, z + 1.4 * away

    def quads(self, v, t):
        """Corners of the vehicle's face and of its plate in the picture, or None behind the camera."""
        x, z = self.place(v, t)
        if z < 1.2 or z > 75:
            return None
        car = v.parts["car"]
        ch, cw = car.image.shape[:2]
        wide = 1.85
        tall = wide * ch / cw
        yaw = np.radians(v.yaw)
        pitch, sway = self.shake(t)

        def to(px, py):
            dx = (px / cw - .5) * wide
            u, w_ = at(x + dx * np.cos(yaw), EYE - tall * (1 - py / ch), z + dx * np.sin(yaw))
            return u + sway, w_ + pitch
        face = np.float32([to(0, 0), to(cw, 0), to(cw, ch), to(0, ch)])
        p = car.plate
        image = v.parts["plate"].image
        aspect = image.shape[1] / image.shape[0]
        mid, half = p.mean(0), .1524 / wide * cw * np.array([1, 1 / aspect])
        plate = np.float32([to(*(mid + half * s)) for s in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
        return face, plate, z, x

    def shake(self, t):
        a = self.bob
        return 2.2 * np.sin(7.1 * t + a[0]) + 1.0 * np.sin(19 * t + a[1]), 1.4 * np.sin(3.3 * t + a[2]) + .6 * np.sin(13 * t + a[3])

    def moment(self, t):
        img = self.street.draw(SPEED * t)
        seen = [(q[2], v, q) for v in VEHICLES if (q := self.quads(v, t)) is not None]
        for z, v, (face, plate, _, x) in sorted(seen, key=lambda s: -s[0]):
            if face[:, 0].max() < -200 or face[:, 0].min() > W + 200:
                continue
            self.side(img, v, t, z, x)
            g = v.parts["gain"]
            geometry.paste_quad(img, v.parts["car"].image if g == 1 else (v.parts["car"].image * g).astype(np.uint8), face, v.parts["car"].alpha)
            p = v.parts["plate"]
            geometry.paste_quad(img, np.clip(p.image * (g * .95), 0, 255).astype(np.uint8), plate, p.mask)
        return img

    def flank(self, face, t, z, x):
        """Outlines of the body and the windows that show beside the face of a car off to one side."""
        s = -1 if x > 0 else 1
        pitch, sway = self.shake(t)
        edge = face[[0, 3]] if s < 0 else face[[1, 2]]
        tall = edge[1][1] - edge[0][1]
        far = z / (z + 4.0)
        cx, cy = CX + sway, CY + pitch

        def back(p):
            return (cx + (p[0] - cx) * far, cy + (p[1] - cy) * far)
        belt = edge[0] + (0, tall * .42)
        low = edge[1] - (0, tall * .1)
        roof = belt - (s * tall * .06, tall * .3)
        return np.array([belt, back(belt), back(low), low]), np.array([roof, back(roof), back(belt), belt])

    def side(self, img, v, t, z, x):
        body, windows = self.flank(self.quads(v, t)[0], t, z, x)
        for pts, colour in ((body, v.parts["side"]), (windows, (60, 52, 46))):
            cv2.fillPoly(img, [np.round(np.array(pts) * 8).astype(np.int32)], tuple(int(c) for c in colour), cv2.LINE_AA, 3)

    def frame(self, k, rng):
        t = k / FPS
        acc = np.zeros((H, W, 3), np.float32)
        for m in range(MOMENTS):
            acc += self.moment(t + (m / (MOMENTS - 1) - .5) * EXPOSURE)
        light = 1 + .05 * np.sin(.9 * t)
        for a, b, dark in self.shade:
            inside = np.clip(min(t - a, b - t) * 3, 0, 1)
            light *= 1 - (1 - dark) * inside
        acc *= light / MOMENTS
        acc += rng.normal(0, 2.0, (H, W, 1)).astype(np.float32)
        return np.clip(acc, 0, 255).astype(np.uint8)

    def truth(self, frames):
        """Per vehicle, the frames in which its whole plate shows, and where."""
        rows = []
        for v in VEHICLES:
            boxes, wide = {}, []
            for k in range(frames):
                q = self.quads(v, k / FPS)
                if q is None:
                    continue
                x0, y0, x1, y1 = geometry.quad_box(q[1])
                if x1 - x0 < FOLLOWED or x0 < 0 or y0 < 0 or x1 > W or y1 > H or self.hidden(v, q, k / FPS):
                    continue
                boxes[str(k)] = [round(float(n), 1) for n in (x0, y0, x1 - x0, y1 - y0)]
                if x1 - x0 >= SEEN:
                    wide.append(k)
            rows.append({"plate": v.plate, "state": v.state, "kind": v.kind, "lane": v.lane,
                         "first_frame": wide[0], "last_frame": wide[-1], "boxes": boxes})
        return rows

    def hidden(self, v, q, t):
        """Whether a nearer car covers part of the plate."""
        a = geometry.quad_box(q[1])
        for o in VEHICLES:
            other = None if o is v else self.quads(o, t)
            if other is None or other[2] >= q[2]:
                continue
            b = geometry.quad_box(np.concatenate([other[0], *self.flank(other[0], t, other[2], other[3])]))
            if a[0] < b[2] and a[2] > b[0] and a[1] < b[3] and a[3] > b[1]:
                return True
        return False


CLASSES = ("0ODQ", "1I", "2Z", "5S", "8B", "6G")


def key(text):
    for c in CLASSES:
        for ch in c[1:]:
            text = text.replace(ch, c[0])
    return text


def confusable(a, b):
    """Alike once equivalent characters are one, or but one character apart."""
    return key(a) == key(b) or (len(a) == len(b) and sum(x != y for x, y in zip(key(a), key(b))) <= 1)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", default="fixtures")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--crf", type=int, default=25)
    ap.add_argument("--labels-only", action="store_true", help="leave the video as it is")
    ap.add_argument("--stills", default="", help="frame numbers to write as PNG instead of the video")
    args = ap.parse_args()
    from tqdm import tqdm
    cv2.setNumThreads(1)
    alike = [(a.plate, b.plate) for i, a in enumerate(VEHICLES) for b in VEHICLES[i + 1:] if confusable(a.plate, b.plate)]
    assert alike == [NEAR_MISS], alike
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    drive = Drive(args.seed)
    frames = int(SECONDS * FPS)
    for n in filter(None, args.stills.split(",")):
        cv2.imwrite(str(out / f"still{int(n):03d}.png"), drive.frame(int(n), np.random.default_rng([args.seed, 99, int(n)])))
    rows = drive.truth(frames)
    if not args.stills and not args.labels_only:
        pipe = subprocess.Popen(["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{W}x{H}", "-r", str(FPS),
                                 "-i", "-", "-c:v", "libx264", "-preset", "slow", "-crf", str(args.crf), "-threads", "1", "-pix_fmt", "yuv420p",
                                 "-g", "30", "-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1",
                                 str(out / "drive.mp4")], stdin=subprocess.PIPE)
        for k in tqdm(range(frames), desc="frames"):
            pipe.stdin.write(drive.frame(k, np.random.default_rng([args.seed, 99, k])).tobytes())
        pipe.stdin.close()
        if pipe.wait():
            raise SystemExit("ffmpeg failed")
    with open(out / "drive.jsonl", "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")
    with open(out / "hotlist.csv", "w") as f:
        f.write("plate,state,category,priority,reason,make,colour,source,date\n")
        for entry in HOTLIST:
            f.write(",".join('"%s"' % c if "," in c else c for c in entry) + "\n")
    for row in rows:
        print(row["plate"], row["first_frame"], row["last_frame"], len(row["boxes"]), "widest", max(b[2] for b in row["boxes"].values()))


if __name__ == "__main__":
    main()
