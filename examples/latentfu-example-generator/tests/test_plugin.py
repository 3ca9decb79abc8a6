"""The plug-in keeps the contract; the checks come with latentfu."""

import latentfu
import pytest
import torch
from latentfu.testing import check_controls, check_generator

import latentfu_example_generator

(SPEC,) = latentfu_example_generator.latentfu_generators()


@pytest.fixture(scope="module")
def generator() -> latentfu.Generator:
    return check_generator(SPEC)


def test_it_is_known_by_its_weights(generator: latentfu.Generator) -> None:
    assert generator.spaces == ("z",)
    assert generator.id == SPEC.id == latentfu_example_generator.weights_id()


def test_its_directions_keep_the_contract(generator: latentfu.Generator) -> None:
    controls = check_controls(latentfu_example_generator, generator, SPEC)
    assert {control.name for control in controls} == {"background_light", "skin_tone"}


def test_a_lighter_background_is_lighter(generator: latentfu.Generator) -> None:
    (control,) = [
        control
        for control in latentfu_example_generator.latentfu_controls(SPEC)
        if control.name == "background_light"
    ]
    latent = latentfu.random_latents(generator, 8, seed=3)
    moved = control.load_for(generator).apply(latent, 2.0, generator)
    corner = (slice(None), slice(None), slice(0, 8), slice(0, 8))
    with torch.no_grad():
        before, after = generator.render(latent)[corner], generator.render(moved)[corner]
    assert (after.mean((1, 2, 3)) > before.mean((1, 2, 3))).all()


def test_what_it_can_not_do_is_said(generator: latentfu.Generator) -> None:
    latent = generator.mean_latent()
    with pytest.raises(latentfu.BadInputError, match="shows no layers"):
        generator.render(latent, "const", features=[1])
    with pytest.raises(latentfu.BadInputError, match="has no labels"):
        generator.map(torch.zeros(1, 64), labels=torch.zeros(1, 3))
