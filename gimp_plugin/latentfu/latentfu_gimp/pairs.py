"""A direction from layers before and after: what is asked of the server, and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .client import ServerClient
from .errors import NoPortraitError, PluginError
from .jobs import Report, Work, prepare
from .translate import _, format_share, ngettext
from .wire import Picture

PATH = "/v1/plugins/directions/pairs"
SHOWN = 5
"""How many of the other things that a direction moves are told."""


@dataclass(frozen=True)
class PairWork:
    """``before`` and ``after``: the layers' names and pixels, a pair at each place.

    ``work``: network and method. ``name``: what the slider is called, ``plus`` what more of it
    means.
    """

    before: Sequence[tuple[str, Picture]]
    after: Sequence[tuple[str, Picture]]
    work: Work
    name: str
    plus: str = ""

    def check(self) -> PairWork:
        """The same; raises PluginError when it cannot be done."""
        before, after = len(self.before), len(self.after)
        if before != after or not before:
            text = _("There are {before} layers before and {after} after: give pairs.")
            raise PluginError(text.format(before=before, after=after))
        if not self.name:
            raise PluginError(_("Give the direction a name: my-smile."))
        return self


def measure_pairs(client: ServerClient, asked: PairWork, report: Report) -> dict[str, Any]:
    """Learn each layer and have the direction measured; the server's request and its answer.

    The answer stands in ``told``, all else is what :func:`keep_direction` sends again.
    """
    layers = [*asked.before, *asked.after]
    keys = []
    for number, (name, picture) in enumerate(layers):
        told = _learn(
            client, replace(asked.work, layer=picture), name, (number, len(layers)), report
        )
        keys.append(str(told.get("inversion_key") or ""))
    report(LEARNT, _("Measuring what the direction does ..."))
    document: dict[str, Any] = {
        "generator": asked.work.generator or None,
        "before": keys[: len(asked.before)],
        "after": keys[len(asked.before) :],
        "name": asked.name,
        "plus": asked.plus,
    }
    return {**document, "told": client.post(PATH, document)}


LEARNT = 0.9
"""The part of the work that is done when all layers are learnt."""


def _learn(
    client: ServerClient, work: Work, name: str, place: tuple[int, int], report: Report
) -> dict[str, Any]:
    number, count = place
    line = _("{number} of {count}, {layer}").format(number=number + 1, count=count, layer=name)

    def tell(fraction: float, message: str) -> None:
        part = LEARNT * (number + fraction) / count
        report(part, f"{line}: {message}" if message else line)

    try:
        return prepare(client, work, tell)
    except NoPortraitError as error:
        text = _("No face is found in {layer}: crop it to the face, or take it out.")
        raise PluginError(text.format(layer=name)) from error


def keep_direction(client: ServerClient, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was measured among the user's own directions; the server's answer."""
    document = {name: value for name, value in measured.items() if name != "told"}
    told: dict[str, Any] = client.post(PATH, {**document, "keep": True})
    return told


def tell_measured(told: Mapping[str, Any]) -> str:
    """What a person wants to know before the direction is kept, a sentence a line."""
    count = int(told.get("pairs") or 0)
    agreement = told.get("agreement")
    if agreement is None:
        lines = [_("One pair says nothing of how well others would agree: more are better.")]
    else:
        text = ngettext(
            "{count} pair, agreement {agreement:.2f}: 1 is all alike, 0 is by chance.",
            "{count} pairs, agreement {agreement:.2f}: 1 is all alike, 0 is by chance.",
            count,
        )
        lines = [text.format(count=count, agreement=float(agreement))]
        spread = format_share(float(told.get("spread") or 0.0))
        lines.append(_("Their steps differ in length by {spread}.").format(spread=spread))
    lines.append(tell_moved(told.get("leakage") or {}))
    return "\n".join(lines)


def tell_moved(effects: Mapping[str, Any]) -> str:
    """What strength 1 moves most, in a sentence."""
    moved = sorted(effects.items(), key=lambda one: -abs(float(one[1])))
    if not moved:
        return _("What it moves could not be measured for this network.")
    named = ", ".join(f"{name} {float(by):+.2f}" for name, by in moved[:SHOWN])
    return _("At strength 1 it moves, in standard deviations: {moved}.").format(moved=named)
