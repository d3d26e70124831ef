"""Exported weights come back into the network and do what the file does."""
import copy
import pathlib

import cv2
import numpy as np
import torch

from plated_training.detector_infer import Detector as Inference
from plated_training.detector_infer import split
from plated_training.export_detector import TIGHTEN, Plain
from plated_training.import_onnx import load, load_detector, normalise
from plated_training.plates import render_plate
from plated_training.reader import Exported
from plated_training.reader_infer import Reader
from plated_training.states import REGIONS

MODELS = pathlib.Path(__file__).resolve().parents[2]


def differences(net, temperatures):
    """The greatest difference to the file's probabilities, of slots and of the states that both know."""
    reader = Reader(MODELS, "reader-fp32")
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (6, 48, 160, 3), dtype=np.uint8)
    bars = np.repeat(rng.integers(0, 256, (6, 1, 20, 3), dtype=np.uint8), 8, 2).repeat(48, 1)
    images = np.concatenate([noise, bars, noise // 8 + bars // 2])
    slots, states = reader.run(images)
    with torch.no_grad():
        got, regions = (v.numpy() for v in Exported(net.eval(), *temperatures)(torch.from_numpy(images)))
    regions = regions[:, [(REGIONS + [""]).index(s) for s in reader.states]]
    return np.abs(slots - got).max(), np.abs(states - regions / regions.sum(1, keepdims=True)).max()


def test_the_network_gives_what_the_file_gives():
    net, *temperatures = load(MODELS)
    assert max(differences(net, temperatures)) < 1e-4


def test_batch_norm_gets_the_statistics_of_crops_and_changes_nothing():
    net, *temperatures = load(MODELS)
    crops = np.random.default_rng(2).integers(0, 256, (48, 48, 160, 3), dtype=np.uint8)
    normalise(net, crops)
    assert max(differences(net, temperatures)) < 1e-4
    # While training, the batch's own statistics are used: over the same crops that is the same function.
    x = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 64 - 2
    with torch.no_grad():
        want = net(x)[0]
        got = net.train()(x)[0]
    assert torch.allclose(want, got, atol=0.02)


def test_the_detector_finds_what_its_file_finds():
    image = np.full((384, 640, 3), 110, np.uint8)
    cv2.rectangle(image, (180, 120), (460, 330), (60, 50, 40), -1)
    plate = render_plate(np.random.default_rng(3), "OH", width=96).image
    image[250:250 + len(plate), 270:270 + plate.shape[1]] = plate
    want = Inference(MODELS).maps(image)
    net = load_detector(MODELS)
    for changed in (net, normalise(net, image[None].repeat(2, 0), torch.from_numpy)):
        with torch.no_grad():
            got = split(Plain(copy.deepcopy(changed), TIGHTEN)(torch.from_numpy(image).permute(2, 0, 1)[None].float())[0].numpy())
        at = np.repeat(want[0] > 0.5, 4, 0)
        assert at.any() and np.abs(got[0] - want[0]).max() < 0.1  # the file rounds activations too
        assert np.abs(got[1] - want[1])[at].max() < 4 and np.abs(got[2] - want[2])[np.repeat(at, 2, 0)].max() < 4
