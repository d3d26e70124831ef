"""The detector as shipped: sidecar, interface, preparation and decoding.  No torch needed."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from plated_training import detector_infer as infer

MODELS = Path(__file__).resolve().parents[2]


def maps(cells, h=48, w=80):
    """Made-up maps: {(x, y): (heat, half width, half height)}."""
    heat, box, corners = np.zeros((1, h, w), np.float32), np.ones((4, h, w), np.float32), np.zeros((8, h, w), np.float32)
    for (x, y), (p, bw, bh) in cells.items():
        heat[0, y, x] = p
        box[:, y, x] = bw, bh, bw, bh
        corners[:, y, x] = -bw, -bh, bw, -bh, bw, bh, -bw, bh
    return heat, box, corners


def test_decode_places_a_box_around_its_cell_centre():
    conf, boxes, corners = infer.decode(*maps({(10, 5): (0.9, 30, 15)}))
    assert conf == pytest.approx([0.9])
    assert boxes[0] == pytest.approx([84 - 30, 44 - 15, 84 + 30, 44 + 15])
    assert corners[0] == pytest.approx(np.array([[54, 29], [114, 29], [114, 59], [54, 59]]))


def test_decode_keeps_only_peaks_above_the_threshold():
    conf, _, _ = infer.decode(*maps({(10, 5): (0.9, 30, 15), (11, 5): (0.8, 30, 15), (40, 20): (0.29, 30, 15), (60, 20): (0.31, 30, 15)}))
    assert conf == pytest.approx([0.9, 0.31])


def test_decode_drops_the_weaker_of_two_overlapping_boxes():
    conf, _, _ = infer.decode(*maps({(10, 5): (0.7, 30, 15), (12, 5): (0.8, 30, 15), (18, 5): (0.6, 30, 15)}))
    assert conf == pytest.approx([0.8, 0.6])


def test_decode_finds_peaks_in_the_corner_cells_and_keeps_at_most_32():
    cells = {(x * 4, y * 4): (0.5 + 0.001 * (x + y), 6, 4) for x in range(20) for y in range(12)}
    cells[(79, 47)] = (0.99, 10, 5)
    conf, boxes, _ = infer.decode(*maps(cells))
    assert len(conf) == infer.MOST and conf[0] == pytest.approx(0.99)
    assert boxes[0][2] == pytest.approx(79.5 * 8 + 10)


def test_decode_of_nothing_is_empty():
    conf, boxes, corners = infer.decode(*maps({}))
    assert len(conf) == 0 and boxes.shape == (0, 4) and corners.shape == (0, 4, 2)


@pytest.mark.parametrize("size,scale", [((720, 1280), 0.5), ((592, 896), 384 / 592), ((100, 200), 3.2), ((2000, 1000), 0.192)])
def test_prepare_scales_by_one_factor_and_fills_the_rest(size, scale):
    image = np.full((*size, 3), 7, np.uint8)
    canvas, s = infer.prepare(image, 640, 384)
    h, w = int(size[0] * s + 0.5), int(size[1] * s + 0.5)
    assert s == pytest.approx(scale) and canvas.shape == ((h + 7) // 8 * 8, (w + 7) // 8 * 8, 3)
    assert (canvas[:h, :w] == 7).all()
    assert (canvas[h:] == 114).all() and (canvas[:, w:] == 114).all()


def test_sidecar_matches_its_file_and_the_fixed_interface():
    side, path = infer.load_sidecar(MODELS / "detector.toml")
    assert path.name == "detector.onnx"
    assert side["input"] == {"name": "images", "dtype": "uint8", "layout": "NHWC", "colour": "BGR",
                             "width": side["input"]["width"], "height": side["input"]["height"]}
    assert side["input"]["width"] % 8 == 0 and side["input"]["height"] % 8 == 0
    assert side["output"] == {"maps": "maps", "stride": 8}
    assert all(s["name"] and s["licence"] for s in side["trained_on"])


def test_a_changed_file_is_refused(tmp_path):
    (tmp_path / "detector.toml").write_text((MODELS / "detector.toml").read_text())
    (tmp_path / "detector.onnx").write_bytes((MODELS / "detector.onnx").read_bytes() + b"x")
    with pytest.raises(ValueError, match="SHA-256"):
        infer.load_sidecar(tmp_path / "detector.toml")


@pytest.mark.parametrize("n,h,w", [(1, 384, 640), (2, 384, 640), (1, 544, 960), (1, 360, 640), (1, 96, 168), (2, 104, 8)])
def test_any_batch_and_any_size_of_multiples_of_8(n, h, w):
    maps = infer.Detector(MODELS).session.run(["maps"], {"images": np.full((n, h, w, 3), 90, np.uint8)})[0]
    assert maps.shape == (n, h // 8, w // 8, 13) and maps.dtype == np.float32
    heat, box, corners = infer.split(maps[0])
    assert heat.shape == (1, h // 8, w // 8) and box.shape == (4, h // 8, w // 8) and corners.shape == (8, h // 8, w // 8)
    assert heat.min() >= 0 and heat.max() <= 1 and box.min() > 0


def test_what_a_plate_is_does_not_depend_on_where_the_picture_ends():
    image = np.full((384, 640, 3), 110, np.uint8)
    image[200:230, 300:360] = 230
    image[208:222:4, 308:352] = 20
    detector = infer.Detector(MODELS)
    whole, cut = detector.maps(image), detector.maps(image[:360])
    assert np.abs(whole[0][:, :40] - cut[0][:, :40]).max() < 0.05


def test_an_empty_picture_holds_no_plate():
    assert infer.Detector(MODELS).detect(np.full((720, 1280, 3), 90, np.uint8)) == []
