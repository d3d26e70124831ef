"""Scenes' labels agree with what was drawn.  No torch and no photos needed."""

import cv2
import numpy as np
import pytest

from plated_training import cars, geometry, negatives, targets
from plated_training.scenes import Scene, SceneMaker, camera, pack


class NoPhotos:
    """Stands in for the photo sets: flat pictures with one dark box as the plate."""

    class Set:
        complete, box_weight = True, 0.5

    def draw(self, rng):
        image = np.full((360, 640, 3), 120, np.uint8)
        cv2.rectangle(image, (300, 200), (399, 249), (20, 20, 20), -1)
        return self.Set, image, np.float32([[300, 200, 400, 250]]), np.array([True])


def plate(rng):
    """Red, which nothing else in the scenes below is."""
    return np.full((120, 240, 3), (0, 0, 255), np.uint8), None


@pytest.mark.parametrize("kind", ["real", "replaced", "drawn", "floating"])
@pytest.mark.parametrize("seed", range(6))
def test_labels_lie_inside_and_scenes_repeat(kind, seed):
    maker = SceneMaker(NoPhotos(), plate)
    scene = maker.make(np.random.default_rng(seed), 416, 256, kind)
    again = maker.make(np.random.default_rng(seed), 416, 256, kind)
    assert scene.image.shape == (256, 416, 3) and scene.image.dtype == np.uint8
    assert np.array_equal(scene.image, again.image)
    for box, quad, ignore in zip(scene.boxes, scene.quads, scene.ignore):
        assert box[2] > box[0] and box[3] > box[1]
        if quad is not None:
            assert np.allclose(geometry.quad_box(quad), box)
            # From top left, clockwise, and a plate's upper side is up.
            assert cv2.contourArea(quad.astype(np.float32), oriented=True) > 0
            assert quad[0, 0] < quad[1, 0] and quad[3, 0] < quad[2, 0] and quad[0, 1] < quad[3, 1]


def test_corners_are_where_the_plate_was_pasted():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        image = np.zeros((256, 416, 3), np.uint8)
        quad = geometry.plate_quad(rng, (208, 128), rng.uniform(30, 200))
        geometry.paste_quad(image, np.full((60, 120, 3), 255, np.uint8), quad)
        ys, xs = np.mgrid[:256, :416] + 0.5
        want = np.ones((256, 416), bool)                   # pixels whose centres lie inside
        for a, b in zip(quad, np.roll(quad, -1, 0)):
            want &= (b[0] - a[0]) * (ys - a[1]) - (b[1] - a[1]) * (xs - a[0]) > 0
        got = image[:, :, 0] > 127
        assert (got != want).sum() <= 0.002 * want.sum() + 2


def test_real_boxes_follow_the_crop():
    maker = SceneMaker(NoPhotos(), None, mix=(1, 0, 0, 0))
    for seed in range(10):
        scene = maker._real(np.random.default_rng(seed), 416, 256)
        x0, y0, x1, y1 = scene.boxes[0].astype(int)
        if not scene.ignore[0]:
            assert scene.image[(y0 + y1) // 2, (x0 + x1) // 2].mean() < 60
            assert scene.image[y0 + 2:y1 - 2, x0 + 2:x1 - 2].mean() < 45


def test_distractors_keep_clear_of_plates():
    rng = np.random.default_rng(1)
    image = np.full((256, 416, 3), 128, np.uint8)
    taken = [np.float32([150, 80, 270, 140])]
    for _ in range(40):
        negatives.add_negative(rng, image, taken)
    assert (image[84:136, 154:266] == 128).all() and (image != 128).any()


def test_the_plates_place_is_on_the_car():
    for seed in range(12):
        car = cars.draw_car(np.random.default_rng(seed), 300, view="front" if seed % 2 else "rear")
        inside = np.round(car.plate).astype(int)
        assert (car.alpha[inside[:, 1], inside[:, 0]] == 255).all()


def test_camera_keeps_size_and_type():
    for seed in range(8):
        out = camera(np.random.default_rng(seed), np.full((64, 96, 3), 100, np.uint8))
        assert out.shape == (64, 96, 3) and out.dtype == np.uint8


def rows(scene):
    p = pack([scene])["plates"]
    return p[:, 1:]


def test_targets_put_the_peak_and_distances_at_the_plate():
    scene = Scene(np.zeros((256, 416, 3), np.uint8), "floating")
    quad = np.float32([[100, 60], [160, 60], [160, 90], [100, 90]])
    scene.add(geometry.quad_box(quad), quad)
    scene.add(np.float32([300, 100, 310, 104]))            # too small: neither sought nor punished
    heat, weight, box, corners, reg = targets.make_targets(rows(scene), 1.0, 416, 256)
    assert (heat == 1).sum() == 1 and heat[9, 16] == 1     # the cell of (130, 75)
    assert box[:, 9, 16] == pytest.approx([132 - 100, 76 - 60, 160 - 132, 90 - 76])
    assert corners[:, 9, 16] == pytest.approx([-32, -16, 28, -16, 28, 14, -32, 14])
    assert reg[0].sum() == pytest.approx(1) and reg[1].sum() == pytest.approx(1)
    assert weight[12, 38] == 0 and weight[28, 4] == 1


def test_mirroring_twice_is_nothing_and_keeps_the_first_corner_top_left():
    scene = Scene(np.zeros((256, 416, 3), np.uint8), "floating")
    quad = geometry.plate_quad(np.random.default_rng(3), (200, 100), 80)
    scene.add(geometry.quad_box(quad), quad)
    _, once = targets.flip(scene.image, rows(scene), 416)
    _, twice = targets.flip(scene.image, once, 416)
    assert np.allclose(twice, rows(scene), atol=1e-3)
    q = once[0, 4:12].reshape(4, 2)
    assert q[0, 0] < q[1, 0] and q[0, 1] < q[3, 1]
