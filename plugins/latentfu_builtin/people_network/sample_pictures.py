"""Two people to try things on: rendered once and shipped, so that the demo needs no renderer."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import SamplePicture

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_TITLES = {"woman": "A woman in a garden", "friend": "A friend in a studio"}
"""The file's name without its ending, and what the picture is called."""


def list_people_samples(domain: str) -> list[SamplePicture]:
    """One to edit, and one whose hair can be mixed in; their factors lie beside them."""
    return [
        SamplePicture(
            name=name,
            title=title,
            domain=domain,
            render=partial(_read_sample, SAMPLES / f"{name}.webp"),
            version=partial(_compute_version, SAMPLES / f"{name}.webp"),
            licence="Apache-2.0",
        )
        for name, title in SAMPLE_TITLES.items()
    ]


def _read_sample(path: Path) -> npt.NDArray[np.uint8]:
    """uint8 ``[H, W, 3]``."""
    import numpy as np
    from PIL import Image

    with Image.open(path, formats=["WEBP"]) as picture:
        return np.array(picture.convert("RGB"), dtype=np.uint8)


def _compute_version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
