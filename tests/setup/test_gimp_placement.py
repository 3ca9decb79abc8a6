"""Where the plug-in goes, and that GIMP never sees half of it."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from latentfu.cli.gimp import gimp_group
from latentfu.core.errors import BadInputError, StorageError
from latentfu.setup import gimp_placement
from latentfu.setup.gimp_placement import install_plugin, plugin_digest, uninstall_plugin
from latentfu.setup.gimp_places import installed_gimps

if TYPE_CHECKING:
    from tests.support.scratch_machine import Machine


def test_without_gimp_nothing_is_written_and_one_line_says_so(machine: Machine) -> None:
    machine.gimp("2.10.34")
    result = CliRunner().invoke(gimp_group, ["install"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 1
    assert "No GIMP 3 was found (only GIMP 2.10.34" in result.output
    assert list(machine.home.iterdir()) == []


def test_forced_version_goes_into_its_folder(machine: Machine) -> None:
    placed = install_plugin(force_version="3.0")
    assert placed.written == [machine.main.parent]
    assert stat.S_IMODE(machine.main.stat().st_mode) == 0o755


@pytest.mark.parametrize("version", ["3", "2.10", "3.x", "../3.0"])
def test_forced_version_must_be_a_version(machine: Machine, version: str) -> None:
    with pytest.raises(BadInputError):
        install_plugin(force_version=version)


def test_program_json_names_this_python_for_this_user_only(machine: Machine) -> None:
    machine.profile.mkdir(parents=True)
    install_plugin()
    program = machine.config / "program.json"
    assert json.loads(program.read_text())["python"] == sys.executable
    assert stat.S_IMODE(program.stat().st_mode) == 0o600


def test_every_gimp_three_gets_a_copy(machine: Machine) -> None:
    machine.gimp("3.0.4", "gimp-3.0")
    machine.gimp("3.2.6", "gimp-3.2")
    machine.gimp("2.10.34", "gimp-2.10")
    for minor in ("2.10", "3.0", "3.2"):
        (machine.home / ".config/GIMP" / minor).mkdir(parents=True)
    assert {folder.parts[-3] for folder in install_plugin().written} == {"3.0", "3.2"}
    assert [gimp.version for gimp in installed_gimps()] == ["3.2.6", "3.0.4", "2.10.34"]


def test_a_gimp_never_started_makes_its_own_folder_first(machine: Machine) -> None:
    made = machine.profile / "made-by-gimp"
    machine.gimp()
    machine.program(
        "gimp-console",
        f'[ "$1" = --version ] && echo version 3.0.4 || /bin/mkdir -p {made}',
    )
    install_plugin()
    assert made.is_dir()
    assert machine.main.is_file()


def test_flatpaks_own_folder_is_used_when_it_exists(machine: Machine) -> None:
    private = machine.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0"
    private.mkdir(parents=True)
    machine.program("flatpak", "printf 'org.gimp.GIMP\\t3.0.4\\n'")
    placed = install_plugin()
    assert placed.written == [private / "plug-ins/latentfu"]
    assert "latentfu serve" in placed.notes[0]


def test_a_second_installation_changes_nothing(machine: Machine) -> None:
    machine.profile.mkdir(parents=True)
    install_plugin()
    before = machine.main.stat()
    again = install_plugin()
    assert again.written == []
    assert again.unchanged == [machine.main.parent]
    assert machine.main.stat().st_mtime_ns == before.st_mtime_ns


def test_a_changed_helper_moves_the_main_files_time_by_a_second(machine: Machine) -> None:
    machine.profile.mkdir(parents=True)
    install_plugin()
    before = int(machine.main.stat().st_mtime)
    (machine.source / "helper.py").write_text("NAME = 'newer'\n")
    assert install_plugin().written == [machine.main.parent]
    assert int(machine.main.stat().st_mtime) > before
    assert plugin_digest(machine.main.parent) == plugin_digest(machine.source)


def test_files_of_an_older_version_do_not_stay_behind(machine: Machine) -> None:
    machine.profile.mkdir(parents=True)
    install_plugin()
    (machine.source / "helper.py").rename(machine.source / "other.py")
    install_plugin()
    assert {path.name for path in machine.main.parent.iterdir()} == {"latentfu.py", "other.py"}


def test_a_lost_run_bit_is_put_right(machine: Machine) -> None:
    machine.profile.mkdir(parents=True)
    install_plugin()
    machine.main.chmod(0o644)
    install_plugin()
    assert os.access(machine.main, os.X_OK)


def test_a_full_disk_leaves_the_old_copy_and_no_scraps(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.profile.mkdir(parents=True)
    install_plugin()
    before = plugin_digest(machine.main.parent)
    (machine.source / "helper.py").write_text("NAME = 'newer'\n")

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gimp_placement.shutil, "copyfile", full)
    with pytest.raises(StorageError, match="No space left on device"):
        install_plugin()
    assert plugin_digest(machine.main.parent) == before
    assert {path.name for path in machine.profile.iterdir()} == {"plug-ins"}


def test_a_developers_link_is_replaced_not_followed(machine: Machine) -> None:
    mine = machine.home / "my-clone"
    mine.mkdir()
    (mine / "latentfu.py").write_text("mine")
    machine.main.parent.parent.mkdir(parents=True)
    machine.main.parent.symlink_to(mine)
    install_plugin()
    assert not machine.main.parent.is_symlink()
    assert (mine / "latentfu.py").read_text() == "mine"


def test_uninstall_removes_the_plug_in_and_nothing_else(machine: Machine) -> None:
    machine.profile.mkdir(parents=True)
    other = machine.profile / "plug-ins/another/another.py"
    other.parent.mkdir(parents=True)
    other.write_text("theirs")
    install_plugin()
    assert uninstall_plugin() == [machine.main.parent]
    assert other.read_text() == "theirs"
    assert not (machine.config / "program.json").exists()
    assert uninstall_plugin() == []
