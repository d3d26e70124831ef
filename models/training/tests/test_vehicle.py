"""The vehicle model: the square that is cut, whose photos go together, its figures, and the model in the repository."""
from pathlib import Path

import cv2
import numpy as np
import pytest

from plated_training import vehicle_infer, vehicle_labels, vehicle_metrics

ROOT = Path(__file__).resolve().parents[3]
SIDECAR = ROOT / "models" / "vehicle.toml"
DRAWN = ROOT / "src" / "vision" / "recognition" / "self_test_vehicle.png"


def test_the_region_grows_with_the_plate_and_not_with_its_shape():
    wide, square = ([[0, 0], [w, 0], [w, h], [0, h]] for w, h in ((200, 50), (100, 100)))
    assert vehicle_infer.region(wide)[2] == pytest.approx(vehicle_infer.region(square)[2])
    twice = [[2 * x, 2 * y] for x, y in square]
    assert vehicle_infer.region(twice)[2] == pytest.approx(2 * vehicle_infer.region(square)[2])


def test_what_lies_beyond_the_frame_is_grey_and_the_rest_in_its_place():
    image = np.full((60, 100, 3), 200, np.uint8)
    out = vehicle_infer.cut(image, (-20.0, 20.0, 80.0, 80.0), 40)
    assert [out[10, 9, 0], out[10, 10, 0], out[19, 39, 0], out[20, 39, 0]] == [114, 200, 200, 114]
    assert (vehicle_infer.cut(image, (500.0, 0.0, 80.0, 80.0), 40) == 114).all()


def row(image, text="", **more):
    return {"set": "s", "image": image, "text": text, **more}


def test_photos_of_one_vehicle_are_held_out_together():
    rng = np.random.default_rng(0)
    hashes = rng.random((5, 256)) < 0.5
    hashes[4] = hashes[3]
    hashes[4, :5] ^= True  # nearly the same picture
    rows = [row("a", "ABC123"), row("b", "ABC128"), row("c", "XYZ987"), row("d"), row("e")]
    vehicle_labels.group(rows, hashes)
    groups = [r["group"] for r in rows]
    assert groups[0] == groups[1] and groups[3] == groups[4]
    assert len({groups[0], groups[2], groups[3]}) == 3
    assert rows[0]["held_out"] == rows[1]["held_out"] and rows[3]["held_out"] == rows[4]["held_out"]


def test_texts_are_one_apart_by_a_character_changed_or_more():
    assert all(vehicle_labels.one_apart(a, b) for a, b in (("ABC123", "ABC128"), ("ABC123", "ABC1234"), ("BC123", "ABC123")))
    assert not any(vehicle_labels.one_apart(a, b) for a, b in (("ABC123", "ABD124"), ("ABC123", "ABC12345"), ("ABC123", "CBA123")))


def test_a_temperature_makes_too_sure_logits_honest():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(4000, 5))
    honest = vehicle_metrics.softmax(logits)
    right = np.array([rng.choice(5, p=p) for p in honest])
    t = vehicle_metrics.fit_temperature(logits * 3, right)
    assert 2.6 < t < 3.4
    p = vehicle_metrics.softmax(logits * 3, t)
    assert vehicle_metrics.calibration_error(p.max(1), p.argmax(1) == right) < 0.04


def test_the_threshold_is_the_lowest_that_keeps_the_promise():
    confidence = np.linspace(0.21, 0.99, 400)
    right = confidence > 0.5
    found = vehicle_metrics.least(confidence, right, np.ones(400, bool), 0.9)
    assert right[confidence >= found].mean() >= 0.9 > right[confidence >= found - 0.02].mean()


def test_none_of_these_is_no_answer():
    p = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.2, 0.0, 0.8], [0.1, 0.5, 0.4]])
    f = vehicle_metrics.figures(p, np.array([0, 1, 1, -1]), 0.6, none=0)
    assert f["vehicles"] == 3 and f["answers"] == pytest.approx(2 / 3) and f["right, of answers"] == 0.5


@pytest.mark.skipif(not SIDECAR.exists(), reason="the model is not here")
def test_the_model_in_the_repository_says_of_the_drawn_vehicle_what_its_sidecar_has():
    model = vehicle_infer.Vehicle(SIDECAR)
    answers = model.look(cv2.imread(str(DRAWN))[None])
    for head, p in answers.items():
        word, probability = model.sidecar[head]["drawn"]
        assert abs(p.sum() - 1) < 1e-3
        assert abs(p[0][model.sidecar[head]["labels"].index(word)] - probability) < 0.05
    assert model.answer("colour", answers["colour"][0])[0] == "red"
