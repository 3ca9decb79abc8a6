"""The two people of the demo: rendered, not photographed, and unknown to the network."""

from __future__ import annotations

import hashlib
import importlib.resources
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from latentfu.core.layer import Pixels
from latentfu.storage.atomic import whole_file
from latentfu.storage.paths import cache_dir, make_private

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 768, 960


@dataclass(frozen=True)
class Person:
    """A portrait by its seed, far from the seeds that training draws.

    ``center``: the head's place in fractions of width and height; ``scale``: the side of the
    generator's square in fractions of the width; ``shared``: what is as with the sitter.
    """

    seed: int
    center: tuple[float, float]
    scale: float
    shared: tuple[str, ...] = ()


SITTER = Person(seed=20268465, center=(0.40, 0.44), scale=0.82)
# One studio for both, and one complexion: what the mixture shows is then the hair.
SHARED = ("background_hue", "background_light", "yaw", "pitch", "roll", "light_x", "light_y")
SOURCE = Person(20268748, center=(0.55, 0.47), scale=0.90, shared=(*SHARED, "skin_tone"))


def portrait(person: Person) -> Pixels:
    """uint8 ``[960, 768, 3]``; rendered once, then read from the cache."""
    from PIL import Image

    path = make_private(cache_dir() / "demo") / f"{_key(person)}.png"
    if not path.is_file():
        picture = Image.fromarray(_render(person))
        with whole_file(path, mode=0o600) as temporary:
            picture.save(temporary, "PNG")
    with Image.open(path, formats=["PNG"]) as stored:
        return np.array(stored.convert("RGB"), dtype=np.uint8)


def _render(person: Person) -> Pixels:
    import torch
    from latentfu_builtin.portraits.renderer import FACTOR_NAMES, PortraitPlacement, render, sample

    # Beside other work, threads that wait for each other cost far more than they bring.
    torch.set_num_threads(1)
    factors = sample(1, seed=person.seed)
    shared = [FACTOR_NAMES.index(name) for name in person.shared]
    factors[:, shared] = sample(1, seed=SITTER.seed)[:, shared]
    placement = PortraitPlacement(*person.center, person.scale)
    picture = render(factors, (HEIGHT, WIDTH), placement=placement)[0]
    levels = ((picture.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255)
    pixels: Pixels = levels.to("cpu").numpy().astype(np.uint8)
    return pixels


def _key(person: Person) -> str:
    """Changes with the person and with the renderer's code."""
    total = hashlib.sha256(repr((person, WIDTH, HEIGHT)).encode())
    # By its folder: importing the renderer would load torch, seconds for a picture from the cache.
    package = importlib.resources.files("latentfu_builtin.portraits") / "renderer"
    for file in sorted(package.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".py"):
            total.update(file.read_bytes())
    return total.hexdigest()[:32]


def save_picture(path: Path, pixels: Pixels) -> None:
    """Write a PNG whole or not at all."""
    from PIL import Image

    with whole_file(path) as temporary:
        Image.fromarray(pixels).save(temporary, "PNG")
