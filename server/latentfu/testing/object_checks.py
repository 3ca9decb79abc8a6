"""Do a plug-in's losses, scorers, aligners, encoders, identities, formats, makers, commands keep
their contract?

Each check raises AssertionError with a sentence about the first thing that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latentfu.core.crop import Quad
from latentfu.core.generator import Generator, random_latents
from latentfu.core.progress import silent
from latentfu.hookspecs import kind_of
from latentfu.plugin_manager.validation import checked_items
from latentfu.plugin_objects import (
    Aligner,
    CheckpointFormat,
    Command,
    ControlMaker,
    ControlRequest,
    Encoder,
    Identity,
    Loss,
    Scorer,
)
from latentfu.storage.directions import Direction, read_direction

_SAME = 2e-3


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)


def _pictures(count: int, side: int, seed: int = 0) -> torch.Tensor:
    """Smooth random pictures ``[N, 3, side, side]`` in -1..1."""
    draw = torch.Generator().manual_seed(seed)
    rough = torch.randn(count, 3, 4, 4, generator=draw)
    smooth = torch.nn.functional.interpolate(rough, size=(side, side), mode="bilinear")
    return smooth.tanh()


def check_loss(loss: Loss, generator: Generator) -> None:
    """A distance ``[N]``: finite, 0 for equal pictures, larger for others, with a gradient."""
    checked_items(kind_of(Loss), [loss])
    distance = loss.build(generator)
    a, b = _pictures(2, generator.resolution), _pictures(2, generator.resolution, 1)
    moved = a.clone().requires_grad_(True)
    found = distance(moved, b)
    _require(isinstance(found, torch.Tensor), f"{loss.name} gives a {type(found).__name__}.")
    _require(tuple(found.shape) == (2,), f"{loss.name} gives {list(found.shape)}, not [2].")
    _require(bool(found.isfinite().all()), f"{loss.name} gives no numbers.")
    same = distance(a, a.clone())
    _require(bool((same < found.detach()).all()), f"{loss.name}: equal pictures are not nearest.")
    (slope,) = torch.autograd.grad(found.sum(), moved)
    _require(bool(slope.isfinite().all()), f"{loss.name} has a gradient that is not finite.")
    _require(bool(slope.any()), f"{loss.name} has no gradient in its first pictures.")
    alone = distance(a[:1], b[:1])
    off = float((alone - found[:1]).detach().abs().max())
    _require(off <= _SAME, f"{loss.name} is another for a picture alone than in a batch.")


def check_scorer(scorer: Scorer, side: int = 64, device: str = "cpu") -> None:
    """Scores ``[N, attributes]``: float32, finite, the same alone and in a batch."""
    checked_items(kind_of(Scorer), [scorer])
    _require(bool(scorer.attributes), f"{scorer.name} names no attribute.")
    _require(
        len(set(scorer.attributes)) == len(scorer.attributes), f"{scorer.name} names one twice."
    )
    unknown = sorted(set(scorer.units) - set(scorer.attributes))
    _require(not unknown, f"{scorer.name} has a unit for {unknown[:1]}, which it does not read.")
    found = _embedded(scorer.name, scorer.load(device), side)
    wanted = (3, len(scorer.attributes))
    _require(
        tuple(found.shape) == wanted, f"{scorer.name} gives {list(found.shape)}, not {wanted}."
    )
    _require(found.dtype == torch.float32, f"{scorer.name} gives {found.dtype}, not float32.")
    _require(bool((found.std(dim=0) > 0).all()), f"{scorer.name} gives all pictures one score.")


def check_identity(identity: Identity, side: int = 64, device: str = "cpu") -> None:
    """Embeddings ``[N, D]``: finite, not 0, with a gradient, the same alone and in a batch."""
    checked_items(kind_of(Identity), [identity])
    embed = identity.load(device)
    found = _embedded(identity.name, embed, side)
    _require(bool((found.norm(dim=1) > 0).all()), f"{identity.name} gives embeddings of length 0.")
    pictures = _pictures(1, side).requires_grad_(True)
    (slope,) = torch.autograd.grad(embed(pictures).square().sum(), pictures)
    _require(bool(slope.any()), f"{identity.name} has no gradient, which the loss identity needs.")


def _embedded(
    name: str, network: Callable[[torch.Tensor], torch.Tensor], side: int
) -> torch.Tensor:
    pictures = _pictures(3, side)
    before = pictures.clone()
    found = network(pictures)
    _require(isinstance(found, torch.Tensor), f"{name} gives a {type(found).__name__}.")
    _require(bool((pictures == before).all()), f"{name} changes the pictures that it is given.")
    _require(found.ndim == 2 and len(found) == 3, f"{name} gives {list(found.shape)}, not [3, D].")
    _require(bool(found.isfinite().all()), f"{name} gives no numbers.")
    alone = network(pictures[:1])
    off = float((alone - found[:1]).detach().abs().max())
    _require(
        off <= _SAME * max(1.0, float(found.detach().abs().max())),
        f"{name} gives another answer for a picture alone than in a batch.",
    )
    return found.detach()


def check_aligner(aligner: Aligner, picture: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Quad]:
    """Quads in a ``picture [H, W, 3]`` of what the aligner looks for; none in a gray one."""
    checked_items(kind_of(Aligner), [aligner])
    before = picture.copy()
    found = aligner.find(picture)
    _require(isinstance(found, list), f"{aligner.name} gives a {type(found).__name__}, not a list.")
    _require(bool(found), f"{aligner.name} finds nothing in this picture.")
    _require(bool((picture == before).all()), f"{aligner.name} changes the picture.")
    height, width = picture.shape[:2]
    for quad in found:
        _require(isinstance(quad, Quad), f"{aligner.name} gives a {type(quad).__name__}.")
        corners = np.asarray(quad.corners, dtype=np.float64)
        _require(bool(np.isfinite(corners).all()), f"{aligner.name} gives corners without numbers.")
        inside = (corners.max(axis=0) > 0).all() and (corners.min(axis=0) < (width, height)).all()
        _require(bool(inside), f"{aligner.name} gives a square outside of the picture.")
    if aligner.domains:
        gray = np.full_like(picture, 128)
        _require(not aligner.find(gray), f"{aligner.name} finds something in a gray picture.")
    return found


def check_encoder(encoder: Encoder, generator: Generator) -> None:
    """Codes of the generator's space: finite, float32, nearer to the picture than the mean is."""
    checked_items(kind_of(Encoder), [encoder])
    _require(encoder.is_for(generator), f"{encoder.name} is not for {generator.name}.")
    encode = encoder.load(generator)
    with torch.no_grad():
        latents = random_latents(generator, 2, seed=3)
        pictures = generator.render(latents)
        codes = encode(pictures)
    mean = generator.mean_latent()
    flat = (2, generator.z_dim if encoder.space == "z" else generator.w_dim)
    wanted = (2, *mean.codes.shape[1:]) if encoder.space in ("w+", "w++") else flat
    _require(tuple(codes.shape) == wanted, f"{encoder.name}: {list(codes.shape)}, not {wanted}.")
    _require(codes.dtype == torch.float32, f"{encoder.name} gives {codes.dtype}, not float32.")
    _require(bool(codes.isfinite().all()), f"{encoder.name} gives no numbers.")
    if tuple(codes.shape[1:]) == tuple(mean.codes.shape[1:]):
        with torch.no_grad():
            shown = generator.render(mean.with_codes(codes))
            plain = generator.render(mean).expand_as(shown)
        ours = float((shown - pictures).square().mean())
        theirs = float((plain - pictures).square().mean())
        _require(ours < theirs, f"{encoder.name} shows pictures worse than the mean latent does.")


