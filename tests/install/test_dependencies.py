"""What is needed: reasons for the lower bounds, the newest that was tested, no known hole."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "pyproject.toml").read_text("utf-8")
NEEDED = [Requirement(each) for each in tomllib.loads(TEXT)["project"]["dependencies"]]
TESTED = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "tested-versions.txt").read_text(), re.M))
HOLES = {"aiohttp": "3.14.3", "pillow": "12.2", "torch": "2.9.1"}
"""The last versions with holes that reach us: docs/explanation/security.md says which."""


@pytest.mark.parametrize("needed", NEEDED, ids=str)
def test_each_has_a_lower_bound_with_a_reason_and_was_tested(needed: Requirement) -> None:
    assert re.search(rf'"{re.escape(str(needed))}",  # \w.+', TEXT)
    assert {bound.operator for bound in needed.specifier} == {">="}
    assert TESTED[needed.name] in needed.specifier
    assert version(needed.name).split("+")[0] in needed.specifier


def test_no_other_package_is_among_the_tested() -> None:
    assert set(TESTED) == {needed.name for needed in NEEDED}


@pytest.mark.parametrize("name", HOLES)
def test_no_version_with_a_known_hole_is_let_in(name: str) -> None:
    (needed,) = (each for each in NEEDED if each.name == name)
    assert HOLES[name] not in needed.specifier
