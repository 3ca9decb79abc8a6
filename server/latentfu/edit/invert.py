"""crop -> inversion: the latent of a crop, from the cache or from an inverter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from latentfu.edit.recent import Recent
from latentfu.errors import BadInputError
from latentfu.hooks import InversionRequest, Inverter
from latentfu.nouns.crop import Crop
from latentfu.nouns.generator import Generator
from latentfu.nouns.inversion import Inversion
from latentfu.progress import Progress
from latentfu.store.inversions import InversionStore, inversion_key

Options = Mapping[str, float | int | str | bool]


@dataclass(frozen=True)
class Found:
    """An inversion with its cache key and whether it came from the cache."""

    inversion: Inversion
    key: str
    cached: bool


class InversionShelf:
    """Inversions on disk, and the newest ones in memory."""

    def __init__(self, store: InversionStore | None = None, room: int = 16) -> None:
        self.store = store or InversionStore()
        self.recent: Recent[Inversion] = Recent(room)

    def get(self, key: str, generator: Generator) -> Inversion | None:
        """The inversion stored under ``key``, if it fits ``generator``."""
        found = self.recent.get(key) or self.store.get(key, generator)
        return self.recent.put(key, found) if found is not None else None

    def put(self, key: str, inversion: Inversion) -> None:
        """Keep ``inversion`` here and on disk."""
        self.store.put(key, self.recent.put(key, inversion))


def merged_options(inverter: Inverter, options: Options) -> dict[str, float | int | str | bool]:
    """The inverter's defaults overridden by ``options``; an unknown name is refused."""
    unknown = sorted(set(options) - set(inverter.options))
    if unknown:
        known = ", ".join(sorted(inverter.options)) or "none"
        raise BadInputError(
            f"The inverter {inverter.name} has no option {unknown[0]!r}; it has: {known}."
        )
    return {**inverter.options, **options}


def key_for(crop: Crop, generator: Generator, inverter: Inverter, options: Options) -> str:
    """The cache key of this inversion."""
    return inversion_key(crop, generator.id, inverter.name, merged_options(inverter, options))


def invert(
    crop: Crop,
    generator: Generator,
    inverter: Inverter,
    *,
    shelf: InversionShelf,
    progress: Progress,
    options: Options | None = None,
) -> Found:
    """The latent of ``crop``: cached, or found by ``inverter`` and then cached."""
    chosen = merged_options(inverter, options or {})
    key = key_for(crop, generator, inverter, chosen)
    cached = shelf.get(key, generator)
    if cached is not None:
        return Found(cached, key, True)
    check_content(crop)
    inversion = inverter.invert(InversionRequest(crop, generator, progress, chosen))
    inversion.latent.check_generator(generator.id)
    shelf.put(key, inversion)
    return Found(inversion, key, False)


def check_content(crop: Crop) -> None:
    """Refuse crops without a picture in them (raises BadInputError)."""
    if not np.isfinite(crop.image).all():
        raise BadInputError("The picture holds values that are no numbers: export it again.")
    if float(crop.image.max() - crop.image.min()) < 0.02:
        raise BadInputError(
            "The part to edit is one flat colour: choose a layer that shows a picture there."
        )
