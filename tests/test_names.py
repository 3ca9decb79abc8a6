"""No public function or class has the name of another: a reader who searches finds the one."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("server", "plugins", "gimp_plugin")
SHARED = {
    "main": "what a module that is run as a program begins with",
    "create": "what every module in GIMP's folder of procedures has",
    "convert": "what every converter of a foreign format has",
    "recognize": "what every converter of a foreign format has",
    "make_teacher": "what every renderer offers to the trainer",
}
"""Names that many modules have to have; hook implementations, ``latentfu_...``, are others."""


def definitions(path: Path) -> Iterator[tuple[str, bool]]:
    """The public names that a module defines, and whether as a function or class."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, True
        elif isinstance(node, ast.Assign):
            yield from ((each.id, False) for each in node.targets if isinstance(each, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, False


def names_defined_twice() -> dict[str, list[str]]:
    """Names of a function or class that another module has as well, by name."""
    found: dict[str, set[str]] = defaultdict(set)
    solid: set[str] = set()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for name, is_solid in definitions(path):
            if not name.startswith(("_", "latentfu_")) and name not in SHARED:
                found[name].add(path.relative_to(ROOT).as_posix())
                solid |= {name} if is_solid else set()
    return {name: sorted(found[name]) for name in sorted(solid) if len(found[name]) > 1}


def test_no_public_name_is_defined_twice() -> None:
    """To mend: give one a name that says more, or an underscore where only its module uses it."""
    assert names_defined_twice() == {}
