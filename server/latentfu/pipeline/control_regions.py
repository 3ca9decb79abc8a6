"""Where a control acts: the regions that change in pictures with and without it, measured once.

First what the control itself says, then what the parser knows from pictures whose regions are
true, then what changes in the generator's own pictures. The last is kept on disk by the weights
and the control.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentfu.core.control import Control
from latentfu.core.errors import StorageError
from latentfu.core.generator import Generator, random_latents
from latentfu.core.paths import cache_dir, make_private
from latentfu.core.progress import Progress
from latentfu.core.regions import RegionParser, measure_region_changes
from latentfu.pipeline.cache import ControlCache
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import to_levels
from latentfu.pipeline.preview import render_quick, resize_picture
from latentfu.pipeline.region_map import RegionReader, read_known_changes
from latentfu.storage.atomic import write_whole

if TYPE_CHECKING:
    from latentfu.pipeline.region_map import RegionMap

SAMPLES = 4
LEAST_CHANGE = 1.0
"""Levels below which a region counts as left alone, unless no region changes twice as much."""
LEAST_PART = 0.015
"""Part of the largest change of a region below which another counts as left alone."""
LEAST_OF_THINGS = 0.5
"""The same for things: an older face brings other clothes along, and is no edit of clothes."""
NOTHING = 0.2
"""A control whose largest change is smaller, in levels, says nothing about where it acts."""
_SEEN = 256
"""Pixels of the pictures that are measured: parsers look at no more."""
_SEED = 4711

_log = logging.getLogger(__name__)


def choose_regions(changes: Mapping[str, float], things: Collection[str] = ()) -> tuple[str, ...]:
    """The regions that a control changes, from the mean change in each, in levels.

    >>> choose_regions({"hair": 30.0, "skin": 0.4, "clothes": 9.0, "brows": 12.0}, {"clothes"})
    ('hair', 'brows')
    """
    most = max(changes.values(), default=0.0)
    if most <= NOTHING:
        return ()
    least = max(min(LEAST_CHANGE, most / 2), LEAST_PART * most)
    return tuple(
        name
        for name, change in changes.items()
        if change >= (LEAST_OF_THINGS * most if name in things else least)
    )


def find_control_regions(
    control: Control,
    generator: Generator,
    parser: RegionParser,
    *,
    reader: RegionReader,
    effects: ControlCache,
    progress: Progress,
) -> tuple[str, ...]:
    """The regions in which ``control`` acts; empty where it cannot be told."""
    if control.regions is not None:
        return tuple(name for name in control.regions if name in parser.regions)
    if control.widget != "slider":
        return ()
    known = read_known_changes(parser).get(control.name)
    if known is not None:
        return choose_regions(known, parser.things)
    path = _cache_path(control, generator, parser)
    kept = _read_kept(path)
    if kept is None:
        kept = _measure_changes(
            control, generator, parser, reader=reader, effects=effects, progress=progress
        )
        _keep(path, kept)
    return choose_regions(kept, parser.things)


def _measure_changes(
    control: Control,
    generator: Generator,
    parser: RegionParser,
    *,
    reader: RegionReader,
    effects: ControlCache,
    progress: Progress,
) -> dict[str, float]:
    """The mean change of each region in the generator's pictures under half the control's range.

    In levels; empty where the parser is not sure of most of the pictures.
    """
    effect = effects.get(control, generator)
    sums: dict[str, list[float]] = {}
    unsure = 0
    for number in range(SAMPLES):
        progress(0.9, f"Measuring where {control.name} acts")  # raises once it is cancelled
        before = random_latents(generator, 1, _SEED + number)
        strength = (control.maximum if number % 2 == 0 else control.minimum) / 2
        after = effect.apply(before, strength, generator)
        pictures = [render_quick(generator, each, _SEEN).clip(-1, 1) for each in (before, after)]
        maps = [reader.read(parser, picture) for picture in pictures]
        if min(each.surety for each in maps) < parser.least_surety:
            unsure += 1
            continue
        for name, level in _compare_regions(pictures, maps).items():
            sums.setdefault(name, []).append(level)
    if unsure > SAMPLES / 2:
        return {}
    return {name: round(float(np.mean(levels)), 3) for name, levels in sums.items()}


def _compare_regions(pictures: list[Floats], maps: list[RegionMap]) -> dict[str, float]:
    """The change of each region from one picture ``[3, R, R]`` (-1..1) to another, in levels."""
    side = maps[0].parts.shape[-1]
    before, after = (to_levels(resize_picture(each, side)) for each in pictures)
    first, second = (each.parts.argmax(axis=0) for each in maps)
    return measure_region_changes((before, after), (first, second), maps[0].names)


def _cache_path(control: Control, generator: Generator, parser: RegionParser) -> Path:
    facts = json.dumps(dict(control.facts), sort_keys=True, default=str)
    about = [generator.id, control.name, facts, parser.name, parser.regions]
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    return cache_dir() / "regions" / f"{key}.json"


def _read_kept(path: Path) -> dict[str, float] | None:
    """What was measured before; None for no file or a damaged one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): float(change) for name, change in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _keep(path: Path, changes: Mapping[str, float]) -> None:
    try:
        make_private(path.parent)
        write_whole(path, json.dumps(dict(changes)).encode(), mode=0o600)
    except (OSError, StorageError) as error:
        _log.warning("Where a control acts could not be kept: %s", error)
