"""Every known cause of "the menu entry is missing", made on purpose and found by the doctor."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from latentfu.cli.gimp import gimp_group
from latentfu.protocol.server_address import make_proof
from latentfu.setup import doctor
from latentfu.setup.gimp_checks import Check

from tests.support.stranger import Stranger, stranger_on_port

if TYPE_CHECKING:
    from tests.support.scratch_machine import Machine

Faults = Callable[[], dict[str, Check]]


def test_a_healthy_machine_has_no_fault(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    assert faults() == {}
    result = CliRunner().invoke(gimp_group, ["doctor"])
    assert result.exit_code == 0
    assert "Nothing is wrong" in result.output


def test_every_fault_has_a_sentence_and_a_remedy(machine: Machine) -> None:
    machine.healthy()
    machine.main.unlink()
    (machine.config / "program.json").unlink()
    result = CliRunner().invoke(gimp_group, ["doctor", "--json"])
    assert result.exit_code == 1
    wrong = [check for check in json.loads(result.output)["checks"] if check["state"] == "wrong"]
    assert {check["name"] for check in wrong} == {"placed", "program"}
    assert all(check["message"].endswith(".") and check["remedy"] for check in wrong)


def test_no_gimp(machine: Machine, faults: Faults) -> None:
    assert "No GIMP was found" in faults()["gimp"].message


def test_only_the_old_gimp(machine: Machine, faults: Faults) -> None:
    machine.gimp("2.10.34")
    assert "Only GIMP 2.10.34" in faults()["gimp"].message


def test_a_gimp_that_hangs_is_not_waited_for(
    machine: Machine, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.program("gimp", "exec /bin/sleep 60")
    monkeypatch.setattr("latentfu.setup.gimp_places.answer.__defaults__", (0.2,))
    assert "gimp" in faults()


def test_never_placed(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    shutil.rmtree(machine.main.parent)
    assert "has no plug-in" in faults()["placed"].message


def test_in_the_old_gimps_folder(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    old = machine.home / ".config/GIMP/2.10/plug-ins"
    old.mkdir(parents=True)
    machine.main.parent.rename(old / "latentfu")
    found = faults()
    assert str(old) in found["wrong-folder"].message
    assert "placed" in found


def test_in_another_minor_versions_folder(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.gimp("3.2.6")
    (machine.home / ".config/GIMP/3.2").mkdir()
    message = faults()["wrong-folder"].message
    assert "GIMP 3.0's folder" in message
    assert "GIMP 3.2 is installed" in message


def test_a_loose_file(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.main.rename(machine.profile / "plug-ins/latentfu.py")
    shutil.rmtree(machine.main.parent)
    assert "lies loose" in faults()["loose-file"].message


@pytest.mark.parametrize("folder", ["latentfu-main", "Latent-Fu", "latentfu/latentfu"])
def test_folder_and_file_names_differ(machine: Machine, faults: Faults, folder: str) -> None:
    machine.healthy()
    kept = machine.main.parent.rename(machine.home / "kept")
    (machine.profile / "plug-ins" / folder).parent.mkdir(exist_ok=True)
    kept.rename(machine.profile / "plug-ins" / folder)
    assert "folder-name" in faults()


def test_no_run_bit(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.main.chmod(0o644)
    fault = faults()["run-bit"]
    assert "not executable" in fault.message
    assert fault.remedy == f"chmod +x {machine.main}"


def test_an_older_copy(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    (machine.source / "helper.py").write_text("NAME = 'newer'\n")
    assert set(faults()) == {"copy"}


def test_a_file_lost_from_the_copy(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    (machine.main.parent / "helper.py").unlink()
    found = faults()
    assert "copy" in found
    assert "No module named 'helper'" in found["loads"].message


def test_a_syntax_error_under_gimps_python(machine: Machine, faults: Faults) -> None:
    (machine.source / "helper.py").write_text("NAME = = 'x'\n")
    machine.healthy()
    assert "helper.py: invalid syntax" in faults()["loads"].message


def test_gimps_python_without_bindings(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    shutil.rmtree(machine.prefix / "stub")
    fault = faults()["python"]
    assert "No module named 'gi'" in fault.message
    assert "python3-gi" in fault.remedy


def test_gimp_skipped_the_plug_in(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.pluginrc(entry=False)
    assert "did not take the plug-in" in faults()["pluginrc"].message


def test_files_changed_but_not_the_main_one(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    later = (machine.profile / "pluginrc").stat().st_mtime + 60
    os.utime(machine.main.parent / "helper.py", (later, later))
    assert "touch" in faults()["pluginrc"].remedy


def test_gimp_not_started_since_is_no_fault(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.pluginrc(moment=1)
    notes = {check.name: check for check in doctor.examine_gimp() if check.state == "note"}
    assert notes["pluginrc"].remedy == "Start GIMP again."
    assert faults() == {}


def test_search_path_without_the_folder(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    gimprc = machine.profile / "gimprc"
    gimprc.write_text('(plug-in-path "/opt/plug-ins:${gimp_plug_in_dir}/plug-ins")\n')
    assert str(gimprc) in faults()["search-path"].message
    gimprc.write_text('(plug-in-path "${gimp_dir}/plug-ins:/opt/plug-ins")\n')
    assert faults() == {}


@pytest.mark.parametrize("packaging", ["flatpak", "snap"])
def test_sandboxes_need_a_running_server(machine: Machine, faults: Faults, packaging: str) -> None:
    machine.healthy()
    for program in ("gimp", "gimps-python"):
        (machine.prefix / "bin" / program).unlink()
    says = {
        "flatpak": 'printf "org.gimp.GIMP\\t3.0.4\\n"',
        "snap": 'echo "gimp  3.0.4  401  latest/stable"',
    }
    machine.program(packaging, f'[ "$1" = list ] && {says[packaging]}')
    assert "cannot start it" in faults()["server"].message
    assert any(check.name == "sandbox" for check in doctor.examine_gimp())


def test_program_json_missing_and_python_gone(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    program = machine.config / "program.json"
    content = json.loads(program.read_text())
    program.write_text(json.dumps({**content, "python": "/gone/bin/python"}))
    assert "/gone/bin/python, which is gone" in faults()["program"].message
    program.write_text("{")
    assert "cannot be read" in faults()["program"].message
    program.unlink()
    assert "is missing" in faults()["program"].message


def test_a_server_that_died_is_no_fault(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.server(pid=0)
    assert faults() == {}


def test_a_server_that_does_not_answer(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.server(pid=os.getpid())
    assert "does not answer on port 9" in faults()["server"].message


def test_a_token_that_can_not_be_used(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    machine.server()
    machine.token("secret", mode=0o644)
    assert "read by others" in faults()["token"].message
    machine.token("")
    assert "is empty" in faults()["token"].message
    (machine.config / "token").unlink()
    (machine.config / "token").mkdir()
    assert "cannot be read" in faults()["token"].message


def test_another_program_on_the_port(machine: Machine, faults: Faults) -> None:
    machine.healthy()
    health = b'{"status": "ok"}'
    with _answering("stranger", b"<html>") as stranger:
        machine.server(port=stranger.server_port)
        assert "another program" in faults()["server"].message
    with _answering("another token", health) as stranger:
        machine.server(port=stranger.server_port)
        assert "another token" in faults()["server"].message
    with _answering("secret", health) as stranger:
        machine.server(port=stranger.server_port)
        assert faults() == {}


def _answering(token: str, body: bytes) -> AbstractContextManager[Stranger]:
    """A server that has ``token`` and answers with ``body``; a page proves nothing."""

    def answer(path: str, port: int) -> tuple[int, bytes]:
        if path.startswith("/v1/proof?nonce=") and body != b"<html>":
            proof = make_proof(token, path.partition("=")[2], port)
            return 200, json.dumps({"proof": proof}).encode()
        return 200, body

    return stranger_on_port(answer)
