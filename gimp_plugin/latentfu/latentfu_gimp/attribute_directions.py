"""A direction of what a scorer reads: what is asked of the server, and its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from .arguments import Options
from .client import RefusedError, ServerClient
from .errors import PluginError
from .jobs import Report, follow_to_end
from .pairs import tell_moved
from .sent_texts import translate_sent
from .translate import _, format_share

FEWEST_SAMPLES, MOST_SAMPLES, SAMPLES = 20, 1_000_000, 4000
LARGEST_SEED = 2**31 - 1
"""All as the server has them (latentfu.protocol.requests)."""


@dataclass(frozen=True)
class AttributeWork:
    """``attribute``: what more of it shall mean, as a scorer calls it.

    ``generator``, ``maker``: by name, empty for the server's default; ``options``: of the maker.
    ``samples``: how many pictures are drawn, of ``seed``. ``name``: what the slider is called,
    empty for my- and the attribute; ``plus``: what more of it means, empty for the maker's words.
    """

    attribute: str
    generator: str = ""
    maker: str = ""
    options: Options = field(default_factory=dict)
    samples: int = SAMPLES
    seed: int = 0
    name: str = ""
    plus: str = ""

    def check(self) -> AttributeWork:
        """The same; raises PluginError when it cannot be done."""
        if not self.attribute:
            raise PluginError(_("Choose an attribute: the direction leads to more of it."))
        return self

    def make_document(self) -> dict[str, Any]:
        """The JSON of the request."""
        return {
            "kind": "make",
            "attribute": self.attribute,
            "generator": self.generator or None,
            "maker": self.maker or None,
            "options": self.options,
            "samples": self.samples,
            "seed": self.seed,
            "name": self.name or None,
            "plus": self.plus,
            "interactive": True,
        }


def ask_makers(client: ServerClient, generator: str) -> dict[str, Any]:
    """``makers`` and ``attributes`` of a network with titles; none on a server that knows none."""
    query = f"?generator={quote(generator)}"
    try:
        found: dict[str, Any] = client.get(f"/v1/makers{query}")
    except RefusedError as error:
        if error.status != 404:
            raise
        return {"makers": [], "attributes": []}
    controls = client.get(f"/v1/controls{query}")["controls"]
    titles = {str(one["name"]): str(one["title"]) for one in controls}
    makers = [{**one, "title": translate_sent(one["title"])} for one in found["makers"]]
    names = [str(one["name"]) for one in found["attributes"]]
    attributes = [{"name": name, "title": _title_attribute(name, titles)} for name in names]
    return {"makers": makers, "attributes": attributes}


def _title_attribute(name: str, titles: Mapping[str, str]) -> str:
    """What the slider of that name is called, or the name as words."""
    return translate_sent(titles.get(name) or name.replace("_", " ").capitalize())


def measure_attribute(client: ServerClient, asked: AttributeWork, report: Report) -> dict[str, Any]:
    """Have the direction made and not kept; the report in ``told``, with what was asked."""
    document = asked.make_document()
    return {**document, "told": follow_to_end(client, document, report).get("report") or {}}


def keep_made(client: ServerClient, measured: Mapping[str, Any], report: Report) -> None:
    """Put what was made among the user's own directions."""
    document = {name: value for name, value in measured.items() if name != "told"}
    follow_to_end(client, {**document, "keep": True}, report)


def tell_made(told: Mapping[str, Any]) -> str:
    """What a person wants to know before a direction is kept, a sentence a line."""
    made = list(told.get("directions") or [])
    lines = []
    for one in made:
        if len(made) > 1:
            lines.append(f"{one.get('name')}:")
        lines += _tell_direction(one)
    return "\n".join(lines)


def _tell_direction(made: Mapping[str, Any]) -> list[str]:
    """Of one direction."""
    if made.get("accuracy") is None:
        lines = [_("How well it tells samples apart was not measured.")]
    else:
        text = _("It tells apart {share} of the samples that it did not learn from.")
        lines = [text.format(share=format_share(float(made["accuracy"])))]
    moved = dict(made.get("leakage") or {})
    if made.get("effect") is not None:
        moved = {str(made.get("attribute")): made["effect"], **moved}
    lines.append(tell_moved(moved))
    if made.get("replaces"):
        text = _(
            "You have a direction {name} already: Keep puts the old one into the folder replaced."
        )
        lines.append(text.format(name=made.get("name")))
    return lines
