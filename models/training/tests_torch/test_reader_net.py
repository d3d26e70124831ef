"""Needs torch: python -m pytest tests_torch"""
import numpy as np
import torch

from plated_training.reader import CLASSES, COLS, HEIGHT, SLOTS, STATES, WIDTH, Exported, Reader
from plated_training.real import EITHER
from plated_training.train_reader import freeze_text, named, state_loss_of, targets


def test_shapes_and_size():
    net = Reader().eval()
    assert sum(p.numel() for p in net.parameters()) < 3e6
    slots, col, att, dens, st = net(torch.zeros(2, 3, HEIGHT, WIDTH))
    assert slots.shape == (2, SLOTS, CLASSES) and col.shape == (2, CLASSES, COLS)
    assert att.shape == (2, SLOTS, COLS) and st.shape == (2, STATES)
    assert dens.shape == (2, COLS)
    with torch.no_grad():
        p, s = Exported(net)(torch.zeros(1, HEIGHT, WIDTH, 3, dtype=torch.uint8))
    assert torch.allclose(p.sum(2), torch.ones(1, SLOTS), atol=1e-4) and abs(float(s.sum()) - 1) < 1e-4


def test_targets_put_characters_at_their_columns():
    text = np.array([[11, 12, 0]])
    pos = np.array([[42.0, 82.0, -1.0]])
    col, att, dens = targets(text, pos)
    assert abs(float(dens.sum()) - 2) < 1e-4
    assert col[0, 10] == 11 and col[0, 20] == 12 and col[0, 0] == 0 and col[0, 15] == 0
    assert att[0, 0].argmax() == 10 and att[0, 1].argmax() == 20 and float(att[0, 2].sum()) == 0


def test_either_of_0_and_o_is_right_where_persons_did_not_tell_them_apart():
    logits = torch.zeros(1, 3, CLASSES)
    logits[0, 0, 1], logits[0, 1, 25], logits[0, 2, 11] = 20, 20, 20
    loss = -named(logits, 2)[0, :, EITHER]
    assert loss[0] < 1e-3 and loss[1] < 1e-3 and loss[2] > 5


def test_training_the_state_alone_leaves_texts_as_they_are():
    torch.manual_seed(1)
    net, x = Reader(), torch.randn(4, 3, HEIGHT, WIDTH)
    with torch.no_grad():
        slots, *_, states = net.eval()(x)
    freeze_text(net)
    step = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=.1)
    state_loss_of(net, x, np.array([3, 7, 7, 9]))[0].backward()
    step.step()
    with torch.no_grad():
        after, *_, moved = net.eval()(x)
    assert torch.equal(slots, after) and not torch.allclose(states, moved)
