"""One command for each check; ``nox -l`` lists them, ``nox`` runs those of every commit.

They run in the environment that nox is in (``pip install -e ".[test]"``): nothing is installed.
What stands after ``--`` goes to the tool: ``nox -s test -- tests/cli/test_program.py -k help``.
"""

from __future__ import annotations

import json
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import nox
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "fast"]

# Tests run on every core at once: threads that wait for each other would only cost time.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ALL_CORES = ("-n", "auto")


def _run(session: nox.Session, *module: str, **environment: str) -> None:
    """A module's program in this environment's Python, in the repository's root."""
    session.chdir(Path(__file__).parent)
    session.run(sys.executable, "-m", *module, external=True, env=environment)


@nox.session
def test(session: nox.Session) -> None:
    """The tests that you name: nox -s test -- tests/cli/test_program.py."""
    if not session.posargs:
        session.error("Name a file or a test: nox -s test -- tests/cli/test_program.py")
    _run(session, "pytest", "-x", *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """The tests that take no time: under a minute on two cores."""
    _run(session, "pytest", "-q", *ALL_CORES, "-m", "fast", *session.posargs, **ONE_THREAD)


@nox.session
def tests(session: nox.Session) -> None:
    """Every test except those in GIMP."""
    ignored = ("--ignore", "tests/gimp")
    _run(session, "pytest", *ALL_CORES, *ignored, *session.posargs, **ONE_THREAD)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damaged files and odd requests, 50 times as many as the tests try; -- 500 for longer."""
    longer, *more = session.posargs or ["50"]
    files = ("tests/security/test_mutated_files.py", "tests/security/test_openapi_fuzz.py")
    _run(session, "pytest", *ALL_CORES, *files, *more, LATENTFU_FUZZ=longer, **ONE_THREAD)


@nox.session
def audit(session: nox.Session) -> None:
    """Known holes in what is installed here (pip-audit)."""
    _run(session, "pip_audit", "--skip-editable", *session.posargs)


@nox.session
def sbom(session: nox.Session) -> None:
    """What a release brings along, as CycloneDX: latentfu.cdx.json, or the file after --."""
    out = session.posargs[0] if session.posargs else "latentfu.cdx.json"
    words = ("environment", sys.executable, "--pyproject", "pyproject.toml")
    _run(session, "cyclonedx_py", *words, "--output-reproducible", "-o", out)
    _leave_out_tools(Path(out))


def _leave_out_tools(listed: Path) -> None:
    """Keep what Latent-Fu needs to run: tests and this list need packages, too."""
    whole = json.loads(listed.read_text("utf-8"))
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    needed = _find_needed(project["dependencies"])
    refs = {each["bom-ref"]: canonicalize_name(each["name"]) for each in whole["components"]}
    kept = {ref for ref, name in refs.items() if name in needed} | {"root-component"}
    whole["components"] = [each for each in whole["components"] if each["bom-ref"] in kept]
    whole["dependencies"] = [
        {**each, "dependsOn": [ref for ref in each.get("dependsOn", []) if ref in kept]}
        for each in whole["dependencies"]
        if each["ref"] in kept
    ]
    listed.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")


def _find_needed(requirements: list[str]) -> set[str]:
    """The names of the packages that these bring along here, without their extras."""
    needed: set[str] = set()
    waiting = list(requirements)
    while waiting:
        one = Requirement(waiting.pop())
        name = canonicalize_name(one.name)
        if name not in needed and (not one.marker or one.marker.evaluate({"extra": ""})):
            needed.add(name)
            waiting += metadata.requires(name) or []
    return needed


@nox.session
def gimp(session: nox.Session) -> None:
    """The tests in GIMP 3, which is fetched into a chroot if it is not here (Debian, root)."""
    _run(session, "tests.gimp.run", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict: the package with the tests' helpers, then the plug-in that GIMP loads."""
    _run(session, "mypy", *session.posargs)
    _run(session, "mypy", "--config-file", "gimp_plugin/mypy.ini")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format. ``nox -s lint -- --fix`` mends what can be mended."""
    fix = "--fix" in session.posargs
    _run(session, "ruff", "check", ".", *(["--fix"] if fix else []))
    _run(session, "ruff", "format", ".", *([] if fix else ["--check"]))


@nox.session
def contracts(session: nox.Session) -> None:
    """Who may import whom."""
    _run(session, "pytest", "-q", "tests/test_contracts.py")


@nox.session
def words(session: nox.Session) -> None:
    """Collect the texts of the GIMP plug-in and compile their translations."""
    session.chdir(Path(__file__).parent)
    session.run(sys.executable, "gimp_plugin/po/update.py", external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Every example and every claim of the docs that can be run."""
    _run(session, "pytest", "-q", "-m", "docs", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Every test except those in GIMP, and how much of the code they run, child processes too."""
    measured = ("--cov", "--cov-report", "term", "--ignore", "tests/gimp")
    _run(session, "pytest", *ALL_CORES, *measured, *session.posargs, **ONE_THREAD)
