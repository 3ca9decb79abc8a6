"""A control that is no slider, for the small world's network: GIMP's windows leave it out."""

from __future__ import annotations

from latentfu import Control, ControlValue, Generator, GeneratorSpec, Latent, ValueEffect, hookimpl

from tests.support.small_world import ID


class _Wear(ValueEffect):
    def apply_value(self, latent: Latent, value: ControlValue, generator: Generator) -> Latent:
        return latent.with_codes(latent.codes + 0.1)


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    fields = {"kind": "wardrobe", "widget": "choice", "choices": ("cap", "top hat")}
    return [Control("hat", "Hat", "a hat", ID, _Wear, **fields)] if generator.id == ID else []  # type: ignore[arg-type]
