"""The shell itself: help, exit codes, sentences instead of tracebacks, plug-ins' commands."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from latentfu.cli.main import program
from latentfu.command_table import COMMANDS

from tests.support.interrupts import heard_interrupts
from tests.support.program import Program

HEAVY = ("torch", "numpy", "aiohttp", "pydantic", "PIL", "cv2")


def python(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.slow
def test_help_imports_nothing_heavy(house: Path) -> None:
    code = f"""
import sys
from latentfu.cli.main import run
run(["--help"])
run(["--help"])
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    python(code)  # the first help asks the plug-ins and remembers their commands
    done = python(code)
    assert done.stderr.strip() == "[]"
    assert "party" in done.stdout


def test_importing_latentfu_and_its_testing_imports_nothing_heavy() -> None:
    code = f"""
import sys, latentfu, latentfu.testing.pytest_plugin
print([name for name in {HEAVY} if name in sys.modules])
"""
    assert python(code).stdout.strip() == "[]"


def test_every_command_of_the_table_is_there(latentfu_program: Program) -> None:
    for path in COMMANDS:
        ran = latentfu_program(*path, "--help")
        assert ran.code == 0, ran.err
        assert "Usage: latentfu " + " ".join(path) in ran.out


def commands_below(
    group: click.Group, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Every command of the program and of the built-in plug-ins, with what a person types."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, (*path, name)
        if isinstance(command, click.Group):
            yield from commands_below(command, context, (*path, name))
        else:
            yield " ".join((*path, name)), command


@pytest.fixture(scope="module")
def all_commands() -> dict[str, click.Command]:
    return dict(commands_below(program, click.Context(program)))


def test_every_command_takes_json(all_commands: dict[str, click.Command]) -> None:
    takes = {
        path: {name for parameter in command.params for name in parameter.opts}
        for path, command in all_commands.items()
    }
    assert len(takes) > 60
    assert [path for path, names in takes.items() if "--json" not in names] == []


def test_every_command_and_every_option_says_what_it_is(
    all_commands: dict[str, click.Command],
) -> None:
    silent = [path for path, command in all_commands.items() if not command.help] + [
        f"{path} {parameter.opts[-1]}"
        for path, command in all_commands.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["edit"], 2),
        (["edit", "a.png", "-o", "b.png"], 2),
        (["edit", "a.png", "-o", "b.png", "--set", "smile"], 2),
        (["edit", "a.png", "-o", "b.png", "--set", "smile=nan"], 2),
        (["edit", "a.png", "-o", "b.png", "--set", "smile=inf"], 2),
        (["edit", "a.png", "-o", "b.png", "--set", "a=1", "--set", "a=2"], 2),
        (["edit", "a.png", "-o", "b.png", "--set", "a=1", "--feather", "-1"], 2),
        (["mix", "a.png", "b.png", "-o", "c.png", "--layers", "7-4"], 2),
        (["mix", "a.png", "b.png", "-o", "c.png", "--layers", "four"], 2),
        (["bench", "nonsense"], 2),
        (["edit", "nowhere.png", "-o", "b.png", "--set", "smile=1"], 1),
        (["generators", "info", "nonsense"], 1),
        (["plugins", "disable", "nonsense"], 1),
    ],
)
def test_wrong_use_is_two_and_failure_is_one(
    house: Path, latentfu_program: Program, arguments: list[str], code: int
) -> None:
    ran = latentfu_program(*arguments)
    assert ran.code == code
    assert len(ran.err.strip().splitlines()) == 1
    assert "Traceback" not in ran.err
    as_json = latentfu_program(*arguments, "--json")
    assert as_json.code == code
    assert set(as_json.json["error"]) == {"code", "message"}


def test_a_bug_is_one_sentence_and_debug_shows_it(
    house: Path, latentfu_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "latentfu.plugin_manager.registry.Registry.installed", lambda self, kind: 1 / 0
    )
    ran = latentfu_program("inverters", "list")
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert "--debug" in ran.err
    for arguments in (["--debug", "inverters", "list"], ["inverters", "list", "--debug"]):
        with pytest.raises(ZeroDivisionError):
            latentfu_program(*arguments)


def test_commands_of_plug_ins(house: Path, latentfu_program: Program) -> None:
    assert "greet" in latentfu_program("directions", "--help").out
    named = "Commands of a plug-in: crash, greet."
    assert re.search(rf"^  party +{named}$", latentfu_program("--help").out, re.MULTILINE)
    assert named in latentfu_program("party", "--help").out
    assert latentfu_program("directions", "greet").out == "hello\n"
    assert latentfu_program("party", "greet").out == "hello\n"
    failed = latentfu_program("party", "greet", "--fail")
    assert (failed.code, failed.err) == (1, "This cannot be greeted: give another name.\n")
    assert "salute" not in latentfu_program("party", "--help").out  # hidden, and works
    assert latentfu_program("party", "salute").out == "hello\n"
    crashed = latentfu_program("party", "crash")
    assert crashed.code == 1
    assert "ZeroDivisionError" in crashed.err


def test_listings(house: Path, latentfu_program: Program) -> None:
    tiny = latentfu_program("generators", "info", "tiny", "--json").json
    assert tiny["controls"] == ["tilt", "bend", "mood"]
    kinds = [tiny[word] for word in ("directions", "deformations", "prompts")]
    assert kinds == [["tilt"], ["bend"], ["mood"]]
    assert "prompts       1: mood" in latentfu_program("generators", "info", "tiny").out
    listed = latentfu_program("controls", "list", "--generator", "tiny", "--json").json
    assert [control["name"] for control in listed["controls"]] == ["tilt", "bend", "mood"]
    assert "more [tilt]" in latentfu_program("controls", "list", "--generator", "tiny").out
    only = latentfu_program("directions", "list", "--generator", "tiny", "--json").json
    assert [direction["name"] for direction in only["directions"]] == ["tilt"]
    shown = latentfu_program("directions", "show", "tilt", "--generator", "tiny", "--json").json
    assert shown["minimum"] == -3.0
    assert latentfu_program("directions", "show", "bend", "--generator", "tiny").code == 1
    inverters = latentfu_program("inverters", "list", "--json").json["inverters"]
    assert "guess" in [inverter["name"] for inverter in inverters]


def test_help_lists_new_commands_after_a_change(house: Path, latentfu_program: Program) -> None:
    assert "party" in latentfu_program("--help").out
    latentfu_program("plugins", "disable", "small_house")
    remembered = json.loads((house / "cache" / "commands.json").read_text())
    latentfu_program("--help")
    again = json.loads((house / "cache" / "commands.json").read_text())
    assert remembered["key"] != again["key"]


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(house: Path) -> None:
    command = f"{sys.executable} -P -m latentfu plugins list --json | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.slow
def test_ctrl_c_says_so_and_leaves_nothing(house: Path, tmp_path: Path) -> None:
    slow = "import os, time\nopen(os.environ['STARTED'], 'w').close()\ntime.sleep(60)\n"
    (house / "config" / "plugins" / "slow.py").write_text(slow)
    started = tmp_path / "started"
    command = [sys.executable, "-P", "-m", "latentfu", "generators", "list"]
    with heard_interrupts():
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "STARTED": str(started)},
        )
    while not started.exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out, err.strip()) == (130, "", "Stopped.")
