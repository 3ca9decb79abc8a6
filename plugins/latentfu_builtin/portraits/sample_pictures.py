"""Two people to try things on: rendered, not photographed, and unknown to the network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import SamplePicture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_WIDTH, _HEIGHT = 768, 960


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


_SITTER = Person(seed=20268465, center=(0.40, 0.44), scale=0.82)
# One studio for both, and one complexion: what a mixture shows is then the hair.
_STUDIO = ("background_hue", "background_light", "yaw", "pitch", "roll", "light_x", "light_y")
_GUEST = Person(20268748, center=(0.55, 0.47), scale=0.90, shared=(*_STUDIO, "skin_tone"))


def list_sample_pictures(domain: str) -> list[SamplePicture]:
    """The sitter, and a guest whose hair can be mixed in."""
    people = {"sitter": ("A sitter", _SITTER), "guest": ("A guest in the same studio", _GUEST)}
    return [
        SamplePicture(
            name=name,
            title=title,
            domain=domain,
            render=partial(_render_person, person),
            version=partial(_compute_version, person),
            licence="Apache-2.0",
        )
        for name, (title, person) in people.items()
    ]


def _render_person(person: Person) -> npt.NDArray[np.uint8]:
    """uint8 ``[960, 768, 3]``."""
    import numpy as np
    import torch

    from latentfu_builtin.portraits.renderer import FACTOR_NAMES, PortraitPlacement, render, sample

    # Beside other work, threads that wait for each other cost far more than they bring.
    torch.set_num_threads(1)
    factors = sample(1, seed=person.seed)
    shared = [FACTOR_NAMES.index(name) for name in person.shared]
    factors[:, shared] = sample(1, seed=_SITTER.seed)[:, shared]
    placement = PortraitPlacement(*person.center, person.scale)
    picture = render(factors, (_HEIGHT, _WIDTH), placement=placement)[0]  # [3, H, W] in -1..1
    levels = ((picture.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255)
    pixels: npt.NDArray[np.uint8] = levels.to("cpu").numpy().astype(np.uint8)
    return pixels


def _compute_version(person: Person) -> str:
    """Changes with the person and with the renderer's code."""
    total = hashlib.sha256(repr((person, _WIDTH, _HEIGHT)).encode())
    # By its folder: importing the renderer would load torch, seconds for a picture that is kept.
    for file in sorted((Path(__file__).parent / "renderer").glob("*.py")):
        total.update(file.read_bytes())
    return total.hexdigest()[:32]
