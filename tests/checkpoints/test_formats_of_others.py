"""Checkpoint formats of plug-ins: one that fails costs nothing, one that works is listed whole."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import latentfu
import pytest
import torch
from latentfu.cli.plugins import write_package
from latentfu.testing import check_encoder


@pytest.fixture
def own_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package that ``latentfu plugins new`` writes for a format."""
    package = write_package("pots", tmp_path / "packages", kind="format")
    monkeypatch.syspath_prepend(str(package))
    return importlib.import_module("latentfu_pots")


def broken(error: Exception | None = None, gives: Any = None) -> SimpleNamespace:
    def convert(foreign: latentfu.ForeignFile) -> Any:
        if error is not None:
            raise error
        return gives

    def detect(path: Path) -> bool:
        raise IndexError("state")

    @latentfu.hookimpl
    def latentfu_checkpoint_formats() -> list[latentfu.CheckpointFormat]:
        return [
            latentfu.CheckpointFormat("a-broken", "Broken", convert=convert),
            latentfu.CheckpointFormat("a-wild", "Wild", detect=detect, load=lambda p, d: p),  # type: ignore[arg-type, return-value]
        ]

    return SimpleNamespace(
        latentfu_checkpoint_formats=latentfu_checkpoint_formats, __name__="a-broken"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save({"decode.weight": torch.randn(3 * 8 * 8, 4)}, tmp_path / "own.pt")
    return tmp_path / "own.pt"


def encoder_of_the_format() -> SimpleNamespace:
    """One for every network that the format opens."""

    def load(generator: Any) -> Callable[[torch.Tensor], torch.Tensor]:
        inverse = torch.linalg.pinv(generator.weight)
        return lambda p: p.flatten(1).clamp(-0.9999, 0.9999).atanh() @ inverse

    @latentfu.hookimpl
    def latentfu_encoders() -> list[latentfu.Encoder]:
        return [
            latentfu.Encoder(
                "pots-encoder", "Pots", "", load, "z", fits=lambda g: g.family == "pots"
            )
        ]

    @latentfu.hookimpl
    def latentfu_controls(generator: latentfu.GeneratorSpec) -> list[latentfu.Control]:
        if generator.family != "pots":
            return []
        return [latentfu.Control("lid", "Lid", "more lid", generator.id, Lid)]

    return SimpleNamespace(
        latentfu_encoders=latentfu_encoders,
        latentfu_controls=latentfu_controls,
        __name__="pots-more",
    )


class Lid(latentfu.ControlEffect):
    def apply(self, latent: latentfu.Latent, strength: float, generator: Any) -> latentfu.Latent:
        return latent.with_codes(latent.codes + strength * 0.1)


@pytest.mark.parametrize("error", [IndexError("state"), ZeroDivisionError()])
def test_a_format_that_fails_is_passed_over(
    registered: Callable[..., Any], own_format: Any, file: Path, latentfu_program: Any,
    error: Exception,
) -> None:  # fmt: skip
    registered(broken(error), own_format, encoder_of_the_format())
    ran = latentfu_program("generators", "import", file, "--name", "brown")
    assert ran.code == 0, ran.err
    registered(broken(error), own_format, encoder_of_the_format())
    spec = latentfu.generators()["brown"]
    assert (spec.resolution, spec.domain, spec.family) == (8, "pots", "pots")
    assert "lid" in latentfu.controls("brown")
    opened = latentfu.open_generator("brown", "cpu")
    check_encoder(latentfu.encoders()["pots-encoder"], opened)


def test_where_none_knows_the_file_the_failure_is_told(
    registered: Callable[..., Any], tmp_path: Path, latentfu_program: Any
) -> None:
    torch.save({"other": torch.ones(3)}, tmp_path / "other.pt")
    registered(broken(IndexError("state")))
    ran = latentfu_program("generators", "import", tmp_path / "other.pt", "--name", "odd")
    assert ran.code == 1
    assert "holds no network that is known here" in ran.err
    assert "The checkpoint format a-broken of the plug-in a-broken" in ran.err
    assert "IndexError: state" in ran.err


def test_a_format_that_gives_something_else_is_named(
    registered: Callable[..., Any], file: Path, latentfu_program: Any, isolated_home: Path
) -> None:
    registered(broken(gives={"weights": 3}))
    ran = latentfu_program("generators", "import", file, "--name", "odd")
    assert ran.code == 1
    assert "gave a dict instead of latentfu.ConvertedWeights" in ran.err
    assert not list(isolated_home.rglob("odd*"))
