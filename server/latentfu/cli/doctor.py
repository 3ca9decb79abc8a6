"""``latentfu doctor``: is this installation whole, and what to do if not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click

import latentfu
from latentfu.cli.output import json_option, print_json, state_mark
from latentfu.core.errors import LatentFuError
from latentfu.setup.gimp_checks import Check

_LOW_BYTES = 200 << 20


@click.command("doctor")
@json_option
@click.pass_context
def doctor_command(context: click.Context, as_json: bool) -> None:
    """Check folders, packages, plug-ins and the server; exit code 1 when something is wrong.

    For GIMP's menu see: latentfu gimp doctor. For a plug-in that hangs: latentfu plugins doctor.
    """
    checks = list(_examine())
    if as_json:
        keys = ("name", "state", "message")
        print_json({"checks": [{key: getattr(check, key) for key in keys} for check in checks]})
    else:
        for check in checks:
            click.echo(f"{state_mark(check.state)}{check.name:<12} {check.message}")
    if any(check.state == "wrong" for check in checks):
        context.exit(1)


def _examine() -> Iterator[Check]:
    """Every check in turn; none raises."""
    version = f"latentfu {latentfu.__version__}, Python {sys.version.split()[0]}"
    yield Check("program", "ok", version)
    yield from _check_packages()
    yield from _check_folders()
    yield from _check_plugins()
    yield from _check_generators()
    yield _check_server()


def _check_packages() -> Iterator[Check]:
    for package in ("torch", "torchvision", "numpy", "pillow", "opencv-python-headless"):
        try:
            yield Check(package, "ok", metadata.version(package))
        except metadata.PackageNotFoundError:
            yield Check(package, "wrong", f"is not installed; run: pip install {package}")


def _check_folders() -> Iterator[Check]:
    from latentfu.core import paths

    folders = {
        "settings": paths.config_dir(),
        "data": paths.data_dir(),
        "cache": paths.cache_dir(),
    }
    for name, folder in folders.items():
        there = _first_that_exists(folder)
        if not os.access(there, os.W_OK):
            told = f"{folder} cannot be written; correct the permissions of {there}"
            yield Check(name, "wrong", told)
        elif shutil.disk_usage(there).free < _LOW_BYTES:
            free = shutil.disk_usage(there).free >> 20
            yield Check(name, "wrong", f"{folder} has {free} MB left; make room on that disk")
        else:
            yield Check(name, "ok", str(folder))


def _first_that_exists(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _check_plugins() -> Iterator[Check]:
    from latentfu.plugin_manager import get_registry

    try:
        statuses = get_registry().statuses()
    except LatentFuError as error:
        yield Check("plug-ins", "wrong", str(error))
        return
    for status in statuses:
        if status.state == "quarantined":
            told = f"{status.name} ({status.origin}) is left out: it {status.reason}"
            yield Check("plug-in", "wrong", told)
    names = ", ".join(status.name for status in statuses if status.state == "ok")
    yield Check("plug-ins", "ok" if names else "wrong", names or "none works")


def _check_generators() -> Iterator[Check]:
    from latentfu.plugin_manager import get_registry
    from latentfu.plugin_objects import GeneratorSpec

    try:
        registry = get_registry()
        generators = registry.installed(GeneratorSpec)
    except LatentFuError:
        return  # said above
    for name, spec in generators.items():
        count = len(registry.controls(spec))
        yield Check("generator", "ok", f"{name}, {spec.resolution} px, {count} controls")
    if not generators:
        yield Check("generator", "wrong", "none is installed; install latentfu again")


def _check_server() -> Check:
    from latentfu.client.client import Client
    from latentfu.protocol.remote_server import choose_server

    try:
        chosen = choose_server()
        client = Client.connect_to(chosen) if chosen else Client.connect()
        health = client.health()
    except LatentFuError as error:
        return Check("server", "note", f"{error}")
    if health.version != latentfu.__version__:
        told = f"runs in version {health.version}, this is {latentfu.__version__}: start it again"
        return Check("server", "wrong", told)
    workers = ", ".join(f"worker {one.state} on {one.device}" for one in health.workers)
    return Check("server", "ok", f"{client.address.url}, {workers}")
