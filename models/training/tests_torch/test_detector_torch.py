"""What of the detector needs torch: fusing, the exported form, losses."""

import numpy as np
import torch

from plated_training.detector import Detector
from plated_training.detector_infer import split
from plated_training.export_detector import Plain
from plated_training.targets import make_targets
from plated_training.train_detector import losses


def trained_a_little():
    torch.manual_seed(1)
    model = Detector()
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
            m.weight.data.uniform_(0.5, 1.5)
            m.bias.data.normal_(0, 0.1)
    return model.eval()


@torch.no_grad()
def test_fused_and_exported_forms_equal_the_trained_one():
    images = torch.randint(0, 256, (2, 96, 160, 3), dtype=torch.uint8)
    want = trained_a_little()(images)
    got = trained_a_little().fuse()(images)
    plain = Plain(trained_a_little()).eval()(images.permute(0, 3, 1, 2).float())
    plain = [torch.from_numpy(np.stack(m)) for m in zip(*(split(maps.numpy()) for maps in plain))]
    for a, b, c in zip(want, got, plain):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3) and torch.allclose(a, c, rtol=1e-3, atol=1e-3)


def perfect(heat, box, corners):
    """Head outputs that say just what the targets say."""
    logit = torch.where(heat >= 0.999, 12.0, -12.0)[:, None]
    size = torch.cat([box[:, :1] + box[:, 2:3], box[:, 1:2] + box[:, 3:4]] * 4, 1).clamp(min=1)
    origin = torch.cat([box[:, :1], box[:, 1:2]] * 4, 1)
    return torch.cat([logit, torch.log(box.clamp(min=0.5) / 8), (corners + origin) / size], 1)


def test_losses_vanish_at_the_labels_and_skip_what_is_ignored():
    plate = np.float32([[100, 60, 160, 90, 100, 60, 160, 60, 160, 90, 100, 90, 1, 1, 0],
                        [20, 20, 60, 40, 20, 20, 60, 20, 60, 40, 20, 40, 1, 1, 1]])
    maps = [torch.from_numpy(m)[None] for m in make_targets(plate, 1.0, 416, 256)]
    raw = perfect(maps[0], maps[2], maps[3])
    assert all(v.item() < 1e-3 for v in losses(raw, *maps, forgive=False))
    raw[:, 0, 3, 5] = 12.0                       # a find on the ignored plate costs nothing
    assert losses(raw, *maps, forgive=False)[0].item() < 1e-3
    raw[:, 0, 25, 40] = 12.0                     # a find on nothing does
    assert losses(raw, *maps, forgive=False)[0].item() > 1
