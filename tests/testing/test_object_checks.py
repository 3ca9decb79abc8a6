"""latentfu.testing: the checks of losses, scorers and so on pass what keeps its contract, and name
each breach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
import pytest
import torch
from latentfu import Quad
from latentfu.plugin_objects import (
    Aligner,
    CheckpointFormat,
    Command,
    ControlMaker,
    Encoder,
    Identity,
    Loss,
    Scorer,
)
from latentfu.testing import (
    TinyGenerator,
    check_aligner,
    check_checkpoint_format,
    check_command,
    check_control_maker,
    check_encoder,
    check_identity,
    check_loss,
    check_scorer,
)

Pictures = Callable[[torch.Tensor], Any]


def in_place(pictures: torch.Tensor) -> torch.Tensor:
    pictures.add_(1)
    return pictures.flatten(1)[:, :2]


# Losses


def squares(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).square().mean(dim=(1, 2, 3))


def loss(distance: Callable[[torch.Tensor, torch.Tensor], Any]) -> Loss:
    return Loss("mine", "Mine", lambda generator: distance)


BAD_LOSSES: dict[str, tuple[Callable[..., Any], str]] = {
    "a number": (lambda a, b: 3.0, "gives a float"),
    "one for all": (lambda a, b: squares(a, b).mean(), r"gives \[\], not \[2\]"),
    "not finite": (lambda a, b: squares(a, b) * torch.inf, "gives no numbers"),
    "backward": (lambda a, b: 1 - squares(a, b), "equal pictures are not nearest"),
    "flat": (
        lambda a, b: squares(a.detach(), b) + 0 * a.sum(),
        "has no gradient in its first pictures",
    ),
    "batch": (lambda a, b: squares(a, b) * len(a), "alone than in a batch"),
}


def test_an_honest_loss_passes(tiny_generator: TinyGenerator) -> None:
    check_loss(loss(squares), tiny_generator)


@pytest.mark.parametrize("name", BAD_LOSSES)
def test_each_breach_of_a_loss_is_named(tiny_generator: TinyGenerator, name: str) -> None:
    distance, sentence = BAD_LOSSES[name]
    with pytest.raises(AssertionError, match=sentence):
        check_loss(loss(distance), tiny_generator)


# Scorers and identities


def thirds(pictures: torch.Tensor) -> torch.Tensor:
    return torch.stack([pictures.mean(dim=(1, 2, 3)), pictures.amax(dim=(1, 2, 3))], dim=1)


def scorer(score: Pictures, attributes: tuple[str, ...] = ("light", "peak")) -> Scorer:
    return Scorer("mine", "Mine", "test", attributes, lambda device: score)


BAD_SCORES: dict[str, tuple[Scorer, str]] = {
    "no attribute": (scorer(thirds, ()), "names no attribute"),
    "one twice": (scorer(thirds, ("light", "light")), "names one twice"),
    "a list": (scorer(lambda p: [1.0, 2.0]), "gives a list"),
    "columns": (scorer(lambda p: p.flatten(1)[:, :5]), r"gives \[3, 5\], not \(3, 2\)"),
    "rows": (scorer(lambda p: p.flatten()), r"not \[3, D\]"),
    "in place": (scorer(in_place), "changes the pictures"),
    "nan": (scorer(lambda p: thirds(p) * torch.nan), "gives no numbers"),
    "batch": (scorer(lambda p: thirds(p) * len(p)), "alone than in a batch"),
    "doubles": (scorer(lambda p: thirds(p).double()), "not float32"),
    "the same": (scorer(lambda p: torch.ones(len(p), 2)), "gives all pictures one score"),
}


def test_an_honest_scorer_passes() -> None:
    check_scorer(scorer(thirds))


@pytest.mark.parametrize("name", BAD_SCORES)
def test_each_breach_of_a_scorer_is_named(name: str) -> None:
    bad, sentence = BAD_SCORES[name]
    with pytest.raises(AssertionError, match=sentence):
        check_scorer(bad)


def identity(embed: Pictures) -> Identity:
    return Identity("mine", "Mine", ("test",), lambda device: embed)


BAD_EMBEDDINGS: dict[str, tuple[Pictures, str]] = {
    "length 0": (lambda p: p.flatten(1) * 0, "embeddings of length 0"),
    "flat": (
        lambda p: p.detach().flatten(1) + 0 * p.sum(),
        "has no gradient, which the loss identity needs",
    ),
    "nan": (lambda p: p.flatten(1) / 0, "gives no numbers"),
    "batch": (lambda p: p.flatten(1) + len(p), "alone than in a batch"),
    "in place": (in_place, "changes the pictures"),
}


def test_an_honest_identity_passes() -> None:
    check_identity(identity(lambda p: p.flatten(1)))


@pytest.mark.parametrize("name", BAD_EMBEDDINGS)
def test_each_breach_of_an_identity_is_named(name: str) -> None:
    embed, sentence = BAD_EMBEDDINGS[name]
    with pytest.raises(AssertionError, match=sentence):
        check_identity(identity(embed))


# Aligners

PICTURE = np.random.default_rng(1).integers(0, 255, (40, 60, 3)).astype(np.uint8)


def aligner(find: Callable[[Any], Any]) -> Aligner:
    return Aligner("mine", "Mine", ("test",), find)


def find_in_color(picture: Any) -> list[Quad]:
    return [Quad.square(4, 4, 30)] if picture.std() else []


def paint(picture: Any) -> list[Quad]:
    picture[:] = 3
    return [Quad.square(4, 4, 30)]


BAD_FINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "one alone": (lambda p: Quad.square(4, 4, 30), "gives a Quad, not a list"),
    "nothing": (lambda p: [], "finds nothing"),
    "paints": (paint, "changes the picture"),
    "corners": (lambda p: [((0, 0), (1, 1))], "gives a tuple"),
    "outside": (lambda p: [Quad.square(100, 100, 30)], "outside of the picture"),
    "gray": (lambda p: [Quad.square(4, 4, 30)], "finds something in a gray picture"),
}


def test_an_honest_aligner_passes() -> None:
    assert len(check_aligner(aligner(find_in_color), PICTURE)) == 1


@pytest.mark.parametrize("name", BAD_FINDS)
def test_each_breach_of_an_aligner_is_named(name: str) -> None:
    find, sentence = BAD_FINDS[name]
    with pytest.raises(AssertionError, match=sentence):
        check_aligner(aligner(find), PICTURE.copy())


# Encoders


def encoder(encode: Callable[[Any], Pictures], **fields: Any) -> Encoder:
    known = {"fits": lambda generator: True} | fields
    return Encoder("mine", "Mine", "", encode, space="z", **known)


def rough(generator: Any) -> Pictures:
    """By the slope of the network at its mean."""
    mean = generator.mean_latent()

    def render(codes: torch.Tensor) -> torch.Tensor:
        image: torch.Tensor = generator.render(mean.with_codes(codes))
        return image.flatten()

    slope = torch.autograd.functional.jacobian(render, mean.codes)[:, 0]
    plain = generator.render(mean).flatten()
    return lambda pictures: (pictures.flatten(1) - plain) @ torch.linalg.pinv(slope).T


BAD_ENCODERS: dict[str, tuple[Encoder, str]] = {
    "of another": (encoder(rough, fits=lambda g: False), "is not for tiny"),
    "columns": (encoder(lambda g: lambda p: torch.zeros(len(p), 3)), r"\[2, 3\], not \(2, 8\)"),
    "doubles": (encoder(lambda g: lambda p: torch.zeros(len(p), 8).double()), "not float32"),
    "nan": (encoder(lambda g: lambda p: torch.full((len(p), 8), torch.nan)), "no numbers"),
    "mean": (encoder(lambda g: lambda p: torch.zeros(len(p), 8)), "worse than the mean latent"),
}


def test_an_honest_encoder_passes(tiny_generator: TinyGenerator) -> None:
    check_encoder(encoder(rough), tiny_generator)


@pytest.mark.parametrize("name", BAD_ENCODERS)
def test_each_breach_of_an_encoder_is_named(tiny_generator: TinyGenerator, name: str) -> None:
    bad, sentence = BAD_ENCODERS[name]
    with pytest.raises(AssertionError, match=sentence):
        check_encoder(bad, tiny_generator)


# Checkpoint formats


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    own, foreign = tmp_path / "own.safetensors", tmp_path / "foreign.safetensors"
    for path in (own, foreign):
        latentfu.write_tensors(path, {"weight": torch.ones(1)}, {"kind": path.stem})
    return own, foreign


@pytest.fixture
def pickles(tmp_path: Path) -> tuple[Path, Path]:
    own, foreign = tmp_path / "own.pt", tmp_path / "foreign.pt"
    torch.save({"mine": torch.ones(1)}, own)
    torch.save({"theirs": torch.ones(1)}, foreign)
    return own, foreign


def is_own(path: Path) -> bool:
    return "own" in path.name


def opening(detect: Any = is_own, load: Any = lambda path, device: TinyGenerator()) -> Any:
    return CheckpointFormat("mine", "Mine", detect=detect, load=load)


BAD_FORMATS: dict[str, tuple[Any, str]] = {
    "does nothing": (CheckpointFormat("mine", "Mine"), "neither converts nor opens"),
    "blind": (opening(detect=lambda path: False), "does not detect own"),
    "greedy": (opening(detect=lambda path: True), "takes foreign.safetensors for its own"),
    "no generator": (opening(load=lambda path, device: 3), "gives a int"),
}
BAD_CONVERSIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "knows none": (lambda read: None, "does not know own"),
    "knows all": (lambda read: 3, "takes foreign.pt for its own: give None"),
}


@pytest.mark.parametrize("name", BAD_CONVERSIONS)
def test_each_breach_of_a_conversion_is_named(pickles: tuple[Path, Path], name: str) -> None:
    convert, sentence = BAD_CONVERSIONS[name]
    with pytest.raises(AssertionError, match=sentence):
        check_checkpoint_format(CheckpointFormat("mine", "Mine", convert=convert), *pickles)


def test_an_honest_format_passes(files: tuple[Path, Path]) -> None:
    assert isinstance(check_checkpoint_format(opening(), *files), TinyGenerator)


@pytest.mark.parametrize("name", BAD_FORMATS)
def test_each_breach_of_a_format_is_named(files: tuple[Path, Path], name: str) -> None:
    bad, sentence = BAD_FORMATS[name]
    with pytest.raises((AssertionError, latentfu.LatentFuError), match=sentence):
        check_checkpoint_format(bad, *files)


# Makers of controls


def make(request: Any, folder: Path, **changes: Any) -> list[Path]:
    fields = {"space": "z", "name": "checked", "generator_id": request.generator.id, "plus": "more"}
    path = folder / "checked.safetensors"
    vector = np.ones(8, np.float32)
    latentfu.write_direction(path, latentfu.Direction(vector=vector, **(fields | changes)))
    return [path]


def elsewhere(request: Any, folder: Path) -> list[Path]:
    other = folder / "other"
    other.mkdir()
    return make(request, other)


BAD_MAKERS: dict[str, tuple[Callable[[Any, Path], Any], str]] = {
    "nothing": (lambda request, folder: None, "gives no list of files"),
    "outside": (elsewhere, "writes outside of the folder"),
    "other weights": (
        lambda request, folder: make(request, folder, generator_id="0" * 64),
        "made checked.safetensors for other weights",
    ),
}


def maker(made: Callable[[Any, Path], Any]) -> ControlMaker:
    return ControlMaker("mine", "Mine", made)


def test_an_honest_maker_passes(tiny_generator: TinyGenerator, tmp_path: Path) -> None:
    known = {"attribute": "light", "folder": tmp_path}
    (found,) = check_control_maker(maker(make), tiny_generator, None, **known)  # type: ignore[arg-type]
    assert found.name == "checked"


@pytest.mark.parametrize("name", BAD_MAKERS)
def test_each_breach_of_a_maker_is_named(
    tiny_generator: TinyGenerator, tmp_path: Path, name: str
) -> None:
    made, sentence = BAD_MAKERS[name]
    with pytest.raises(AssertionError, match=sentence):
        check_control_maker(maker(made), tiny_generator, None, attribute="light", folder=tmp_path)


# Commands


@click.command("greet")
@latentfu.json_option
def greet(as_json: bool) -> None:
    """Say hello."""


@click.command("mute")
@latentfu.json_option
def mute(as_json: bool) -> None:
    pass


@click.command("plain")
def plain() -> None:
    """Say hello."""


BAD_COMMANDS: dict[str, tuple[Any, str]] = {
    "no command": (print, "gives no click command"),
    "no help": (mute, "has no help text"),
    "no json": (plain, "takes no --json"),
}
COMMAND = Command(("mine", "greet"), "Say hello.", lambda: greet)


def test_an_honest_command_passes() -> None:
    assert check_command(COMMAND) is greet


@pytest.mark.parametrize("name", BAD_COMMANDS)
def test_each_breach_of_a_command_is_named(name: str) -> None:
    loaded, sentence = BAD_COMMANDS[name]
    with pytest.raises(AssertionError, match=sentence):
        check_command(replace(COMMAND, load=lambda: loaded))
