"""Presets come back from their files, and what is none is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from latentfu_gimp import presets
from latentfu_gimp.errors import PluginError


def test_a_preset_comes_back(home: Path) -> None:
    path = presets.save_preset("Älter / mild", "portraits", {"age": 1.5, "smile": -0.25})
    assert path.parent == home / "config" / "presets" and not list(path.parent.glob("*.part"))
    wanted = presets.SliderPreset("Älter / mild", "portraits", {"age": 1.5, "smile": -0.25})
    assert presets.load_preset(path) == wanted and presets.list_presets() == [wanted]
    presets.save_preset("Älter / mild", "portraits", {"age": 2.0})
    assert [one.edits for one in presets.list_presets()] == [{"age": 2.0}]


def test_values_are_kept_and_layers_are_left_out(home: Path) -> None:
    edits = {"hat": "top hat", "like": "@layer:Anna", "dye_like": "@/a/b.png"}
    kept = presets.load_preset(presets.save_preset("Dressed", "portraits", edits))
    assert kept.edits == {"hat": "top hat", "dye_like": "@/a/b.png"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version": 2}', '{"version": 1, "generator": "g", "edits": {"a": [1]}}',
     '{"version": 1, "generator": "g", "edits": {"a": 1e9}}', " " * 70_000],
)  # fmt: skip
def test_what_is_none_is_refused(home: Path, text: str) -> None:
    folder = presets.presets_folder()
    folder.mkdir(parents=True)
    (folder / "bad.json").write_text(text)
    with pytest.raises(PluginError, match=r"bad\.json holds no preset"):
        presets.load_preset(folder / "bad.json")
    assert presets.list_presets() == []


def test_a_preset_needs_a_name(home: Path) -> None:
    with pytest.raises(PluginError, match="name"):
        presets.save_preset(" . ", "portraits", {"age": 1.0})
