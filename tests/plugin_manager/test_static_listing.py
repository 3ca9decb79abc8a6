"""``latentfu plugins list --static`` says what is installed and imports nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from latentfu.core import paths
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import installed_sources
from latentfu.plugin_manager.static_hooks import read_hooks

_DEADLY = """
import os, latentfu
from latentfu import hookimpl
from there.is_no.such import latentfu_scorers
os._exit(3)

@latentfu.hookimpl(trylast=True)
def latentfu_losses():
    return []

@hookimpl
def latentfu_generators():
    return []

def latentfu_commands():
    return []
"""


def install_package(folder: Path, name: str, module: str, needs: str) -> None:
    """What pip leaves of a package whose modules end the process."""
    about = folder / f"{name.replace('-', '_')}-1.5.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\nRequires-Dist: latentfu{needs}\n"
    )
    about.joinpath("entry_points.txt").write_text(f"[latentfu]\n{name} = {module}\n")
    top, _, inner = module.partition(".")
    (folder / top).mkdir()
    (folder / top / "__init__.py").write_text("import os; os._exit(4)")
    (folder / top / f"{inner}.py").write_text(_DEADLY)


def test_no_module_of_a_plug_in_is_imported(
    isolated_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_package(tmp_path, "deadly-pack", "deadly_pack.plugin", ">=0.2,<0.4")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    paths.plugin_dir().mkdir(parents=True)
    paths.plugin_dir().joinpath("deadly.py").write_text(_DEADLY)
    paths.plugin_dir().joinpath("broken.py").write_text("def (")
    code = """if True:
        import sys
        from latentfu.cli.main import program
        program(["plugins", "list", "--static", "--json"], standalone_mode=False)
        known = ("latentfu_builtin", "latentfu_plugin_file", "deadly", "torch")
        print([name for name in sys.modules if name.startswith(known)])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text, imported = done.stdout.rstrip().rsplit("\n", 1)
    assert imported == "[]"
    listed = {one["name"]: one for one in json.loads(text)["plugins"]}
    assert listed["deadly-pack"] == {
        "name": "deadly-pack",
        "state": "enabled",
        "version": "1.5",
        "origin": "package deadly-pack",
        "needs": ">=0.2,<0.4",
        "hooks": ["generators", "losses", "scorers"],
    }
    assert listed["deadly"]["hooks"] == ["generators", "losses", "scorers"]
    assert listed["broken"]["hooks"] == []
    assert listed["portraits"]["origin"] == "package latentfu"


def test_it_names_the_hooks_that_the_programs_own_have(isolated_home: Path) -> None:
    sources = installed_sources()
    registry = Registry(sources)
    brought = {status.name: set(status.provides) for status in registry.statuses()}
    for source in sources:
        if source.is_ours:
            assert brought[source.name] <= set(read_hooks(source)), source.name
