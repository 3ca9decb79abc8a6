"""Samples with numbers: each is drawn from its seed and number alone, and says so in its picture.

So a person can sort pictures into folders, and their codes are found again without an inversion;
and drawing can stop and go on anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from latentfu import BadInputError, Generator, Latent, Progress
from torch import Tensor

if TYPE_CHECKING:
    from PIL import Image

KEY = "latentfu-sample"
BLOCK = 256
BATCH = 16


@dataclass(frozen=True)
class Number:
    """Which sample of which generator a picture shows."""

    generator_id: str
    seed: int
    number: int


def z_of(generator: Generator, seed: int, numbers: Sequence[int]) -> Tensor:
    """The z of samples by their numbers, ``[N, z_dim]``; the same whichever are asked for."""
    blocks: dict[int, Tensor] = {}
    rows = []
    for number in numbers:
        block, row = divmod(number, BLOCK)
        if block not in blocks:
            draw = torch.Generator().manual_seed(seed * 1_000_003 + block)
            blocks[block] = torch.randn(BLOCK, generator.z_dim, generator=draw)
        rows.append(blocks[block][row])
    return torch.stack(rows)


def latents_of(generator: Generator, seed: int, numbers: Sequence[int]) -> Latent:
    """Their latents, in the generator's editing space."""
    return generator.map(z_of(generator, seed, numbers).to(generator.device))


def write_samples(
    generator: Generator, count: int, seed: int, out: Path, progress: Progress
) -> list[Path]:
    """``count`` pictures of the generator in ``out``, each with its number inside."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for first in range(0, count, BATCH):
        progress(first / count, "Drawing samples")
        numbers = range(first, min(first + BATCH, count))
        with torch.no_grad():
            images = generator.render(latents_of(generator, seed, numbers))
        for number, image in zip(numbers, images, strict=True):
            path = out / f"{generator.name}-{seed}-{number:06}.png"
            save_numbered(path, image, Number(generator.id, seed, number))
            written.append(path)
    return written


def save_numbered(path: Path, image: Tensor, number: Number) -> None:
    """``image [3, R, R]`` in -1..1 as a PNG that knows what it shows."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    levels = ((image.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0)
    words = PngInfo()
    words.add_text(KEY, json.dumps(number.__dict__))
    Image.fromarray(levels.cpu().numpy()).save(path, pnginfo=words)


def number_of(path: Path, generator: Generator) -> Number | None:
    """The number inside a picture, None when it has none.

    BadInputError when it is a sample of another generator.
    """
    words = text_of(path).get(KEY)
    if words is None:
        return None
    try:
        known = json.loads(words)
        number = Number(str(known["generator_id"]), int(known["seed"]), int(known["number"]))
    except (ValueError, KeyError, TypeError):
        return None
    if number.generator_id != generator.id:
        raise BadInputError(
            f"{path} is a sample of another generator than {generator.name}: sort pictures of "
            f"one generator only."
        )
    return number if 0 <= number.number < 10**9 and 0 <= number.seed < 2**40 else None


def text_of(path: Path) -> dict[str, str]:
    """The texts inside a PNG, none of other pictures; BadInputError for what is no picture."""
    image = opened(path)
    found = getattr(image, "text", {})
    return {str(key): str(value) for key, value in found.items()}


def opened(path: Path) -> Image.Image:
    """A picture that has been read; BadInputError when it can not be."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP", "TIFF", "BMP")) as image:
            image.load()
            return image.copy() if not hasattr(image, "text") else with_text(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadInputError(f"{path} is no picture that can be read.") from error
    except Image.DecompressionBombError as error:
        raise BadInputError(f"{path} is far too large: scale it first.") from error


def with_text(image: Image.Image) -> Image.Image:
    """A copy that keeps the PNG's texts."""
    copy = image.copy()
    copy.text = dict(image.text)  # type: ignore[attr-defined]
    return copy
