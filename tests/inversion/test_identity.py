"""Identity: a network that knows persons counts in the search and is measured afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import latentfu
import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import torch
from latentfu import (
    BadInputError,
    Crop,
    Identity,
    InversionRequest,
    Latent,
    PluginFailedError,
    Quad,
    random_latents,
    silent,
)
from latentfu.pipeline.apply_controls import hold_identity
from latentfu.pipeline.metrics import with_metrics
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from latentfu_builtin.inversion.losses import build_identity_distance
from latentfu_builtin.inversion.optimize import optimize_latent

from tests.support import small_world


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


def test_identity_is_minimized_and_measured(known: None) -> None:
    generator = small_world.small_generator()
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, 3))[0].clamp(-1, 1).numpy().copy()
    image[:, :, 8:] = np.random.default_rng(0).uniform(-1, 1, image[:, :, 8:].shape)

    def likeness(losses: str) -> float:
        crop = Crop(image.astype(np.float32), Quad.square(0, 0, 16), "test")
        asked = InversionRequest(crop, generator, silent, {"losses": losses, "steps": 60})
        found = with_metrics(optimize_latent(asked), crop, generator).quality.identity
        assert found is not None
        return found

    assert likeness("l2:1,identity:2") > likeness("l2:1")


def test_a_loss_of_a_wrong_shape_names_its_model(isolated_home: object) -> None:
    model = Identity("map", "Map", ("test",), lambda device: lambda images: images)
    plugin = SimpleNamespace(latentfu_identities=latentfu.hookimpl(lambda: [model]))
    plugin.latentfu_identities.__name__ = "latentfu_identities"
    generator = small_world.small_generator()
    with use_registry(Registry([Source("persons", "tests", "", lambda: plugin)])):
        wrong = r"The identity map of the plug-in persons .*\[1, 3, 16, 16\] instead of"
        distance = build_identity_distance(generator)
        picture = torch.zeros(1, 3, 16, 16)
        with pytest.raises(PluginFailedError, match=wrong):
            distance(picture, picture)
        before = random_latents(generator, 1, 4)
        with pytest.raises(PluginFailedError, match=wrong):
            hold_identity(before, edit_of(before), generator, weight=1.0)


def edit_of(before: Latent) -> Latent:
    """Every layer of every latent moved another way."""
    away = torch.randn(before.codes.shape, generator=torch.Generator().manual_seed(1))
    return before.with_codes(before.codes + 0.6 * away)


def likeness_of(one: Latent, other: Latent) -> torch.Tensor:
    """How much the same person stands on the left of both pictures, [N]."""
    generator = small_world.small_generator()
    with torch.no_grad():
        shown = [left_half(generator.render(each).float().clamp(-1, 1)) for each in (one, other)]
    return torch.cosine_similarity(*shown)


def test_the_person_is_held_beside_the_edit(known: None) -> None:
    generator = small_world.small_generator()
    before = random_latents(generator, 2, 4)
    after = edit_of(before)
    held = hold_identity(before, after, generator, weight=1.0)
    assert likeness_of(before, held).mean() > likeness_of(before, after).mean()
    step = held.codes - after.codes  # [N, L, D]
    edit = after.codes - before.codes
    along = (step * edit).sum(dim=-1) / edit.norm(dim=-1)  # [N, L]
    assert float(along.abs().max()) < 1e-3 * float(step.norm(dim=-1).max())
    assert (held.space, held.generator_id) == (after.space, after.generator_id)
    assert not held.codes.requires_grad


def test_holding_harder_comes_no_farther_from_the_person(known: None) -> None:
    generator = small_world.small_generator()
    before = random_latents(generator, 1, 5)
    after = edit_of(before)
    plain = float(likeness_of(before, after).mean())
    for weight in (0.0, 1.0, 10.0, 1000.0):  # a step too long is not kept: the best met is
        held = hold_identity(before, after, generator, weight)
        assert float(likeness_of(before, held).mean()) >= plain - 1e-6
    same = hold_identity(before, after, generator, weight=0.0)
    assert torch.equal(same.codes, after.codes)
    far, farther = (hold_identity(before, after, generator, weight) for weight in (10.0, 1000.0))
    assert torch.equal(far.codes, farther.codes)  # more than ten times the step is not taken


def test_nobody_is_held_where_no_network_knows_persons() -> None:
    generator = small_world.small_generator()
    before = random_latents(generator, 1, 4)
    with use_registry(Registry([])), pytest.raises(BadInputError, match="knows persons in test"):
        hold_identity(before, edit_of(before), generator, weight=1.0)
