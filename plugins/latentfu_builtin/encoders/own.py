"""The encoders of this machine: files in the data folder, listed by their headers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from latentfu import BadInputError, Encoder, Generator, data_dir, is_name, is_sha256

from latentfu_builtin.encoders.header import ARCHITECTURE, read_header

if TYPE_CHECKING:
    import torch

SPACES = ("z", "w", "w+", "w++")


def own_folder() -> Path:
    """Where trained and imported encoders lie."""
    return data_dir() / "encoders"


def own_encoders() -> list[Encoder]:
    """The usable files of the folder; others are left out."""
    found = (listed(path) for path in sorted(own_folder().glob("*.safetensors")))
    return [encoder for encoder in found if encoder is not None]


def listed(path: Path, name: str | None = None, title: str | None = None) -> Encoder | None:
    """The encoder in ``path`` for ``latentfu_encoders``, or None when the file holds none."""
    name = name or path.stem
    try:
        header = read_header(path)
    except BadInputError:
        return None
    generator, space = header.get("generator_id", ""), header.get("space", "w+")
    if not (is_sha256(generator) and is_name(name) and space in SPACES):
        return None
    architecture = header.get("architecture", "")
    return Encoder(
        name=name,
        title=title or f"{architecture} for {header.get('generator', generator[:12])}",
        generator_id=generator,
        load=partial(load, path),
        space=cast('Literal["z", "w", "w+", "w++"]', space),
        licence=header.get("licence", ""),
    )


def load(path: Path, generator: Generator) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function of pictures to codes in ``path``; raises BadInputError."""
    if read_header(path).get("architecture") == ARCHITECTURE:
        from latentfu_builtin.encoders.files import load_encoder

        return load_encoder(path, str(generator.device))
    from latentfu_builtin.encoders.foreign.files import load_foreign

    return load_foreign(path, generator)
