"""Reader, sidecar and decoding agree. Skipped where no model has been exported."""
import hashlib
import pathlib
import tomllib

import numpy as np
import pytest

from plated_training.reader_infer import Reader, decode
from plated_training.states import CODES

MODELS = pathlib.Path(__file__).resolve().parents[2]
NAMES = ["reader", "reader-fp32"]


@pytest.mark.parametrize("name", NAMES)
def test_sidecar_matches_file(name):
    card = tomllib.loads((MODELS / f"{name}.toml").read_text())
    assert card["format"] == "plated-reader-1"
    assert hashlib.sha256((MODELS / card["file"]).read_bytes()).hexdigest() == card["sha256"]
    assert all(r["name"] and r["licence"] for r in card["trained_on"])
    out = card["output"]
    assert out["alphabet"] == "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert out["states"][-1] == "" and set(CODES) < set(out["states"])
    reader = Reader(MODELS, name)
    w, h = reader.size
    for n in (1, 3):
        slots, state = reader.run([np.full((h, w, 3), 90, np.uint8)] * n)
        assert slots.shape == (n, out["length"], 37) and state.shape == (n, len(out["states"]))
        assert np.allclose(slots.sum(2), 1, atol=1e-3) and np.allclose(state.sum(1), 1, atol=1e-3)


def test_reads_an_easy_plate():
    from plated_training.plates import render_plate
    reader, right = Reader(MODELS), 0
    rng = np.random.default_rng(1)
    for _ in range(30):
        p = render_plate(rng, "CA", "passenger")
        right += reader.read([reader.crop_whole(p.image)])[0]["text"] == p.text
    assert right >= 24


def test_a_plate_near_by_keeps_the_mean_of_its_pixels():
    image = np.zeros((960, 3200, 3), np.uint8)
    image[:, ::2] = 255
    crop = Reader(MODELS).crop_corners(image, [[80, 40], [3120, 40], [3120, 920], [80, 920]])
    assert crop.min() >= 100 and crop.max() <= 155


def test_decode():
    alphabet = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    p = np.zeros((3, 37))
    p[0, 11], p[0, 5] = .75, .25
    p[1, 2] = 1
    p[2, 0] = 1
    r = decode(p, alphabet)
    assert r["text"] == "A1" and abs(r["confidence"] - .75) < 1e-9
    assert [c["text"] for c in r["candidates"][:2]] == ["A1", "41"]
    assert abs(r["candidates"][1]["confidence"] - .25) < 1e-6
