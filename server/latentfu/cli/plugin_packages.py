"""``latentfu plugins install``, ``upgrade`` and ``uninstall``: the pip of this very program."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from latentfu.cli.output import json_option, print_json
from latentfu.core.errors import BadInputError, LatentFuError, NotInstalledError

_PROGRAM = ("latentfu", "latentfu_builtin")


@click.command("install")
@click.argument("packages", nargs=-1, required=True)
@click.option("--no-deps", is_flag=True, help="Only these, not what they need.")
@click.option("--no-build-isolation", is_flag=True, help="Build with what is installed here.")
@json_option
def plugins_install(
    packages: tuple[str, ...], no_deps: bool, no_build_isolation: bool, as_json: bool
) -> None:
    """Install PACKAGES of plug-ins: names, folders or wheels, as pip takes them.

    They go into the Python that runs this program. A package that would overwrite the program's
    own files is refused. A running server takes them up with its next work.
    """
    _install(packages, _flags(no_deps, no_build_isolation), as_json)


@click.command("upgrade")
@click.argument("plugins", nargs=-1, required=True)
@json_option
def plugins_upgrade(plugins: tuple[str, ...], as_json: bool) -> None:
    """Install the newest versions of PLUGINS, named as plugins list names them."""
    _install([_package_of(name) for name in plugins], ["--upgrade"], as_json)


@click.command("uninstall")
@click.argument("plugins", nargs=-1, required=True)
@json_option
def plugins_uninstall(plugins: tuple[str, ...], as_json: bool) -> None:
    """Remove the packages of PLUGINS, with all that is in them."""
    packages = [_package_of(name) for name in plugins]
    _run_pip(["uninstall", "--yes", *packages])
    if as_json:
        print_json({"removed": packages})
    else:
        click.echo(f"Removed: {', '.join(packages)}.")


def _flags(no_deps: bool, no_build_isolation: bool) -> list[str]:
    given = {"--no-deps": no_deps, "--no-build-isolation": no_build_isolation}
    return [flag for flag, on in given.items() if on]


def _install(packages: Sequence[str], flags: list[str], as_json: bool) -> None:
    """Look into what would be installed, install it, and say which plug-ins came of it."""
    with tempfile.TemporaryDirectory(prefix="latentfu-install-") as folder:
        building = [flag for flag in flags if flag == "--no-build-isolation"]
        _run_pip(["wheel", "--no-deps", "--wheel-dir", folder, *building, *packages])
        wheels = sorted(Path(folder).glob("*.whl"))
        names = [_check_wheel(wheel) for wheel in wheels]
        forced = ["--force-reinstall", "--no-deps"] if "--no-deps" in flags else []
        _run_pip(["install", *flags, *forced, *map(str, wheels)])
    found = _plugins_of(names)
    if as_json:
        print_json({"installed": names, "plugins": found})
        return
    for plugin in found:
        click.echo(
            f"{plugin['name']} ({plugin['origin']}) is {plugin['state']}. {plugin['reason']}"
        )
    if not found:
        click.echo(f"Installed {', '.join(names)}, which brings no plug-in.", err=True)


def _check_wheel(path: Path) -> str:
    """The package's name; raises BadInputError for one with files of the program itself."""
    with zipfile.ZipFile(path) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
    name = path.name.split("-")[0].replace("_", "-")
    theirs = sorted(tops & set(_PROGRAM))
    if theirs or name == "latentfu":
        raise BadInputError(
            f"{name} has files of {', '.join(theirs) or 'latentfu'} in it and would overwrite the "
            f"program: it is not installed. Its author must give the module another name."
        )
    return name


def _package_of(name: str) -> str:
    """The package of a plug-in, or the package of that name, if it has plug-ins and is not ours."""
    from latentfu.plugin_manager.sources import all_sources

    for source in all_sources():
        package = source.origin.removeprefix("package ")
        if name not in (source.name, package):
            continue
        if source.is_ours:
            raise BadInputError(f"{name} belongs to latentfu itself: latentfu plugins disable.")
        if source.origin.startswith("file "):
            raise BadInputError(
                f"{name} is a {source.origin}: delete it, or put a newer one there."
            )
        return package
    raise NotInstalledError(f"There is no plug-in {name!r}: see latentfu plugins list.")


def _plugins_of(packages: Sequence[str]) -> list[dict[str, Any]]:
    """What became of the plug-ins of these packages, asked of a new process."""
    command = [sys.executable, "-P", "-m", "latentfu", "plugins", "list", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        listed = json.loads(done.stdout)["plugins"]
    except (ValueError, KeyError):
        raise LatentFuError(
            "It is installed, and listing plug-ins now fails: see latentfu plugins doctor."
        ) from None
    origins = {f"package {_plain(name)}" for name in packages}
    return [one for one in listed if _plain(one["origin"]) in origins]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _run_pip(arguments: Sequence[str]) -> None:
    """Run it; raises LatentFuError with the last thing that it said."""
    if importlib.util.find_spec("pip") is None:
        raise LatentFuError(
            f"This Python has no pip: install the package with what made {sys.prefix}."
        )
    options = ["--disable-pip-version-check", "--no-input", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pip", *arguments[:1], *options, *arguments[1:]],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")] or lines
        said = errors[0].strip()[:300] if errors else f"exit code {done.returncode}"
        raise LatentFuError(f"pip could not do it: {said}")
