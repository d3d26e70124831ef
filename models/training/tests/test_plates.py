"""The labels of generated plates say what was drawn."""
import cv2
import numpy as np
import pytest

from plated_training import degrade, glyphs
from plated_training.plates import fill, render_plate
from plated_training.reader_data import H, SLOTS, UNKNOWN, W, backgrounds, sample_batch
from plated_training.states import CALIFORNIA, CODES, STATES


def check(p):
    h, w = p.image.shape[:2]
    assert p.image.dtype == np.uint8 and p.image.shape[2] == 3
    assert p.text == "".join(c[0] for c in p.chars)
    assert p.text and set(p.text) <= set(glyphs.ALNUM)
    xs = [c[1] for c in p.chars]
    assert xs == sorted(xs)
    for _, cx, cy, cw, ch in p.chars:
        assert -1 <= cx - cw / 2 and cx + cw / 2 <= w + 1
        assert 0 <= cy - ch / 2 and cy + ch / 2 <= h


@pytest.mark.parametrize("state", CODES + [""])
def test_every_state_renders(state):
    rng = np.random.default_rng(7)
    for _ in range(4):
        p = render_plate(rng, state)
        assert p.state == state
        check(p)


@pytest.mark.parametrize("kind", sorted({d["kind"] for d in CALIFORNIA}))
def test_every_kind_of_california_renders(kind):
    p = render_plate(np.random.default_rng(3), "CA", kind)
    assert p.kind == kind
    check(p)


def test_a_seed_gives_the_same_plate():
    a, b = (render_plate(np.random.default_rng(11)) for _ in range(2))
    assert a.text == b.text and np.array_equal(a.image, b.image)


@pytest.mark.parametrize("ch", glyphs.ALNUM)
def test_ink_fills_the_character_box(ch):
    for variant in glyphs.VARIANTS.get(ch, [""]):
        die = glyphs.Die(variants={ch: variant})
        mask = np.zeros((140, 140), np.uint8)
        w = glyphs.char_width(die, ch) * 100
        glyphs.draw_stroke_char(mask, ch, 40, 20, w, 100, die)
        ys, xs = np.nonzero(mask > 127)
        assert abs(ys.min() - 20) <= 8 and abs(ys.max() - 120) <= 8
        assert xs.min() >= 40 - 8 and xs.max() <= 40 + w + 9


def test_stacked_letters_are_no_part_of_the_text():
    rng = np.random.default_rng(0)
    tokens = fill("{DLR}dddd{ddl}", rng, list("ABC"))
    assert [t for t, _ in tokens] == ["stack", "char", "char", "char", "char", "stack"]
    assert tokens[0][1] == "DLR"
    p = render_plate(rng, "CA", "dealer")
    assert p.text.isdigit()


def test_all_states_have_designs():
    assert set(STATES) == set(CODES) and len(CODES) == 51


def test_homography_of_paste_carries_points():
    plate = np.zeros((100, 200, 3), np.uint8)
    cv2.circle(plate, (150, 30), 6, (255, 255, 255), -1)
    scene = np.zeros((200, 300, 3), np.uint8)
    corners = np.array([[50, 40], [230, 60], [220, 150], [60, 140]], float)
    hm = degrade.paste(scene, plate, corners)
    x, y = degrade.apply_h(hm, [(150, 30)])[0]
    assert scene[int(round(y)), int(round(x))].max() > 200
    assert np.allclose(degrade.apply_h(hm, [(0, 0), (200, 100)]), corners[[0, 2]], atol=1.5)


def test_shards_are_labelled():
    imgs, text, pos, state = sample_batch(np.random.default_rng(5), backgrounds("", 5, 0), 12)
    assert imgs.shape == (12, H, W, 3) and text.shape == (12, SLOTS) and state.max() <= UNKNOWN
    n = (text > 0).sum(1)
    assert ((pos >= 0).sum(1) == n).all()
    for t, p, k in zip(text, pos, n):
        assert (t[:k] > 0).all() and (t[k:] == 0).all()
        assert (np.diff(p[:k].astype(float)) > 0).all() and 0 < p[0] and p[k - 1] < W


def test_half_of_the_dies_have_a_letter_o_wider_than_their_zero():
    rng = np.random.default_rng(5)
    dies = [glyphs.random_die(rng) for _ in range(200)]
    wider = [glyphs.char_width(d, "O") > 1.03 * glyphs.char_width(d, "0") for d in dies]
    assert 70 < sum(wider) < 130 and all(w or glyphs.char_width(d, "O") == glyphs.char_width(d, "0") for d, w in zip(dies, wider))
