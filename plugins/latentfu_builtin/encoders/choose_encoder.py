"""Which encoder answers for a generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import latentfu
from latentfu import (
    BadInputError,
    Encoder,
    Generator,
    LatentFuError,
    NotInstalledError,
    PluginFailedError,
    call_plugin,
)
from torch import Tensor

from latentfu_builtin.encoders.encoder_file import check_fits
from latentfu_builtin.encoders.user_files import list_encoder_file

Encode = Callable[[Tensor], Tensor]
"""Pictures [N, 3, R, R] in -1..1 -> codes."""

_loaded: WeakKeyDictionary[Generator, dict[str, tuple[str, Encode]]] = WeakKeyDictionary()


def choose_encoder(generator: Generator, name: str = "auto") -> Encoder:
    """The encoder of that name or in that file; for ``auto`` the first made for ``generator``.

    Raises NotInstalledError when there is none, WrongGeneratorError when the one asked for
    belongs to another generator.
    """
    installed = latentfu.encoders()
    if name == "auto":
        fitting = (item for item in installed.values() if is_for(item, generator))
        found = next(fitting, None)
        if found is None:
            raise NotInstalledError(
                f"There is no encoder for {generator.name}: train one with latentfu train "
                f"encoder {generator.name}, or choose another inverter."
            )
        return found
    if Path(name).expanduser().is_file():
        return _open_encoder_file(Path(name).expanduser(), generator)
    if name not in installed:
        known = ", ".join(installed) or "none"
        raise NotInstalledError(f"There is no encoder {name!r}; installed: {known}.")
    if not installed[name].fits or installed[name].generator_id:
        check_fits(installed[name].generator_id, generator, name)
    return installed[name]


def is_for(encoder: Encoder, generator: Generator) -> bool:
    """Whether the encoder says that it is; one that cannot say is not."""
    try:
        return call_plugin(encoder, "was asked", lambda: encoder.is_for(generator))
    except LatentFuError:
        return False


def _open_encoder_file(path: Path, generator: Generator) -> Encoder:
    """The encoder in ``path``; raises BadInputError where there is none."""
    found = list_encoder_file(path, name="file")
    if found is None:
        raise BadInputError(
            f"{path} holds no encoder of this project: bring one of another project in with "
            f"latentfu encoders import."
        )
    check_fits(found.generator_id, generator, str(path))
    return replace(found, name=str(path.resolve()))


def _load_once(encoder: Encoder, generator: Generator) -> Encode:
    """The encoder's function, loaded once for each generator that is open and each stamp."""
    kept = _loaded.setdefault(generator, {})
    stamp, encode = kept.get(encoder.name, ("", None))
    if encode is None or stamp != encoder.stamp:
        encode = call_plugin(encoder, "was loaded", lambda: encoder.load(generator))
        kept[encoder.name] = encoder.stamp, encode
    return encode


def encode_pictures(
    generator: Generator, pictures: Tensor, name: str = "auto"
) -> tuple[Tensor, Encoder]:
    """Codes of ``pictures`` in the generator's editing space, and the encoder that gave them.

    Raises BadInputError when the encoder's codes are not those of the generator, or no numbers.
    """
    encoder = choose_encoder(generator, name)
    encode = _load_once(encoder, generator)
    codes = call_plugin(encoder, "encoded", lambda: encode(pictures.to(generator.device)))
    if not isinstance(codes, Tensor):
        raise PluginFailedError(
            f"The encoder {encoder.name} gave a {type(codes).__name__} instead of codes."
        )
    codes = codes.float()
    mean = generator.mean_latent().codes
    if codes.ndim == 2 and mean.ndim == 3:
        codes = codes[:, None].expand(-1, mean.shape[1], -1)
    if codes.shape[1:] != mean.shape[1:] or not bool(codes.isfinite().all()):
        raise BadInputError(
            f"The encoder {encoder.name} gave no codes for this picture: choose another inverter."
        )
    return codes.contiguous(), encoder
