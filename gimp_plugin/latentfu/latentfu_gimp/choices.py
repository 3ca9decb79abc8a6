"""What the lists in the windows offer: methods by what they are good for, and where to edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .arguments import AS_GROUP, AS_LAYER, AS_MASKED, AUTO, FAITHFUL, FAST, WHOLE
from .sent_texts import translate_sent
from .translate import _

_BY_QUALITY = (
    {
        "name": "",
        "title": _("Balanced: the best for this network"),
        "timed": _("Balanced, {seconds} s: the best for this network"),
    },
    {
        "name": FAST,
        "title": _("Fast: rougher, soonest there"),
        "timed": _("Fast, {seconds} s: rougher, soonest there"),
    },
    {
        "name": FAITHFUL,
        "title": _("Faithful: closest to the picture, takes longer"),
        "timed": _("Faithful, {seconds} s: closest to the picture, takes longer"),
    },
)
_PLACES = (
    {"name": AUTO, "title": _("By region: where each slider acts")},
    {"name": WHOLE, "title": _("Whole picture")},
)


FORMS = (
    {"name": AS_LAYER, "title": _("A layer")},
    {"name": AS_MASKED, "title": _("A layer with an editable mask")},
    {"name": AS_GROUP, "title": _("A group with a layer")},
)
"""What the result becomes."""


def list_forms(has_mask: bool) -> list[Mapping[str, Any]]:
    """What a result can become; a layer that ``has_mask`` of its own leaves no room for another."""
    return [one for one in FORMS if not (has_mask and one["name"] == AS_MASKED)]


def list_methods(
    inverters: Sequence[Mapping[str, Any]], times: Mapping[str, float] | None = None
) -> list[Mapping[str, Any]]:
    """Three by quality, the first the default, and then each method that is installed.

    ``times``: the seconds that methods took here; those that were never used have none.
    """
    listed = [_time(one, str(one["title"]), str(one["timed"]), times or {}) for one in _BY_QUALITY]
    for one in inverters:
        title = translate_sent(str(one.get("title") or one["name"]))
        plain, timed = _("Advanced: {title}"), _("Advanced, {seconds} s: {title}")
        words = [text.replace("{title}", title) for text in (plain, timed)]
        listed.append(_time(one, words[0], words[1], times or {}))
    return listed


def _time(
    method: Mapping[str, Any], title: str, timed: str, times: Mapping[str, float]
) -> Mapping[str, Any]:
    """A method as it is listed: with whole seconds, at least one, where they are known."""
    seconds = times.get(str(method["name"]))
    if seconds is not None:
        title = timed.replace("{seconds}", str(max(1, round(seconds))))
    return {"name": method["name"], "title": title}


def title_networks(generators: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that are installed with their titles in the language, the default first."""
    return [{**one, "title": translate_sent(one.get("title"))} for one in generators]


def list_areas(chosen: str) -> list[Mapping[str, Any]]:
    """Where the edit may show, with what a script asked for; drawn portraits change as a whole."""
    named = {"name": chosen, "title": _("Only {regions}").format(regions=chosen)}
    return [*_PLACES, *([] if chosen in (AUTO, WHOLE) else [named])]
