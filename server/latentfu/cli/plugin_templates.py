"""The files of a new plug-in package or pack of directions: what ``latentfu plugins new`` writes.

``$name`` is the plug-in's name, ``$module`` its import name. The package in ``examples/`` is
exactly what comes out for the name ``example-direction``; a test keeps them equal.
"""

from __future__ import annotations

_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "latentfu-$name"
version = "0.1.0"
description = "DESCRIPTION"
readme = "README.md"
requires-python = ">=3.11"
license = "Apache-2.0"
dependencies = ["latentfu"]

[project.optional-dependencies]
test = ["mypy>=1.15", "pytest>=8.2", "ruff>=0.9"]

[project.entry-points.latentfu]
$name = "$module"

[tool.setuptools]
packages = ["$module"]

[tool.setuptools.package-data]
"$module" = ["py.typed"]

[tool.mypy]
files = ["$module", "tests"]
strict = true

[tool.ruff]
line-length = 100
"""

_CI = """\
name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install ".[test]"
      - run: ruff check .
      - run: mypy
      - run: pytest
"""

_PUBLISH = """
## Publish it
1. Write your name and the licence into `pyproject.toml`. If weights are in the package, say theirs
   too.
2. `pip wheel --no-deps --wheel-dir dist .` makes it. `python -m twine upload dist/*` sends it to a
   package index.
3. People install it with `latentfu plugins install latentfu-$name`.
4. Raise the version with every release. Say in `dependencies` which Latent-Fu it needs.

`.github/workflows/test.yml` runs style, types and tests for every commit.
"""


def _make_files(
    description: str, readme: str, module: str, test: str, data: str = ""
) -> dict[str, str]:
    """The files of a package by path; ``data``: what else is shipped in it, a glob."""
    project = _PYPROJECT.replace("DESCRIPTION", description)
    if data:
        project = project.replace('["py.typed"]', f'["py.typed", "{data}"]')
        project = project.replace('license = "Apache-2.0"\n', "")  # each file says its own
    return {
        "pyproject.toml": project,
        "README.md": readme + _PUBLISH,
        ".github/workflows/test.yml": _CI,
        "$module/__init__.py": module,
        "$module/py.typed": "",
        "tests/test_plugin.py": test,
    }


_CONTROL_MODULE = '''\
"""A control along which faces vary most: the first principal component of the latents.

Härkönen et al. 2020, "GANSpace". It is computed when it is first used, from the generator in
use, so it fits whatever weights are installed.
"""

from collections.abc import Iterator

import latentfu


class FirstComponent(latentfu.ControlEffect):
    """Adds ``strength`` standard deviations of the component to a latent."""

    def apply(
        self, latent: latentfu.Latent, strength: float, generator: latentfu.Generator
    ) -> latentfu.Latent:
        import torch  # here, so that listing plug-ins stays fast

        codes = latentfu.random_latents(generator, 2000, seed=0).codes
        w = codes[:, 0] if codes.ndim == 3 else codes  # in w+ all layers are the same
        variances, components = torch.linalg.eigh(torch.cov(w.T))
        step = components[:, -1] * variances[-1].sqrt()
        step = step * step[step.abs().argmax()].sign()  # an eigenvector's sign is arbitrary
        return latent.with_codes(latent.codes + strength * step)


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> Iterator[latentfu.Control]:
    """One control for every generator of people, drawn or photographed."""
    if generator.domain in ("faces", "portraits"):
        yield latentfu.Control(
            name="$name",
            title="First component",
            positive_means="further along what varies most",
            generator_id=generator.id,
            load=FirstComponent,
            group="components",
            author="you",
            licence="Apache-2.0",
            source="principal components of 2,000 latents",
        )
'''

_CONTROL_TEST = '''\
"""The plug-in keeps the contract; the fixtures and checks come with latentfu."""

from collections.abc import Callable

import latentfu
import pytest
from latentfu.plugin_manager import Registry
from latentfu.testing import TinyGenerator, check_controls, spec_of

import $module


def test_the_control_keeps_the_contract(tiny_generator: TinyGenerator) -> None:
    spec = spec_of(tiny_generator, domain="portraits")
    (control,) = check_controls($module, tiny_generator, spec)
    assert control.name == "$name"


def test_other_domains_get_nothing(
    tiny_generator: TinyGenerator, registered: Callable[..., Registry]
) -> None:
    registry = registered($module)
    assert "$name" not in registry.controls(spec_of(tiny_generator, domain="cars"))


def test_on_the_built_in_generator(registered: Callable[..., Registry]) -> None:
    registered($module)
    generators = latentfu.generators()
    if "portraits" not in generators:
        pytest.skip("the built-in generator is not installed")
    generator = latentfu.open_generator("portraits", device="cpu")
    check_controls($module, generator, generators["portraits"])
'''

_CONTROL_README = """\
# latentfu-$name

