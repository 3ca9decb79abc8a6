"""Which inverter works when a person asks for a quality instead of a method."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.core.generator import Generator
from latentfu.core.limits import QUALITIES
from latentfu.plugin_objects import Inverter

Options = Mapping[str, float | int | str | bool]
DEFAULT = "good"

_log = logging.getLogger(__name__)


def choose_inverters(
    inverters: Mapping[str, Inverter], generator: Generator, name: str | None, quality: str | None
) -> list[tuple[Inverter, Options]]:
    """The inverter ``name``, or those installed for ``quality``, and what they are called with.

    The best comes first; each of the others is for when those before it fail. Raises
    NotInstalledError when none can work for ``generator``, BadInputError when none ever could.
    """
    if generator.not_for_pictures:
        raise BadInputError(generator.not_for_pictures)
    if name is not None:
        return [_inverter_by_name(inverters, generator, name, quality)]
    fitting = [item for item in inverters.values() if _is_fitting(item, generator)]
    if not fitting:
        raise NotInstalledError(
            f"No installed inverter works for the generator {generator.name}: install a plug-in "
            f"that brings one."
        )
    ranked: list[tuple[Inverter, Options]] = []
    for level in _quality_order(quality or DEFAULT):
        able = [item for item in fitting if level in item.levels]
        able.sort(key=lambda item: -item.levels[level].rank)
        known = [item.name for item, _ in ranked]
        ranked += [(item, item.levels[level].options) for item in able if item.name not in known]
    known = [item.name for item, _ in ranked]
    return ranked + [(item, {}) for item in fitting if item.name not in known]


def _inverter_by_name(
    inverters: Mapping[str, Inverter], generator: Generator, name: str, quality: str | None
) -> tuple[Inverter, Options]:
    """The inverter of that name, at that quality if one is asked for too."""
    if name not in inverters:
        known = ", ".join(inverters) or "none"
        raise NotInstalledError(f"There is no inverter {name!r}; installed: {known}.")
    inverter = inverters[name]
    if not set(inverter.spaces) & set(generator.spaces):
        raise NotInstalledError(
            f"The inverter {name} works in {', '.join(inverter.spaces)}, which the "
            f"generator {generator.name} does not take: choose another inverter."
        )
    if quality is None:
        return inverter, {}
    if quality not in inverter.levels:
        known = ", ".join(inverter.levels) or "none"
        raise BadInputError(
            f"The inverter {name} has no quality {quality} ({known}): name only one of the two."
        )
    return inverter, inverter.levels[quality].options


def _is_fitting(inverter: Inverter, generator: Generator) -> bool:
    """Whether ``inverter`` says that it can work for ``generator``; one that fails does not."""
    if not set(inverter.spaces) & set(generator.spaces):
        return False
    try:
        return inverter.fits is None or bool(inverter.fits(generator))
    except Exception as error:
        _log.warning("The inverter %s cannot say whether it fits: %s", inverter.name, error)
        return False


def _quality_order(quality: str) -> list[str]:
    """``quality`` and the lower ones, then the higher: best, good, draft."""
    place = QUALITIES.index(quality)
    return [*reversed(QUALITIES[: place + 1]), *QUALITIES[place + 1 :]]
