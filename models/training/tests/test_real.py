"""Crops of real plates: alignment and views, on a photo drawn here."""
import json

import cv2
import numpy as np

from plated_training import empties, held_out, labels, measure, real, reader_data
from plated_training.glyphs import ALNUM
from plated_training.reader_data import H, UNKNOWN, W
from plated_training.states import REGIONS


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


def row(n, state, **more):
    return {"set": "set", "image": "a.png", "box": [40, 30, 160, 60], "corners": None, "text": f"AB{n:03}", "state": state, "old": False,
            "centres": [[60 + 25 * i, 60] for i in range(5)]} | more


def shard(tmp_path, rows, close):
    """Texts and states of one shard of these rows, as `views` writes it."""
    (tmp_path / rows[0]["set"]).mkdir()
    cv2.imwrite(str(tmp_path / rows[0]["set"] / "a.png"), np.full((120, 240, 3), 200, np.uint8))
    (tmp_path / "plates.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    class Args:
        plates, photos, out, seed, shards, held_out = str(tmp_path / "plates.jsonl"), str(tmp_path), str(tmp_path / "out"), 1, 1, False
    Args.close = close
    real.COUNT, count = 60, real.COUNT
    try:
        real.views(Args)
    finally:
        real.COUNT = count
    with np.load(next((tmp_path / "out").glob("*.npz"))) as z:
        return z["text"].copy(), z["state"].copy(), z["pos"].copy()


def written(text):
    return {"".join("0" if c == real.EITHER else ALNUM[c - 1] for c in t if c) for t in text}


def test_views_leave_out_what_is_held_out_and_say_no_state_where_it_is_not_known(tmp_path):
    rows = [row(n, s) for n, s in enumerate(["CA", "US", "?", "", "PR"] * 8)]
    text, state, _ = shard(tmp_path, rows, close=False)
    held = {r["text"] for r in rows if labels.held_out(r)}
    assert held and not held & written(text)
    assert set(state) == {REGIONS.index("CA"), REGIONS.index("PR"), real.ANY_STATE, UNKNOWN}


def test_close_crops_leave_out_what_is_held_out_and_keep_their_characters_in_the_crop(tmp_path):
    rows = [row(n, "NV", set=labels.CLOSE, box=[0, 0, 240, 120], centres=[[50 + 35 * i, 60] for i in range(5)]) for n in range(20)]
    text, state, pos = shard(tmp_path, rows + [row(99, "CA", set="open-lpr")], close=True)
    held = {r["text"] for r in rows if labels.held_out(r)}
    assert held and not held & written(text) and "AB099" not in written(text)
    assert set(state) == {REGIONS.index("NV")}
    assert (np.diff(pos[:, :5].astype(float)) > 5).all() and (pos[:, :5] > 0).all() and (pos[:, :5] < W).all()


def test_o_and_0_of_a_real_plate_are_one_class():
    assert real.classes("A0B")[1] == real.EITHER and real.classes("A0B")[0] == ALNUM.index("A") + 1


def test_labels_give_the_texts_their_states_and_whether_the_plate_is_old(tmp_path):
    (tmp_path / "us-plates").mkdir()
    plates = [{"box": [0, 0, 9, 5], "text": "ABO1", "state": "NV", "country": "US", "old": True}, {"box": [0, 0, 9, 5], "country": "US"},
              {"box": [0, 0, 9, 5], "text": "B1", "country": "US"}, {"box": [0, 0, 9, 5], "text": "B2"}, {"box": [0, 0, 90, 15], "text": "B3"}]
    (tmp_path / "us-plates" / "labels.jsonl").write_text("".join(json.dumps({"image": "a.png", "plates": [p]}) + "\n" for p in plates))
    rows = labels.rows(str(tmp_path), ["us-plates", "not-there"])
    assert [(r["text"], r["state"], r["old"]) for r in rows] == [("AB01", "NV", True), ("B1", "US", False), ("B2", "?", False), ("B3", "", False)]


def test_one_text_in_seven_is_held_out_however_its_o_is_written():
    texts = [f"{n:03}ABO" for n in range(700)]
    held = [labels.held_out({"text": t}) for t in texts]
    assert 70 <= sum(held) <= 130
    assert held == [labels.held_out({"text": t.replace("O", "0")}) for t in texts]


def test_a_distant_plate_is_60_pixels_wide_and_the_same_each_time():
    image = np.random.default_rng(1).integers(0, 256, (128, 224, 3), dtype=np.uint8)
    a, b = held_out.distant(image, 3), held_out.distant(image, 3)
    assert a.shape == (30, 60, 3) and (a == b).all()


def test_crops_without_a_plate_have_no_text_and_no_state():
    rng = np.random.default_rng(1)
    pool = reader_data.backgrounds("", 4, 1)
    imgs, text, pos, state = reader_data.empty_batch(rng, pool, reader_data.streets(2, 1), 40)
    assert imgs.shape == (40, H, W, 3) and not text.any() and (pos == -1).all() and set(state) == {UNKNOWN}
    assert len({im.tobytes() for im in imgs}) == 40


def test_measured_contrast_and_sharpness_follow_the_picture():
    stripes = np.zeros((H, W, 3), np.uint8)
    stripes[:, ::8] = stripes[:, 1::8] = stripes[:, 2::8] = 200
    sharp, soft = measure.figures(stripes + 20), measure.figures(cv2.GaussianBlur(stripes, (0, 0), 3) + 20)
    assert sharp["contrast"] > 150 and sharp["sharpness"] > 2 * soft["sharpness"]
    assert measure.figures(stripes // 4)["contrast"] < sharp["contrast"] / 3


def test_photos_without_a_plate_are_held_out_by_name_half_of_them(tmp_path):
    (tmp_path / "negatives").mkdir()
    (tmp_path / "negatives" / "labels.jsonl").write_text("".join(json.dumps({"image": f"{n}.jpg", "plates": []}) + "\n" for n in range(200)))
    kept, held = empties.names(str(tmp_path), False), empties.names(str(tmp_path), True)
    assert not set(kept) & set(held) and len(kept) + len(held) == 200 and 70 < len(held) < 130
