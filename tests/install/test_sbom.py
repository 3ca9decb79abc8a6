"""``nox -s sbom``: the list of what a release brings along is whole, and holds nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BROUGHT = ("aiohttp", "multidict", "numpy", "pillow", "torch")
NOT_BROUGHT = ("pytest", "ruff", "cyclonedx-bom", "latentfu")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The list, by the command that makes it."""
    out = tmp_path_factory.mktemp("sbom") / "latentfu.cdx.json"
    command = [sys.executable, "-m", "nox", "-s", "sbom", "--", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    document: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return document


def test_it_names_each_package_that_a_release_brings(listed: dict[str, Any]) -> None:
    found = {each["name"].lower(): each for each in listed["components"]}
    needed = [Requirement(each) for each in requires("latentfu") or []]
    running = {each.name for each in needed if not each.marker}
    assert running and running <= found.keys() and set(BROUGHT) <= found.keys()
    assert not found.keys() & set(NOT_BROUGHT)
    for name in running:
        assert found[name]["version"] == version(name)
        assert found[name]["purl"].startswith(f"pkg:pypi/{name}@")
        # torchvision's own metadata names none that CycloneDX knows.
        assert "licenses" in found[name] or name == "torchvision"


def test_it_is_a_cyclonedx_document_of_this_version(listed: dict[str, Any]) -> None:
    assert listed["bomFormat"] == "CycloneDX"
    root = listed["metadata"]["component"]
    assert (root["name"], root["version"]) == ("latentfu", version("latentfu"))
    known = {root["bom-ref"], *(each["bom-ref"] for each in listed["components"])}
    assert {each["ref"] for each in listed["dependencies"]} == known
    assert all(set(each["dependsOn"]) <= known for each in listed["dependencies"])


def test_it_says_nothing_of_the_machine(listed: dict[str, Any]) -> None:
    assert str(ROOT) not in json.dumps(listed) and "timestamp" not in listed["metadata"]
