"""Who may import whom: the contracts in pyproject.toml, and the GIMP plug-in's own."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "pyproject.toml"
CONTRACTS = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
GIMP_PLUGIN = ROOT / "gimp_plugin" / "latentfu"


@pytest.mark.parametrize("contract", [contract["id"] for contract in CONTRACTS])
def test_the_code_keeps_the_contract(contract: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(str(PROJECT), limit_to_contracts=(contract,), no_cache=True, no_logo=True)
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(GIMP_PLUGIN.rglob("*.py")), ids=lambda path: path.name)
def test_the_gimp_plug_in_needs_the_standard_library_and_gi_only(path: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    assert names <= sys.stdlib_module_names | {"gi", "latentfu_gimp"}
