"""The threat model names a test for each measure, and every test of attacks is named there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explanation" / "security.md").read_text("utf-8")
TABLES = [
    rows
    for rows in re.findall(r"((?:^\|.*\|\n)+)", PAGE, re.M)
    if rows.splitlines()[0].rstrip("| ").endswith("test")
]
ROWS = [row for rows in TABLES for row in rows.splitlines()[2:]]
NAMED = re.compile(r"`([\w/]*test_\w+\.py)(?:::(\w+))?`")


def find(name: str) -> Path:
    """A test file by its path, or by its name in tests/security."""
    return ROOT / name if "/" in name else ROOT / "tests" / "security" / name


@pytest.mark.parametrize("row", ROWS)
def test_each_measure_stands_beside_a_test_that_is_there(row: str) -> None:
    named = NAMED.findall(row.rstrip("| ").rpartition("|")[2])
    assert named
    for name, function in named:
        assert find(name).is_file(), name
        assert not function or f"def {function}(" in find(name).read_text("utf-8"), function


def test_every_test_of_attacks_is_named() -> None:
    files = {path.name for path in (ROOT / "tests" / "security").glob("test_*.py")}
    assert files <= {Path(name).name for name, _ in NAMED.findall(PAGE)}
