"""The encoders of this machine: files in the data folder, listed by their headers without torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from latentfu import (
    BadInputError,
    Encoder,
    Generator,
    StorageError,
    data_dir,
    is_name,
    is_sha256,
    read_metadata,
)

if TYPE_CHECKING:
    import torch

_SPACES = ("z", "w", "w+", "w++")
ARCHITECTURE = "latentfu-encoder-1"


def user_encoder_folder() -> Path:
    """Where trained and imported encoders lie."""
    return data_dir() / "encoders"


def list_user_encoders() -> list[Encoder]:
    """The usable files of the folder; others are left out."""
    found = (
        list_encoder_file(path) for path in sorted(user_encoder_folder().glob("*.safetensors"))
    )
    return [encoder for encoder in found if encoder is not None]


def list_encoder_file(
    path: Path, name: str | None = None, title: str | None = None
) -> Encoder | None:
    """The encoder in ``path`` for ``latentfu_encoders``, or None when the file holds none."""
    name = name or path.stem
    try:
        header = read_encoder_header(path)
    except BadInputError:
        return None
    generator, space = header.get("generator_id", ""), header.get("space", "w+")
    if not (is_sha256(generator) and is_name(name) and space in _SPACES):
        return None
    architecture = header.get("architecture", "")
    return Encoder(
        name=name,
        title=title or f"{architecture} for {header.get('generator', generator[:12])}",
        generator_id=generator,
        load=partial(_load_any, path),
        space=cast('Literal["z", "w", "w+", "w++"]', space),
        licence=header.get("licence", ""),
    )


def _load_any(path: Path, generator: Generator) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function of pictures to codes in ``path``; raises BadInputError."""
    if read_encoder_header(path).get("architecture") == ARCHITECTURE:
        from latentfu_builtin.encoders.encoder_file import load_encoder

        return load_encoder(path, str(generator.device))
    from latentfu_builtin.encoders.import_encoder import load_published_encoder

    return load_published_encoder(path, generator)


def read_encoder_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; raises BadInputError when it is none."""
    try:
        return read_metadata(path)
    except StorageError as error:
        raise BadInputError(str(error)) from error


def _read_generator_id(path: Path) -> str | None:
    """The id of the generator that the encoder in ``path`` is for; None when it holds none."""
    try:
        found = read_encoder_header(path).get("generator_id", "")
    except BadInputError:
        return None
    return found if is_sha256(found) else None
