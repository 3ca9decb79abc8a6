"""The plug-in's modules import each other in one direction only, inside of functions too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.gimp_plugin.conftest import PACKAGE


def name_module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def find_imports(path: Path, names: set[str]) -> set[str]:
    """The modules of the plug-in that one imports."""
    found = set()
    here = name_module(path).split(".")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*here[: len(here) - node.level], *(node.module or "").split(".")]
            module = ".".join(part for part in base if part)
            found |= {module, *(f"{module}.{alias.name}".strip(".") for alias in node.names)}
    return found & names - {".".join(here)}


def test_no_module_imports_one_that_imports_it() -> None:
    paths = {name_module(path): path for path in PACKAGE.rglob("*.py")}
    graph = {name: find_imports(path, set(paths)) for name, path in paths.items()}
    assert graph["edit_dialog"] > {"session", "preview"}, "the imports are not seen"
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")
