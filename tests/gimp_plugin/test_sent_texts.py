"""What the server says of its own is what the plug-in translates."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from latentfu.core.regions import RegionParser
from latentfu.plugin_manager import get_registry
from latentfu.plugin_objects import ControlMaker, GeneratorSpec, Inverter
from latentfu_gimp import control_texts, sent_texts, translate

ROOT = Path(__file__).parents[2]


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = translate.load_catalog(["de"])
    monkeypatch.setattr(sent_texts, "_", catalog.gettext)
    monkeypatch.setattr(sent_texts, "pgettext", catalog.pgettext)


def test_every_text_of_the_built_in_controls_is_known() -> None:
    registry = get_registry()
    spec = registry.installed(GeneratorSpec)["portraits"]
    known = set(control_texts.CONTROLS)
    there = {
        (control.title, *(end for end in control.ends if end), control.positive_means)
        for control in registry.controls(spec).values()
    }
    assert there == known
    groups = {control.group for control in registry.controls(spec).values()}
    assert groups <= set(sent_texts.GROUPS)
    assert {control.unit for control in registry.controls(spec).values()} == set(
        control_texts.UNITS
    )
    assert spec.title in sent_texts.NETWORKS


def test_methods_and_regions_are_known() -> None:
    registry = get_registry()
    titles = {one.title for one in registry.installed(Inverter).values()}
    assert titles == set(sent_texts.METHODS)
    makers = {one.title for one in registry.installed(ControlMaker).values()}
    assert makers == set(sent_texts.MAKERS)
    for parser in registry.installed(RegionParser).values():
        assert set(parser.regions) <= set(sent_texts.REGIONS)


def test_the_server_says_every_sentence_that_is_translated() -> None:
    """One that it no longer says, or says in other words, is found here."""
    said = [re.compile(text) for text in sorted(set(sentences_of_the_server()))]
    for sentence in (*sent_texts.SENTENCES, *sent_texts.PATTERNS):
        plain = re.sub(r"\{\w+\}", "{}", sentence)
        assert any(text.fullmatch(plain) for text in said), sentence


def sentences_of_the_server() -> list[str]:
    """Its texts as patterns, ``.+`` for what is filled in."""
    found = []
    for path in (path for room in ("server", "plugins") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                plain = [
                    one.value if isinstance(one, ast.Constant) else None for one in node.values
                ]
                parts = [".+" if part is None else re.escape(str(part)) for part in plain]
                if sum(len(str(part)) for part in plain if part is not None) >= 9:
                    found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.escape(node.value))
    return found


def test_what_is_known_is_translated_and_the_rest_shown_as_sent(german: None) -> None:
    translate_sent = sent_texts.translate_sent
    assert translate_sent("Smile") == "Lächeln"
    assert translate_sent("A direction of my own") == "A direction of my own"
    assert translate_sent("light", "group") == "Licht"
    assert translate_sent("light", "background_light") == "hell"
    assert translate_sent("light", "mine") == "light"
    assert translate_sent("") == translate_sent(None) == ""
    sentence = "This picture is outside what faces {1} can show: expect edits to look wrong, or "
    sentence += "choose another generator or a crop that fits it."
    assert "was faces {1} zeigen kann" in translate_sent(sentence)
    assert translate_sent("Try the network a (--generator a).") == "Das Netzwerk a versuchen."
    other = "Try the network a (--generator b)."
    assert translate_sent(other) == other


def test_several_sentences_are_translated_one_by_one(german: None) -> None:
    said = (
        "tiny-v1.5 is installed, its encoder and the directions grin, age. tiny-v1.5 is the "
        "default network now. And this nobody knows."
    )
    assert sent_texts.translate_sent(said) == (
        "tiny-v1.5 ist mit seinem Encoder und den Richtungen grin, age installiert. tiny-v1.5 ist "
        "jetzt das Standardnetz. And this nobody knows."
    )
    removed = "Removed small (13.5 MB). tiny was the default network: portraits is used now where "
    assert sent_texts.translate_sent(f"{removed}none is named.") == (
        "small ist entfernt (13.5 MB). tiny war das Standardnetz: Jetzt gilt portraits, wo keines "
        "genannt ist."
    )
