"""Controls that are no sliders, one of each widget, for the small world's network."""

from __future__ import annotations

from typing import Any

from latentfu import (
    Control,
    ControlValue,
    Exemplar,
    Generator,
    GeneratorSpec,
    Latent,
    ValueEffect,
    hookimpl,
)

from tests.support.small_world import ID


class _Wear(ValueEffect):
    """Puts what it is set to into some columns of the code, so that the picture tells it."""

    def __init__(self, column: int) -> None:
        self._column = column

    def apply_value(self, latent: Latent, value: ControlValue, generator: Generator) -> Latent:
        codes = latent.codes.clone()
        for step, part in enumerate(_as_numbers(value)):
            codes[..., self._column + step] += 6 * part
        return latent.with_codes(codes)


def _as_numbers(value: ControlValue) -> tuple[float, ...]:
    if isinstance(value, Exemplar):
        return (float(value.image.mean()) + 1.5,)
    if isinstance(value, tuple):
        return tuple(part + 0.1 for part in value)
    return (len(value) / 4,) if isinstance(value, str) else (1.0,)


def _control(name: str, title: str, widget: Any, column: int, **more: Any) -> Control:
    fields = {"kind": "wardrobe", "group": "wardrobe", "widget": widget} | more
    return Control(name, title, title.lower(), ID, lambda: _Wear(column), **fields)


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    if generator.id != ID:
        return []
    return [
        _control("lenses", "Lenses", "check", 0),
        _control("hat", "Hat", "choice", 1, choices=("cap", "top hat")),
        _control("dye", "Hair dye", "color", 2),
        _control("mole", "Mole", "point", 5),
        _control("like", "Hair like", "picture", 7),
        _control("badge", "Badge", "text", 8),
    ]
