"""The reference pages are what the code says, and every example is a plug-in that works."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import latentfu
import pytest
from latentfu.hookspecs import KINDS, Hooks
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import file_sources

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "reference" / "generate.py"))
GUIDE = (ROOT / "docs" / "howto" / "write-a-plug-in.md").read_text(encoding="utf-8")
EXAMPLES = {path.stem: path.read_text() for path in (ROOT / "examples" / "hooks").glob("*.py")}
IN_GUIDE = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
PAGES: dict[Path, str] = GENERATE["pages"]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_pages_are_fresh(page: Path) -> None:
    fresh = page.read_text(encoding="utf-8") == PAGES[page]
    assert fresh, "run: python docs/reference/generate.py"


def test_every_public_name_is_documented() -> None:
    headings = re.findall(
        r"^### (?:class )?(\w+)$", PAGES[GENERATE["ROOT"] / "docs/reference/python.md"], re.M
    )
    headings += re.findall(
        r"^### (\w+)$", PAGES[GENERATE["ROOT"] / "docs/reference/hooks.md"], re.M
    )
    assert {"__version__", *headings} - {"Example"} == set(latentfu.__all__)


def test_every_public_name_says_what_it_is() -> None:
    for name in latentfu.__all__:
        assert getattr(latentfu, name) is not None
    empty = re.findall(r"^### .*\n+(?=#)", PAGES[ROOT / "docs/reference/python.md"], re.M)
    assert not empty


def test_there_is_a_hook_for_every_kind_and_no_other() -> None:
    named = {name for name in vars(Hooks) if name.startswith("latentfu_")}
    assert named == {kind.hook for kind in KINDS.values()}
    assert len({kind.cls for kind in KINDS.values()}) == len(KINDS)


def works(home: Path, text: str) -> Any:
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "example.py").write_text(text)
    (status,) = Registry(file_sources()).statuses()
    assert status.state == "ok", status.reason
    return status


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_that_works(isolated_home: Path, kind: str) -> None:
    status = works(isolated_home, EXAMPLES[kind])
    assert f"def latentfu_{kind}(" in EXAMPLES[kind]
    assert kind in status.provides or kind == "controls"


@pytest.mark.parametrize("position", range(len(IN_GUIDE)))
def test_every_example_of_the_guide_works(isolated_home: Path, position: int) -> None:
    works(isolated_home, IN_GUIDE[position])


def test_the_architecture_page_draws_the_floors_of_the_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    drawing = re.findall(
        r"^ {4}([a-z_]+)(?: +([a-z0-9_| ]+?))? *$", page.split("## The floors")[1], re.M
    )
    drawn = {
        "floors": [left for left, _ in drawing if not left.startswith("latentfu")],
        "builtin-order": [right for _, right in drawing if right and right != "latentfu_builtin"],
    }
    for contract in contracts["tool"]["importlinter"]["contracts"]:
        if contract["id"] in drawn:
            assert drawn[contract["id"]] == contract["layers"]
            rooms = {room for layer in contract["layers"] for room in re.findall(r"\w+", layer)}
            assert not [room for room in rooms if f"| `{room}` |" not in page]
