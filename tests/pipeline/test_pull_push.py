"""A picture known in places, filled in: what holds for every picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.pipeline.pull_push import fill_smoothly

sides = st.integers(1, 70)


@settings(max_examples=60, deadline=None)
@given(sides, sides, st.integers(1, 4), st.integers(0, 999), st.floats(0.0, 1.0))
def test_known_stays_and_the_rest_lies_between(
    height: int, width: int, channels: int, seed: int, share: float
) -> None:
    random = np.random.default_rng(seed)
    image = random.uniform(-200, 200, (height, width, channels)).astype(np.float32)
    known = (random.uniform(size=(height, width)) < share).astype(np.float32)
    filled = fill_smoothly(image, known)
    there = known > 0
    assert filled.shape == image.shape and np.isfinite(filled).all()
    assert np.allclose(filled[there], image[there], atol=1e-3)
    if there.any():
        slack = 0.01 * (1.0 + np.ptp(image[there]))
        assert filled.min() >= min(image[there].min(), 0.0) - slack
        assert filled.max() <= max(image[there].max(), 0.0) + slack
    else:
        assert not filled.any()


def test_one_color_goes_on_as_it_is() -> None:
    known = np.zeros((64, 48), np.float32)
    known[10:12, 5:9] = 1.0
    filled = fill_smoothly(np.full((64, 48, 3), 77.0, np.float32), known)
    assert np.allclose(filled, 77.0, atol=0.1)
