"""The exported weights come back into the network unchanged."""
import pathlib

import numpy as np
import torch

from plated_training.import_onnx import load, normalise
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
