"""The patrol-drive fixture: labels, hotlist and video fit together.  No torch needed."""

import csv
import json
from pathlib import Path

import cv2
import pytest

from plated_training import drive

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"


def test_no_two_plates_are_alike_but_the_meant_pair():
    alike = [(a.plate, b.plate) for i, a in enumerate(drive.VEHICLES) for b in drive.VEHICLES[i + 1:] if drive.confusable(a.plate, b.plate)]
    assert alike == [drive.NEAR_MISS]


def test_truth_names_every_vehicle_and_boxes_lie_in_the_picture():
    rows = [json.loads(line) for line in open(FIXTURES / "drive.jsonl")]
    assert [r["plate"] for r in rows] == [v.plate for v in drive.VEHICLES]
    for r in rows:
        assert 0 <= r["first_frame"] < r["last_frame"] < drive.SECONDS * drive.FPS
        assert max(b[2] for b in r["boxes"].values()) > 80
        for x, y, w, h in r["boxes"].values():
            assert x >= 0 and y >= 0 and x + w <= drive.W and y + h <= drive.H


def test_hotlist_hits_as_described():
    rows = list(csv.DictReader(open(FIXTURES / "hotlist.csv")))
    seen = {(v.plate, v.state) for v in drive.VEHICLES}
    texts = {p for p, _ in seen}
    exact = [r["plate"] for r in rows if (r["plate"], r["state"]) in seen]
    folded = [r["plate"] for r in rows if r["plate"] not in texts and r["plate"].replace("0", "O") in texts]
    equivalent = [r["plate"] for r in rows if drive.key(r["plate"]) in {drive.key(t) for t in texts}]
    assert exact == ["4HNU635", "PLATEDX"] and folded == ["6K0J318"]
    assert equivalent == ["6K0J318", "4HNU635", "8X8R815", "9FWL270", "PLATEDX"]


def test_video_decodes_to_the_stated_frames():
    video = cv2.VideoCapture(str(FIXTURES / "drive.mp4"))
    count = 0
    while True:
        ok, frame = video.read()
        if not ok:
            break
        count += 1
    assert count == int(drive.SECONDS * drive.FPS)
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(drive.FPS)
