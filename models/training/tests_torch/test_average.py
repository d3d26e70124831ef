"""Needs torch: python -m pytest tests_torch"""
import torch

from plated_training.average import measure_norms, mixed
from plated_training.reader import Reader


def test_an_average_lies_between_its_two_networks():
    start, end = Reader().state_dict(), Reader().state_dict()
    got = mixed(start, end, 0.25)
    assert torch.allclose(got["place"], start["place"] * 0.75 + end["place"] * 0.25)
    assert all(torch.equal(v, start[k]) for k, v in mixed(start, end, 0.0).items())
    assert all(torch.allclose(v, end[k]) for k, v in mixed(start, end, 1.0).items())


def test_norms_are_measured_anew_whatever_they_held():
    torch.manual_seed(1)
    net, x = Reader(), torch.randn(8, 3, 48, 160)
    first = net.stem[0][1]
    first.running_mean.fill_(50.0)
    measure_norms(net, [x[:4], x[4:]])
    y = net.stem[0][0](x)
    assert torch.allclose(first.running_mean, y.mean((0, 2, 3)), atol=1e-4)
    assert not net.training and first.momentum == 0.1
