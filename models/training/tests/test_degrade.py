"""Damage keeps a picture a picture: same size, same kind, still showing something."""
import numpy as np
import pytest

from plated_training import degrade, plates


@pytest.mark.parametrize("damage", ["dirt", "cover", "light", "video", "sensor"])
def test_damage_changes_a_plate_but_leaves_its_size_and_its_dark_characters(damage):
    plate = plates.render_plate(np.random.default_rng(4), "CA", "passenger", width=160)
    x, y = (int(v) for v in plate.chars[3][1:3])
    changed, contrast = 0, []
    for seed in range(8):
        out = getattr(degrade, damage)(plate.image.copy(), np.random.default_rng(seed))
        assert out.shape == plate.image.shape and out.dtype == np.uint8
        changed += bool((out != plate.image).any())
        contrast.append(out[y - 20:y + 20, x - 15:x + 15].std())
    assert changed >= 6 and np.median(contrast) > 10
