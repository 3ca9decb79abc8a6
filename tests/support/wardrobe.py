"""A plug-in file whose controls are no sliders, one of each widget, on the small house's network.

Each puts what it was set to into a row of the code, so that a picture tells what arrived.
"""

from __future__ import annotations

from pathlib import Path

PLUGIN = """
import latentfu
from latentfu import hookimpl

ID = "{id}"


class Put(latentfu.ValueEffect):
    def __init__(self, column):
        self._column = column

    def apply_value(self, latent, value, generator):
        codes = latent.codes.clone()
        if isinstance(value, latentfu.Exemplar):
            assert value.image.shape == (1, 3, generator.resolution, generator.resolution)
            codes[:, self._column] = value.image.mean() * 9
        elif isinstance(value, tuple):
            for step, part in enumerate(value):
                codes[:, self._column + step] += 3 * part
        elif isinstance(value, str):
            codes[:, self._column] += len(value) - 3.5
        else:
            assert value is True
            codes[:, self._column] += 2
        return latent.with_codes(codes)


def control(name, title, widget, column, **fields):
    fields = dict(kind="wardrobe", group="wardrobe", widget=widget, **fields)
    return latentfu.Control(name, title, title.lower(), ID, lambda: Put(column), **fields)


@hookimpl
def latentfu_controls(generator):
    if generator.id != ID:
        return []
    return [
        control("lenses", "Lenses", "check", 0),
        control("hat", "Hat", "choice", 1, choices=("cap", "top hat")),
        control("dye", "Hair dye", "color", 2),
        control("mole", "Mole", "point", 1),
        control("like", "Hair of a picture", "picture", 3),
        control("badge", "Words on a badge", "text", 0),
    ]
"""


def add_wardrobe(home: Path) -> None:
    """Put the plug-in beside the small house in ``home``."""
    from latentfu.testing import tiny_spec

    folder = home / "config" / "plugins"
    (folder / "wardrobe.py").write_text(PLUGIN.replace("{id}", tiny_spec().id))
