"""Crops of real plates: alignment and views, on a photo drawn here."""
import json

import cv2
import numpy as np

from plated_training import real, reader_data
from plated_training.glyphs import ALNUM
from plated_training.reader_data import H, UNKNOWN, W


def scores(text, columns):
    s = np.full((37, 40), -6.0)
    for c, at in zip(text, columns):
        s[ALNUM.index(c) + 1, at] = 0
    return s


def test_characters_are_found_where_the_columns_show_them():
    assert real.places(scores("7ABB", [5, 12, 20, 27]), "7ABB") == [5, 12, 20, 27]


def test_a_character_that_the_columns_do_not_show_still_gets_a_place_in_order():
    found = real.places(scores("7A8C", [5, 12, 20, 27]), "7ABC")
    assert found[:2] == [5, 12] and found[3] == 27 and 14 <= found[2] <= 25


def test_a_view_carries_the_characters_with_it():
    photo = np.full((240, 400, 3), 90, np.uint8)
    cv2.rectangle(photo, (100, 80), (300, 180), (255, 255, 255), -1)
    for x in (150, 250):  # two black dots for characters
        cv2.circle(photo, (x, 130), 8, (0, 0, 0), -1)
    row = {"corners": [[100, 80], [300, 80], [300, 180], [100, 180]], "box": [100, 80, 200, 100], "text": "11",
           "state": "", "centres": [[150, 130], [250, 130]]}
    for seed in range(12):
        crop, pts = real.view(np.random.default_rng(seed), photo, row)
        assert crop.shape == (H, W, 3)
        grey = crop.astype(int).sum(2)
        for x, y in pts:  # the dot is darker than the plate beside it
            x, y = int(x), int(np.clip(y, 0, H - 1))
            assert grey[y, x] < grey[y, max(0, x - 16)] and grey[y, x] < grey[y, min(W - 1, x + 16)]


def test_views_leave_out_what_is_held_out_and_say_no_state_where_it_is_not_known(tmp_path):
    (tmp_path / "set").mkdir()
    photo = np.full((120, 240, 3), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "set" / "a.png"), photo)
    rows = [{"set": "set", "image": "a.png", "box": [40, 30, 160, 60], "corners": None, "text": f"AB{n:03}", "state": s,
             "centres": [[60 + 25 * i, 60] for i in range(5)]} for n, s in enumerate(["CA", "US", ""] * 8)]
    (tmp_path / "plates.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    class Args:
        plates, photos, out, seed, shards, held_out = str(tmp_path / "plates.jsonl"), str(tmp_path), str(tmp_path / "out"), 1, 1, False
    real.COUNT, count = 60, real.COUNT
    try:
        real.views(Args)
    finally:
        real.COUNT = count
    with np.load(tmp_path / "out" / "real-00000.npz") as z:
        seen = {("".join(ALNUM[c - 1] for c in t if c), int(s)) for t, s in zip(z["text"], z["state"])}
    held = {r["text"] for r in rows if real.held_out(r)}
    assert held and not held & {t for t, _ in seen}
    assert {s for _, s in seen} == {real.CODES.index("CA"), real.ANY_STATE, UNKNOWN}


def test_crops_without_a_plate_have_no_text_and_no_state():
    rng = np.random.default_rng(1)
    pool = reader_data.backgrounds("", 4, 1)
    imgs, text, pos, state = reader_data.empty_batch(rng, pool, reader_data.streets(2, 1), 40)
    assert imgs.shape == (40, H, W, 3) and not text.any() and (pos == -1).all() and set(state) == {UNKNOWN}
    assert len({im.tobytes() for im in imgs}) == 40