def check_checkpoint_format(known: CheckpointFormat, own: Path, foreign: Path) -> Generator | None:
    """``own`` is a file of the format, ``foreign`` another's: detected, passed over, opened."""
    from latentfu.sandbox import read_foreign

    checked_items(kind_of(CheckpointFormat), [known])
    _require(
        known.convert is not None or (known.detect is not None and known.load is not None),
        f"{known.name} neither converts nor opens a file.",
    )
    if known.detect is not None and known.load is not None:
        _require(bool(known.detect(own)), f"{known.name} does not detect {own.name}.")
        if foreign.suffix == ".safetensors":
            _require(not known.detect(foreign), f"{known.name} takes {foreign.name} for its own.")
        opened = known.load(own, "cpu")
        _require(isinstance(opened, Generator), f"{known.name} gives a {type(opened).__name__}.")
        return opened
    assert known.convert is not None
    made = known.convert(read_foreign(own, silent))
    _require(made is not None, f"{known.name} does not know {own.name}.")
    other = known.convert(read_foreign(foreign, silent))
    _require(other is None, f"{known.name} takes {foreign.name} for its own: give None.")
    return None


def check_control_maker(
    maker: ControlMaker,
    generator: Generator,
    scorer: Scorer | None,
    *,
    attribute: str,
    folder: Path,
    samples: int = 64,
) -> list[Direction]:
    """Direction files in ``folder``, for these weights, that can be read again."""
    checked_items(kind_of(ControlMaker), [maker])
    options = {**maker.options, "name": "checked"}
    request = ControlRequest(generator, attribute, samples, 0, silent, scorer, options)
    paths = maker.make(request, folder)
    _require(isinstance(paths, list) and bool(paths), f"{maker.name} gives no list of files.")
    found = []
    for path in paths:
        _require(path.parent == folder, f"{maker.name} writes outside of the folder: {path}.")
        found.append(read_direction(path))
        right = found[-1].generator_id == generator.id
        _require(right, f"{maker.name} made {path.name} for other weights.")
    return found


def check_command(command: Command) -> Any:
    """A click command with a help text that takes ``--json``; gives it."""
    import click

    checked_items(kind_of(Command), [command])
    loaded = command.load()
    where = " ".join(command.path)
    _require(isinstance(loaded, click.Command), f"{where}: load() gives no click command.")
    _require(bool(loaded.help), f"{where} has no help text: write a docstring.")
    flags = [flag for option in loaded.params for flag in option.opts]
    _require("--json" in flags, f"{where} takes no --json: use @latentfu.json_option.")
    return loaded
