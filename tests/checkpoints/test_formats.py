"""Converters declare themselves: help and docs are printed from what they say."""

from __future__ import annotations

from pathlib import Path

import latentfu
import pytest
from latentfu.cli.main import run
from latentfu_builtin.checkpoints.converters import encoder_decoder, list_formats, rosinality
from latentfu_builtin.checkpoints.formats import HasTensors, format_table

ROOT = Path(__file__).parents[2]


def test_each_module_is_a_format_with_a_name_of_its_own() -> None:
    formats = list_formats()
    folder = ROOT / "plugins" / "latentfu_builtin" / "checkpoints" / "converters"
    assert len(formats) == len(list(folder.glob("[!_]*.py")))
    assert len({known.name for known in formats}) == len(formats)
    assert all(known.files and known.publisher and known.told_by for known in formats)
    assert rosinality.FORMAT in formats and encoder_decoder.FORMAT in formats


def test_the_docs_have_the_table_of_formats() -> None:
    """To mend: put what is printed here into the page."""
    table = format_table(latentfu.checkpoint_formats().values())
    print(table)
    pages = [page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md")]
    assert sum(table in page for page in pages) == 1


def test_the_help_lists_the_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["generators", "import", "--help"]) == 0
    said = capsys.readouterr().out
    formats = [known for known in latentfu.checkpoint_formats().values() if known.convert]
    assert formats and all(known.name in said for known in formats)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"a": 0, "b": 1}, {"a": 0, "b": 1}),
        ({"g": {"a": 2, "b": 3}}, {"a": 2, "b": 3}),
        ({"s": {"d.a": 4, "d.b": 5, "e.a": 6}}, {"a": 4, "b": 5}),
        ({"g": {"a": 0, "b": 0}, "g_ema": {"a": 7, "b": 8}}, {"a": 7, "b": 8}),
        ({"state_dict": {"g.a": 0, "g.b": 0, "ema.a": 9, "ema.b": 1}}, {"a": 9, "b": 1}),
        ({"a": 2, "b": 3, "latent_avg": 4}, {"a": 2, "b": 3}),
        ({"a": 0}, None),
        ({"a": 0, "b": 1, "no": 2}, None),
        ("text", None),
    ],
)
def test_a_state_dict_is_found_where_it_lies(
    content: object, found: dict[str, int] | None, tmp_path: Path
) -> None:
    import numpy as np

    def arrays(value: object) -> object:
        if isinstance(value, dict):
            return {key: arrays(item) for key, item in value.items()}
        return np.array(value) if isinstance(value, int) else value

    foreign = latentfu.ForeignFile(tmp_path, "torch", "0" * 64, arrays(content))
    keys = HasTensors(("a", "b"), without=("no",))
    state = keys.find(foreign)
    assert keys(foreign) == (found is not None)
    assert (state and {name: int(array) for name, array in state.tensors.items()}) == found
