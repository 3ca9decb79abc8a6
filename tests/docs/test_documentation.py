"""docs/plugins.md says every hook as it is, and its examples are plug-ins that work."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
from latentfu import hookspecs as hooks
from latentfu.core.control import Control
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.plugin import KINDS
from latentfu.plugin_manager.sources import file_sources
from latentfu.plugin_manager.validation import TYPES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
DOCUMENTED = [
    *(value for value in vars(hooks).values() if dataclasses.is_dataclass(value)),
    Control,
]


def signature(hook: str) -> str:
    """``name(argument: Type) -> Type``, as it is written in hooks.py."""
    found = inspect.signature(getattr(hooks.Hooks, hook))
    arguments = [f"{p.name}: {p.annotation}" for p in found.parameters.values() if p.name != "self"]
    return f"{hook}({', '.join(arguments)}) -> {found.return_annotation}"


def field_line(field: dataclasses.Field[object]) -> str:
    line = f"    {field.name}: {field.type}".replace('"', "'")
    if field.default is not dataclasses.MISSING:
        return f"{line} = {field.default!r}"
    return line if field.default_factory is dataclasses.MISSING else f"{line} = {{}}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_hook_is_there_with_its_signature(kind: hooks.Kind) -> None:
    assert f"\n### `{signature(f'latentfu_{kind}')}`\n" in TEXT


def test_there_is_a_hook_for_every_kind_and_no_other() -> None:
    named = {name for name in vars(hooks.Hooks) if name.startswith("latentfu_")}
    assert named == {f"latentfu_{kind}" for kind in KINDS}
    assert set(TYPES) == set(KINDS)


@pytest.mark.parametrize("wanted", DOCUMENTED, ids=lambda wanted: wanted.__name__)
def test_every_field_is_there_as_it_is(wanted: type) -> None:
    lines = [field_line(field) for field in dataclasses.fields(wanted)]
    assert "\n".join([f"```text\n{wanted.__name__}", *lines, "```"]) in TEXT


@pytest.mark.parametrize("position", range(len(EXAMPLES)))
def test_every_example_is_a_plug_in_that_works(isolated_home: Path, position: int) -> None:
    folder = isolated_home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "example.py").write_text(EXAMPLES[position])
    (status,) = Registry(file_sources()).statuses()
    assert status.state == "ok", status.reason
    assert status.provides or "latentfu_controls" in EXAMPLES[position]


def test_every_kind_has_an_example() -> None:
    for kind in KINDS:
        assert any(f"def latentfu_{kind}(" in example for example in EXAMPLES)
