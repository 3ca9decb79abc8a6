"""The pictures that the demo edits: brought by a plug-in, rendered once and then kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentfu.core.errors import NotInstalledError
from latentfu.core.paths import cache_dir, make_private
from latentfu.storage.atomic import whole_file, write_image

if TYPE_CHECKING:
    from latentfu.core.layer import Pixels
    from latentfu.plugin_objects import SamplePicture


def choose_sample_pictures(generator_name: str | None) -> tuple[SamplePicture, SamplePicture]:
    """One to edit and one to mix in, of the generator's domain if there are any of it.

    Raises NotInstalledError when no plug-in brings a picture.
    """
    from latentfu.plugin_manager import get_registry
    from latentfu.plugin_objects import GeneratorSpec, SamplePicture

    registry = get_registry()
    every = list(registry.installed(SamplePicture).values())
    generators = registry.installed(GeneratorSpec)
    chosen = generators.get(generator_name or next(iter(generators), ""))
    fitting = [item for item in every if chosen is not None and item.domain == chosen.domain]
    candidates = fitting or every
    if not candidates:
        raise NotInstalledError(
            "There is no picture to edit: install a plug-in that brings one (portraits does)."
        )
    return candidates[0], candidates[1 if len(candidates) > 1 else 0]


def _cached_file(picture: SamplePicture) -> Path:
    """Where the rendered picture lies or would lie."""
    return cache_dir() / "demo" / f"{picture.version()}.png"


def read_sample_picture(picture: SamplePicture) -> Pixels:
    """uint8 ``[H, W, 3]``; rendered once, then read from the cache."""
    import numpy as np
    from PIL import Image

    path = _cached_file(picture)
    make_private(path.parent)
    if not path.is_file():
        rendered = Image.fromarray(picture.render())
        with whole_file(path, mode=0o600) as temporary:
            rendered.save(temporary, "PNG")
    with Image.open(path, formats=["PNG"]) as stored:
        return np.array(stored.convert("RGB"), dtype=np.uint8)


def save_picture(path: Path, pixels: Pixels) -> None:
    """Write a PNG whole or not at all."""
    from PIL import Image

    write_image(path, Image.fromarray(pixels))