A plug-in for Latent-Fu: the control `$name` moves a
portrait along the first principal component of the generator's latents.

    latentfu plugins install .
    latentfu plugins list
    latentfu edit portrait.png -o out.png --set $name=2

Its test:

    pip install -e ".[test]"
    pytest

## Where things are
- `pyproject.toml`: the entry point in the group `latentfu` is all that Latent-Fu needs to find it.
- `$module/__init__.py`: the plug-in. Hooks are functions marked `@latentfu.hookimpl`.

This control is computed from the generator in use. A control that was trained for certain weights
is shipped as a direction file instead, and offered only for the generator it belongs to:

    @latentfu.hookimpl
    def latentfu_controls(generator):
        return latentfu.directions_in(Path(__file__).parent / "directions", generator.id)
"""

CONTROL_FILES = _make_files(
    "A plug-in for Latent-Fu: one more control for portraits.",
    _CONTROL_README,
    _CONTROL_MODULE,
    _CONTROL_TEST,
)


_PACK_MODULE = '''\
"""Directions and deformations, each for the weights that it was made for."""

from pathlib import Path

import latentfu

FOLDER = Path(__file__).parent


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> list[latentfu.Control]:
    """The files that are for this generator."""
    return [
        *latentfu.directions_in(FOLDER / "directions", generator.id),
        *latentfu.deformations_in(FOLDER / "deformations", generator.id),
    ]
'''

_PACK_TEST = '''\
"""Each file keeps the contract, and the generators that are installed are moved by theirs."""

from collections.abc import Callable
from pathlib import Path

import latentfu
import pytest
from latentfu.plugin_manager import Registry
from latentfu.testing import check_controls

import $module

DIRECTIONS = sorted($module.FOLDER.glob("directions/*.safetensors"))
DEFORMATIONS = sorted($module.FOLDER.glob("deformations/*.safetensors"))


def read(path: Path) -> latentfu.Direction | latentfu.Deformation:
    if path in DEFORMATIONS:
        return latentfu.read_deformation(path)
    return latentfu.read_direction(path)


@pytest.mark.parametrize("path", [*DIRECTIONS, *DEFORMATIONS], ids=lambda path: path.stem)
def test_the_file_says_what_it_is(path: Path) -> None:
    found = read(path)
    assert found.name and found.author and found.licence


def test_the_controls_keep_the_contract(registered: Callable[..., Registry]) -> None:
    registered($module)
    ids = {read(path).generator_id for path in [*DIRECTIONS, *DEFORMATIONS]}
    for spec in latentfu.generators().values():
        if spec.id in ids:
            check_controls($module, spec.load("cpu"), spec)
'''

_PACK_README = """\
# latentfu-$name

Directions and deformations for Latent-Fu. After the installation they are sliders in GIMP, in their
groups, with author and licence beside them.

    latentfu plugins install .
    latentfu controls list

The files in `$module/directions/` and `$module/deformations/` say for themselves what they mean and
which weights they are for; put more of them there. The test wants an author and a licence in each:

    pip install -e ".[test]"
    pytest
"""

PACK_FILES = _make_files(
    "A pack of directions for Latent-Fu.",
    _PACK_README,
    _PACK_MODULE,
    _PACK_TEST,
    "*/*.safetensors",
)


_KIND_README = """\
# latentfu-$name

A plug-in for Latent-Fu.

    latentfu plugins install .
    latentfu plugins list

Its test:

    pip install -e ".[test]"
    pytest

`$module/__init__.py` is the plug-in. Hooks are functions marked `@latentfu.hookimpl`; the entry
point in `pyproject.toml` is how Latent-Fu finds them.
"""


def files_of_kind(module: str, test: str) -> dict[str, str]:
    """The files of a package whose module and test these are."""
    return _make_files("A plug-in for Latent-Fu.", _KIND_README, module, test)
