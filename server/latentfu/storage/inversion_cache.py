"""Inversions on disk, by content: safetensors with metadata, never a pickle."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop
from latentfu.core.errors import BadInputError, LatentFuError, StorageError, WrongGeneratorError
from latentfu.core.latent import Inversion, Latent, Quality
from latentfu.core.paths import cache_dir, make_private
from latentfu.storage.atomic import write_whole
from latentfu.storage.folder_quota import shrink_folder
from latentfu.storage.safetensors_file import find_metadata, read_tensors_and_metadata
from latentfu.storage.weight_offsets import pack_offsets, read_feature_offsets, read_weight_offsets

if TYPE_CHECKING:
    import torch

    from latentfu.core.generator import Generator

FORMAT = "latentfu-inversion-2"
_DETAIL = "detail."
_MOST_BYTES = 512 << 20
_LARGEST_ENTRY = 128 << 20
_LARGEST_CODE = 1e6
# What reading metadata that anybody could have written can raise.
_UNUSABLE: tuple[type[Exception], ...] = (ValueError, LookupError, TypeError, AttributeError)
_UNUSABLE += (ArithmeticError, RuntimeError, MemoryError, OSError, LatentFuError)

_log = logging.getLogger(__name__)


def inversion_key(
    crop: Crop,
    generator_id: str,
    method: str,
    options: Mapping[str, float | int | str | bool],
    mask: npt.NDArray[np.float32] | None = None,
) -> str:
    """sha256 (hex) over the crop's pixels, place and mask, weights, method and its options."""
    where = {"aligner": crop.aligner, "quad": crop.quad.corners, "shape": crop.image.shape}
    how = {"generator": generator_id, "method": method, "options": dict(options)}
    text = json.dumps([FORMAT, where, how], sort_keys=True, default=float)
    pixels = np.ascontiguousarray(crop.image, dtype="<f4").tobytes()
    if mask is not None:
        pixels += b"mask" + np.ascontiguousarray(mask, dtype="<f4").tobytes()
    return hashlib.sha256(text.encode() + b"\0" + pixels).hexdigest()


class InversionStore:
    """A folder of inversions, oldest-used removed first when it outgrows ``limit`` bytes.

    Only the cache: an entry that is damaged, foreign or does not fit is as good as none, and
    a write that fails is logged, not raised.
    """

    def __init__(self, folder: Path | None = None, limit: int = _MOST_BYTES) -> None:
        self.folder = folder or cache_dir() / "inversions"
        self.limit = limit

    def path(self, key: str) -> Path:
        """Where the entry of ``key`` (64 hex digits) lies."""
        return self.folder / f"{key}.safetensors"

    def get(self, key: str, generator: Generator) -> Inversion | None:
        """The inversion of ``key`` if it is whole and made for ``generator``, else None."""
        path = self.path(key)
        try:
            if not path.is_file() or path.stat().st_size > _LARGEST_ENTRY:
                return None
            inversion = _read_inversion(path, key, generator)
            os.utime(path)
        except _UNUSABLE as error:
            _log.warning("The cached inversion %s is not usable (%s); made again.", path, error)
            return None
        return inversion

    def put(self, key: str, inversion: Inversion) -> None:
        """Store ``inversion`` under ``key``, replacing what is there."""
        try:
            make_private(self.folder)
            write_whole(self.path(key), serialize_inversion(key, inversion), mode=0o600)
            self.shrink()
        except (OSError, StorageError) as error:
            _log.warning("An inversion could not be cached: %s", error)

    def shrink(self) -> None:
        """Remove the entries used longest ago until the folder fits its limit."""
        shrink_folder(self.folder, self.limit, pattern="*.safetensors")


def serialize_inversion(key: str, inversion: Inversion) -> bytes:
    """The bytes of an entry: codes, detail tensors, and everything else as metadata."""
    from safetensors.torch import save

    quality, latent = inversion.quality, inversion.latent
    facts = {
        "key": key,
        "space": latent.space,
        "generator_id": latent.generator_id,
        "method": inversion.method,
        "steps": inversion.steps,
        "quality": [quality.psnr, quality.perceptual, quality.perceptual_name, quality.seconds],
        "parts": dict(quality.parts),
        "identity": quality.identity,
        "beyond": quality.out_of_domain,
        "bends": [[bend.parameter, _single(bend.strength)] for bend in latent.bends],
        "details": [[detail.layer] for detail in latent.details],
    }
    tensors = {"codes": latent.codes}
    for part in pack_offsets(latent.bends, latent.details):
        tensors |= part
    tensors |= {_DETAIL + name: value for name, value in inversion.detail.items()}
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return bytes(save(plain, {"format": FORMAT, "inversion": json.dumps(facts)}))


