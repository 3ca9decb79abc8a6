"""The files of a pack of directions: ``latentfu plugins new NAME --directions FILE``."""

from __future__ import annotations

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "latentfu-$name"
version = "0.1.0"
description = "A pack of directions for Latent-Fu."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["latentfu"]

[project.optional-dependencies]
test = ["pytest>=8.2"]

[project.entry-points.latentfu]
$name = "$module"

[tool.setuptools]
packages = ["$module"]

[tool.setuptools.package-data]
"$module" = ["directions/*.safetensors"]
"""

_MODULE = '''\
"""Directions, each for the weights that it was made for."""

from pathlib import Path

import latentfu

FOLDER = Path(__file__).parent / "directions"


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> list[latentfu.Control]:
    """The directions in the folder that are for this generator."""
    return latentfu.directions_in(FOLDER, generator.id)
'''

_TEST = '''\
"""Each file keeps the contract, and the generators that are installed are moved by theirs."""

import latentfu
import $module
import pytest
from latentfu.testing import check_controls

FILES = sorted($module.FOLDER.glob("*.safetensors"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_file_says_what_it_is(path):
    direction = latentfu.read_direction(path)
    assert direction.name and direction.author and direction.licence


def test_the_controls_keep_the_contract(registered):
    registered($module)
    ids = {latentfu.read_direction(path).generator_id for path in FILES}
    for spec in latentfu.generators().values():
        if spec.id in ids:
            check_controls($module, spec.load("cpu"), spec)
'''

_README = """\
# latentfu-$name

Directions for Latent-Fu. After the installation they are sliders in GIMP, in their groups, with
author and licence beside them.

    pip install .
    latentfu controls list

The files in `$module/directions/` say for themselves what they mean and which weights they are
for; put more of them there. The test wants an author and a licence in each:

    pip install ".[test]"
    pytest
"""

PACK: dict[str, str] = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    "$module/__init__.py": _MODULE,
    "tests/test_plugin.py": _TEST,
}
