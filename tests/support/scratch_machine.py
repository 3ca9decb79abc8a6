"""A home and a PATH of a test's own, with stand-ins for GIMP and its Python."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from latentfu.setup import gimp_checks, gimp_placement

PLUGIN = """#!/usr/bin/env python3
import sys
import gi
gi.require_version("Gimp", "3.0")
from gi.repository import Gimp
from helper import NAME
Gimp.main(NAME, sys.argv)
"""


class Machine:
    """A scratch home and a PATH in which nothing is but what a test puts there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = folder / "home"
        self.prefix = folder / "prefix"
        self.source = folder / "source" / "latentfu"
        self.monkeypatch = monkeypatch
        for made in (self.home, self.prefix / "bin", self.source):
            made.mkdir(parents=True)
        for name in ("LATENTFU_HOME", "GIMP3_DIRECTORY", "XDG_CONFIG_HOME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.setenv("PATH", str(self.prefix / "bin"))
        (self.source / "latentfu.py").write_text(PLUGIN)
        (self.source / "helper.py").write_text("NAME = 'x'\n")
        for module in (gimp_placement, gimp_checks):
            monkeypatch.setattr(module, "source_folder", lambda: self.source)

    @property
    def config(self) -> Path:
        return self.home / ".config/latentfu"

    @property
    def profile(self) -> Path:
        return self.home / ".config/GIMP/3.0"

    @property
    def main(self) -> Path:
        return self.profile / "plug-ins/latentfu/latentfu.py"

    def program(self, name: str, script: str) -> Path:
        path = self.prefix / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def gimp(self, version: str = "3.0.4", name: str = "gimp") -> Path:
        said = f"GNU Image Manipulation Program version {version}"
        return self.program(name, f'[ "$1" = --version ] && echo "{said}"')

    def gimps_python(self, bindings: bool = True) -> None:
        """The Python that GIMP's own interpreter list names, with or without its bindings."""
        stub = self.prefix / "stub"
        if bindings:
            (stub / "gi/repository").mkdir(parents=True)
            (stub / "gi/__init__.py").write_text("def require_version(name, version): pass\n")
            (stub / "gi/repository/__init__.py").write_text("class Gimp: pass\n")
        python = self.program("gimps-python", f'PYTHONPATH={stub} exec {sys.executable} -S "$@"')
        listing = self.prefix / "lib/gimp/3.0/interpreters/pygimp.interp"
        listing.parent.mkdir(parents=True, exist_ok=True)
        listing.write_text(f"python={python}\npython3={python}\n")

    def pluginrc(self, moment: int | None = None, entry: bool = True) -> Path:
        """GIMP's list; ``moment``: the plug-in's time in it (default: the right one)."""
        when = int(self.main.stat().st_mtime) if moment is None else moment
        listing = self.profile / "pluginrc"
        line = f'(plug-in-def "${{gimp_dir}}/plug-ins/latentfu/latentfu.py" {when})\n'
        listing.write_text(line if entry else "# empty\n")
        later = self.main.stat().st_mtime + 10
        os.utime(listing, (later, later))
        return listing

    def healthy(self) -> None:
        """GIMP 3.0, its Python, the plug-in placed and seen by GIMP."""
        self.gimp()
        self.gimps_python()
        self.profile.mkdir(parents=True)
        gimp_placement.install_plugin()
        self.pluginrc()

    def server(self, **content: object) -> None:
        address = {"host": "127.0.0.1", "port": 9, "pid": 0, "version": "0.1.0", **content}
        (self.config / "server.json").write_text(json.dumps(address))
        self.token("secret")

    def token(self, text: str, mode: int = 0o600) -> None:
        (self.config / "token").write_text(text)
        (self.config / "token").chmod(mode)