def _single(strength: float | torch.Tensor) -> float:
    """A bend's strength as a number."""
    return float(strength)


def read_inversion_metadata(path: Path) -> dict[str, Any] | None:
    """What a file says of its inversion, without its tensors; None when it holds none."""
    metadata = find_metadata(path)
    try:
        facts = json.loads(metadata["inversion"])
        whole = isinstance(facts, dict) and len(facts["quality"]) == 4 and facts["key"]
    except (ValueError, KeyError, TypeError):
        return None
    return facts if whole and metadata.get("format") == FORMAT else None


def load_inversion(path: Path, generator: Generator) -> Inversion:
    """The inversion in a file that ``latentfu invert`` wrote.

    Args:
        path: the file.
        generator: the one that it was found with.

    Returns:
        The inversion, its tensors on the generator's device.

    Raises:
        WrongGeneratorError: it is another generator's.
        BadInputError: it is not an inversion, or damaged.
    """
    try:
        return _read_inversion(path, None, generator)
    except WrongGeneratorError:
        raise
    except StorageError as error:
        raise BadInputError(str(error)) from error
    except _UNUSABLE as error:
        raise BadInputError(
            f"{path} holds no latent of {generator.name} ({error}): make it with latentfu invert."
        ) from error


def _read_inversion(path: Path, key: str | None, generator: Generator) -> Inversion:
    """The entry at ``path``, of ``key`` unless that is None.

    Raises ValueError, KeyError, TypeError, RuntimeError or LatentFuError when anything is off.
    """
    tensors, metadata = read_tensors_and_metadata(path, generator.device)
    facts = _check_metadata(metadata, key, generator)
    codes = tensors.pop("codes")
    _check_codes(codes, facts["space"], generator)
    psnr, perceptual, name, seconds = facts["quality"]
    quality = Quality(
        psnr=float(psnr),
        perceptual=float(perceptual),
        perceptual_name=str(name),
        seconds=float(seconds),
        parts={str(part): float(value) for part, value in facts.get("parts", {}).items()},
        identity=_optional(facts.get("identity")),
        out_of_domain=_optional(facts.get("beyond")),
    )
    bends = read_weight_offsets(facts.get("bends", []), tensors, generator)
    details = read_feature_offsets(facts.get("details", []), tensors, generator)
    extra = {name: value for name, value in tensors.items() if name.startswith(_DETAIL)}
    return Inversion(
        latent=Latent(codes, facts["space"], generator.id, bends, details),
        quality=quality,
        method=str(facts["method"]),
        steps=int(facts["steps"]),
        detail={name.removeprefix(_DETAIL): value for name, value in extra.items()},
    )


def _optional(value: object) -> float | None:
    """A number, or None."""
    return None if value is None else float(value)  # type: ignore[arg-type]


def _check_metadata(
    metadata: Mapping[str, str], key: str | None, generator: Generator
) -> dict[str, Any]:
    """The entry's facts; raises unless they speak of ``key`` (None: any) and ``generator``."""
    if metadata.get("format") != FORMAT:
        raise ValueError("another format")
    facts = json.loads(metadata["inversion"])
    if not isinstance(facts, dict) or (key is not None and facts["key"] != key):
        raise ValueError("the entry of another picture")
    if facts["generator_id"] != generator.id:
        raise WrongGeneratorError(
            f"This latent was made for generator {str(facts['generator_id'])[:12]}, not for "
            f"{generator.name}: open the generator it was made with, or invert again."
        )
    if facts["space"] not in generator.spaces:
        raise ValueError("in a space that the generator does not take")
    return facts


def _check_codes(codes: torch.Tensor, space: str, generator: Generator) -> None:
    """ValueError unless the codes are one finite float32 latent of ``generator``."""
    import torch

    wanted = {"z": (1, generator.z_dim), "w": (1, generator.w_dim)}
    shape = wanted.get(space, (1, generator.num_ws, generator.w_dim))
    if codes.dtype != torch.float32 or tuple(codes.shape) != shape:
        raise ValueError(f"codes are {codes.dtype} {list(codes.shape)}")
    if not bool((codes.abs() <= _LARGEST_CODE).all()):  # not so for NaN either
        raise ValueError("codes are out of range")
