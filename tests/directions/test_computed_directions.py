"""Directions that a plug-in computes from the network are as good as those from a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import latentfu
import pytest
import torch
from latentfu import Latent
from latentfu.core.progress import silent
from latentfu.pipeline.apply_controls import EditOptions, apply_controls
from latentfu.pipeline.cache import ControlCache
from latentfu.testing import TinyGenerator, spec_of

LOADS: list[str] = []


class Push(latentfu.ControlEffect):
    def __init__(self, generator: latentfu.Generator) -> None:
        LOADS.append(generator.name)
        self.step = torch.linspace(-1, 1, generator.z_dim) * 0.3

    def apply(self, latent: Latent, strength: float, generator: latentfu.Generator) -> Latent:
        return latent.with_codes(latent.codes + strength * self.step)


class Bent(Push):
    def apply(self, latent: Latent, strength: float, generator: latentfu.Generator) -> Latent:
        return latent.with_codes(latent.codes * (1 + 0.1 * strength))


def plugin(generator: TinyGenerator) -> SimpleNamespace:
    @latentfu.hookimpl
    def latentfu_generators() -> list[latentfu.GeneratorSpec]:
        return [spec_of(generator, name="tiny")]

    @latentfu.hookimpl
    def latentfu_controls(generator: latentfu.GeneratorSpec) -> list[latentfu.Control]:
        if generator.domain != "test":
            return []
        return [
            latentfu.Control("push", "Push", "more", generator.id, Push),
            latentfu.Control("bent", "Bent", "more", generator.id, Bent),
        ]

    @latentfu.hookimpl
    def latentfu_scorers() -> list[latentfu.Scorer]:
        def load(device: str) -> Callable[[torch.Tensor], torch.Tensor]:
            return lambda images: torch.stack(
                [images.mean(dim=(1, 2, 3)), images.std(dim=(1, 2, 3))], dim=1
            )

        return [latentfu.Scorer("light", "Light", "test", ("light", "contrast"), load)]

    @latentfu.hookimpl
    def latentfu_identities() -> list[latentfu.Identity]:
        def load(device: str) -> Any:
            raise KeyError("arcface.onnx")

        return [latentfu.Identity("who", "Who", ("test",), load)]

    hooks = locals() | {"__name__": "computed"}
    hooks.pop("generator")
    return SimpleNamespace(**hooks)


@pytest.fixture
def tiny(registered: Callable[..., Any], tiny_generator: TinyGenerator) -> TinyGenerator:
    registered(plugin(tiny_generator))
    return tiny_generator


def test_an_effect_is_loaded_once_and_gets_the_network(tiny: TinyGenerator) -> None:
    LOADS.clear()
    cache, latent = ControlCache(), latentfu.random_latents(tiny, 1, seed=1)
    for strength in (1.0, 2.0, 3.0):
        apply_controls(latent, {"push": strength}, latentfu.controls(tiny), tiny, cache=cache)
    assert LOADS == ["tiny"]


def test_it_is_moved_to_an_amount(tiny: TinyGenerator) -> None:
    latent, controls = latentfu.random_latents(tiny, 1, seed=1), latentfu.controls(tiny)
    ways, cache = EditOptions(targets={"push": 2.0}), ControlCache()
    moved = apply_controls(latent, {}, controls, tiny, cache=cache, options=ways)
    step = torch.linspace(-1, 1, 8) * 0.3
    amount = (moved.codes[0] @ step) / step.square().sum()
    assert float(amount) == pytest.approx(2.0, abs=1e-3)
    with pytest.raises(latentfu.BadInputError, match="bent moves along no straight line"):
        apply_controls(
            latent, {}, controls, tiny, cache=cache, options=EditOptions(targets={"bent": 1.0})
        )


def test_report_and_clean_know_it(
    tiny: TinyGenerator, tmp_path: Path, latentfu_program: Any
) -> None:
    report = latentfu_program("directions", "report", "tiny", "--samples", "8", "--json")
    assert report.code == 0, report.err
    rows = json.loads(report.out)["directions"]
    assert [row["name"] for row in rows] == ["push"]
    assert "bent is left out" in report.err
    assert rows[0]["identity"] is None  # its network fails, and is only a measurement
    cleaned = latentfu_program(
        "directions", "clean", "push", "--generator", "tiny", "--without", "push", "--json"
    )
    assert "There is no direction" not in cleaned.out
    unknown = latentfu_program("directions", "clean", "nothing", "--generator", "tiny")
    assert "installed: bent, push." in unknown.err


def test_an_effect_that_says_its_amount_is_reached_by_it(tiny: TinyGenerator) -> None:
    class Length(latentfu.ControlEffect):
        def apply(self, latent: Latent, strength: float, generator: Any) -> Latent:
            return latent.with_codes(latent.codes * (1 + 0.1 * strength))

        def amount(self, latent: Latent, generator: Any) -> torch.Tensor:
            return latent.codes.norm(dim=1)

    latent = latentfu.random_latents(tiny, 2, seed=1)
    moved = Length().reach(latent, 4.0, tiny)
    assert moved.codes.norm(dim=1) == pytest.approx(4.0, abs=0.05)
    assert silent(0.5) is None


def test_nothing_is_said_that_was_not_measured() -> None:
    from latentfu_builtin.directions.commands.common import describe_held_out, describe_leaks

    made = latentfu.Direction(torch.ones(8).numpy(), "z", "push", "a" * 64)
    assert describe_leaks(made) == "what else it moves was not measured"
    assert describe_held_out(made) == "no samples were held out"
