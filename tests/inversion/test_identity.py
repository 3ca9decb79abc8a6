"""Identity: a network that knows persons counts in the search and is measured afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import latentfu
import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import small_world
import torch
from latentfu import Crop, Identity, InversionRequest, Quad, random_latents, silent
from latentfu.pipeline.metrics import with_metrics
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from latentfu_builtin.inversion.optimise import invert


def left_half(images: torch.Tensor) -> torch.Tensor:
    """A person is what stands on the left."""
    return images[:, :, :, : images.shape[-1] // 2].flatten(1)


@pytest.fixture
def known(isolated_home: object) -> Iterator[None]:
    model = Identity("left", "Left", ("test",), lambda device: left_half)
    plugin = SimpleNamespace(latentfu_identities=latentfu.hookimpl(lambda: [model]))
    plugin.latentfu_identities.__name__ = "latentfu_identities"
    sources = [
        Source("small", "tests", "", lambda: small_world.PLUGIN),
        Source("inversion", "tests", "", lambda: latentfu_builtin.inversion.plugin),
        Source("persons", "tests", "", lambda: plugin),
    ]
    with use_registry(Registry(sources)):
        yield


def test_identity_is_minimised_and_measured(known: None) -> None:
    generator = small_world.small_generator()
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, 3))[0].clamp(-1, 1).numpy().copy()
    image[:, :, 8:] = np.random.default_rng(0).uniform(-1, 1, image[:, :, 8:].shape)

    def likeness(losses: str) -> float:
        crop = Crop(image.astype(np.float32), Quad.square(0, 0, 16), "test")
        asked = InversionRequest(crop, generator, silent, {"losses": losses, "steps": 60})
        found = with_metrics(invert(asked), crop, generator).quality.identity
        assert found is not None
        return found

    assert likeness("l2:1,identity:2") > likeness("l2:1")
