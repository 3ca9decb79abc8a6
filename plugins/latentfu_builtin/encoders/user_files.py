"""The encoders of this machine: files in the data folder, listed by their headers without torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from latentfu import BadInputError, Encoder, Generator, data_dir, is_name, is_sha256

from latentfu_builtin.encoders.encoder_header import ARCHITECTURE, read_encoder_header

if TYPE_CHECKING:
    import torch

_SPACES = ("z", "w", "w+", "w++")


def user_encoder_folder() -> Path:
    """Where trained and imported encoders lie."""
    return data_dir() / "encoders"


def refuse_replacing_encoder(path: Path, generator: Generator) -> None:
    """BadInputError where another network's encoder lies at ``path`` among the user's own."""
    if path.parent != user_encoder_folder() or not path.is_file():
        return
    header = read_encoder_header(path)
    if header.get("generator_id") != generator.id:
        raise BadInputError(
            f"There is an encoder {path.stem} for {header.get('generator') or 'another network'} "
            f"already: give another --name, or remove it with latentfu encoders remove {path.stem}."
        )


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
        stamp=_read_stamp(path),
    )


def _read_stamp(path: Path) -> str:
    """Other for every time that the file is written, without reading it."""
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def _load_any(path: Path, generator: Generator) -> Callable[[torch.Tensor], torch.Tensor]:
    """The function of pictures to codes in ``path``; raises BadInputError."""
    if read_encoder_header(path).get("architecture") == ARCHITECTURE:
        from latentfu_builtin.encoders.encoder_file import load_encoder

        return load_encoder(path, str(generator.device))
    from latentfu_builtin.encoders.import_encoder import load_published_encoder

    return load_published_encoder(path, generator)
