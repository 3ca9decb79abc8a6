#!/usr/bin/env python3
"""Sets up Latent-Fu: a virtual environment, the program in it, and the plug-in in GIMP 3.

python3 install.py                    set up, place the GIMP plug-in, check
python3 install.py demo [--out DIR]   set up if needed, then edit a portrait through the server
python3 install.py test [--no-gimp]   set up if needed, then every test
python3 install.py doctor             why is the menu entry missing?
python3 install.py uninstall          remove the plug-in and the environment, keep your data

Standard library only. pip's own configuration decides where packages come from.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
HEARTBEAT_SECONDS = 5.0
LEFT_OUT = 77  # exit code of a test step that this machine cannot run
# Tests run on every core at once: threads that wait for each other would only cost time.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# A worker that hangs in native code hears no signal: a thread ends it, and another goes on.
PARALLEL = ("pytest", "-n", "auto", "--timeout-method", "thread")
TEST_STEPS = (
    ("lint", ["ruff", "check", "."]),
    ("format", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("gi types", ["mypy", "--config-file", "gimp_plugin/mypy.ini"]),
    ("contracts", ["pytest", "-q", "tests/test_contracts.py"]),
    ("tests", [*PARALLEL, "--ignore", "tests/gimp", "-m", "not cluster"]),
    ("cluster", ["pytest", "-q", "-m", "cluster", "tests/engine"]),  # Ray wants the cores itself
    ("gimp", ["tests.gimp.run"]),
)

_FULL = "The disk is full: make about 8 GB of room for torch and run this again."
_FULL_BYTES = 100_000_000
_FAILURES = (
    (r"No space left on device|Errno 28|not enough space on the disk", _FULL),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "pip does not trust the certificate of its package index: set pip's `cert` option to "
        "your organization's certificates and run this again.",
    ),
    (
        r"NewConnectionError|name resolution|Network is unreachable|ConnectTimeout|ReadTimeout"
        r"|ProxyError|Connection refused|Connection aborted|Remote end closed",
        "pip could not reach its package index: check the network (or pip's configuration) and "
        "run this again.",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "pip found no {what} that suits this Python: take a Python that torch is built for, "
        "or check pip's configuration.",
    ),
    (r"Permission denied", "A file could not be written for lack of permission: see the log."),
)


class InstallError(Exception):
    """What went wrong, in one sentence for the person who called."""


def too_old(version: tuple[int, int]) -> str | None:
    """The sentence for a Python that is too old, None for one that will do."""
    if version >= OLDEST:
        return None
    newer = [f"python3.{minor}" for minor in range(20, OLDEST[1] - 1, -1)]
    found = next((name for name in newer if shutil.which(name)), None)
    advice = f"run it with {found}" if found else "install a newer one"
    return f"Latent-Fu needs Python 3.11 or newer, this is {version[0]}.{version[1]}: {advice}."


class Venv:
    """The virtual environment, with a stamp in it that says how far its installation got."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stamp = folder / "latentfu-install.json"
        self.log = folder.with_name(f"{folder.name}-install.log")
        self._programs = folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self._programs / ("python.exe" if os.name == "nt" else "python")

    @property
    def latentfu(self) -> Path:
        return self._programs / ("latentfu.exe" if os.name == "nt" else "latentfu")

    def read_stamp(self) -> dict[str, object]:
        """The stamp's content, empty when there is none."""
        try:
            content = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write_stamp(self, **content: object) -> None:
        """Replace the stamp in one step."""
        part = self.stamp.with_suffix(".part")
        part.write_text(json.dumps(content), encoding="utf-8")
        part.replace(self.stamp)

    def runs(self, module: str) -> bool:
        """Whether its Python can import ``module``."""
        command = [str(self.python), "-c", f"import {module}"]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def ready(self, testing: bool) -> bool:
        """Whether an earlier run has installed just this."""
        stamp = self.read_stamp()
        return (
            stamp.get("state") == "done"
            and stamp.get("made_from") == fingerprint()
            and (bool(stamp.get("test")) or not testing)
            and self.runs("latentfu")
        )


def fingerprint() -> str:
    """Changes when the project's requirements, its place, or this Python change."""
    content = (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(content + f"{ROOT}|{sys.version}".encode()).hexdigest()


def set_up(venv: Venv, testing: bool = False) -> None:
    """Make ``venv`` and install the project in it; seconds when that is done already."""
    if venv.ready(testing):
        say(f"Installed in {venv.folder} already.")
        return
    folder = venv.folder
    stamp = venv.read_stamp()
    is_new = not folder.exists() or not any(folder.iterdir())
    if not (is_new or stamp or (folder / "pyvenv.cfg").is_file()):
        raise InstallError(
            f"{folder} is there and is not a virtual environment: name another one with --venv."
        )
    created = bool(stamp.get("created", is_new))
    testing = testing or bool(stamp.get("test"))
    try:
        if created and not venv.runs("pip"):
            make_venv(venv, repair=not is_new)
        venv.write_stamp(state="installing", created=created, test=testing)
        pip_install(venv, testing)
        venv.write_stamp(state="done", created=created, test=testing, made_from=fingerprint())
    except (OSError, InstallError) as error:
        # A venv from before stays, stamped as unfinished: the next run repairs it.
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, InstallError):
            raise
        raise InstallError(explain(str(error), venv.log)) from error


def make_venv(venv: Venv, repair: bool) -> None:
    """An empty environment with pip in it, stamped as ours before anything else."""
    say(f"{'Repairing' if repair else 'Making'} the virtual environment {venv.folder}")
    if repair:
        shutil.rmtree(venv.folder)
    venv.folder.mkdir(parents=True, exist_ok=True)
    venv.write_stamp(state="installing", created=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(venv.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not venv.runs("pip"):
        if "ensurepip is not available" in done.stdout:
            raise InstallError(
                "This Python has no venv module: install it (on Debian and Ubuntu: "
                "apt install python3-venv) and run this again."
            )
        raise InstallError(explain(done.stdout, venv.log))


def pip_install(venv: Venv, testing: bool) -> None:
    """pip's own bar in a terminal; elsewhere a line every few seconds while it downloads."""
    say("Installing packages; torch is large, so the first time takes a while")
    terminal = sys.stdout.isatty()
    # Beside the environment: /tmp is often a small memory disk.
    scratch = Path(tempfile.mkdtemp(prefix="pip-", dir=venv.folder))
    command = [str(venv.python), "-m", "pip", "install", "--no-input"]
    command += ["--progress-bar", "on" if terminal else "off"]
    command += ["--editable", f"{ROOT}[test]" if testing else str(ROOT)]
    environment = {**os.environ, "TMPDIR": str(scratch), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    complaints: list[str] = []
    listener = threading.Thread(target=_pass_on, args=(process.stderr, complaints))
    listener.start()
    try:
        while not _ended(process):
            if not terminal:
                seconds = time.monotonic() - started
                say(f"  {seconds:4.0f} s  {downloading(scratch) or unpacked(venv.folder)}")
    finally:
        process.kill()
        process.wait()
        listener.join()
        shutil.rmtree(scratch, ignore_errors=True)
    if process.returncode != 0:
        raise InstallError(explain("".join(complaints), venv.log))
    venv.log.unlink(missing_ok=True)


def _pass_on(stream: IO[bytes], kept: list[str]) -> None:
    """Show what pip complains about, and keep it."""
    with stream:
        for line in stream:
            kept.append(line.decode(errors="replace"))
            print(kept[-1], end="", file=sys.stderr, flush=True)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(HEARTBEAT_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def downloading(scratch: Path) -> str | None:
    """What pip is fetching into ``scratch``: package, version and MB so far."""
    wheels: list[tuple[float, Path, int]] = []
    for path in scratch.rglob("*.whl"):
        try:
            facts = path.stat()
        except OSError:
            continue
        wheels.append((facts.st_mtime, path, facts.st_size))
    moment, path, size = max(wheels, default=(0.0, scratch, 0))
    if time.time() - moment > 2 * HEARTBEAT_SECONDS or size < 1e6:
        return None
    return f"{'-'.join(path.name.split('-')[:2])}: {size / 1e6:.0f} MB"


def unpacked(folder: Path) -> str:
    """How much of the environment is on disk."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(place, name).lstat().st_size
            except OSError:
                continue
    return f"installing: {total / 1e6:.0f} MB on disk"


def explain(output: str, log: Path) -> str:
    """One sentence for a failed installation, from what pip or venv wrote (kept in ``log``)."""
    try:
        log.write_text(output, encoding="utf-8")
    except OSError:
        output += "\nNo space left on device"
    if shutil.disk_usage(log.parent).free < _FULL_BYTES:
        return _FULL
    for pattern, sentence in _FAILURES:
        match = re.search(pattern, output)
        if match:
            return sentence.format(**match.groupdict()) + f" (Log: {log})"
    errors = re.findall(r"ERROR: (.+)", output)
    reason = errors[-1].rstrip(".") if errors else "it gave no reason"
    return f"The packages could not be installed ({reason}): see {log}."


def command_install(venv: Venv, options: argparse.Namespace) -> int:
    """Set up, place the plug-in, check, and say what to do next."""
    set_up(venv)
    run_in_terminal([str(venv.latentfu), "gimp", "install"])
    if run_in_terminal([str(venv.python), "-m", "latentfu.setup.selfcheck"]) != 0:
        return 1
    say("\nNext: python3 install.py demo       edits a portrait and writes pictures")
    say("      in GIMP 3: Filters > Latent-Fu")
    say(f"      {venv.latentfu} --help")
    return 0


def command_demo(venv: Venv, options: argparse.Namespace) -> int:
    """Set up, place the plug-in, and run the main job through the server."""
    set_up(venv)
    run_in_terminal([str(venv.latentfu), "gimp", "install"])
    return run_in_terminal(
        [str(venv.python), "-m", "latentfu.demo", "--out", str(options.out.absolute())]
    )


def command_test(venv: Venv, options: argparse.Namespace) -> int:
    """Every check in turn; the summaries come again at the end."""
    set_up(venv, testing=True)
    steps = [(name, [str(venv.python), "-m", *command]) for name, command in TEST_STEPS]
    if options.no_gimp:
        steps = [step for step in steps if not step[0].startswith("gimp")]
    results = []
    with tempfile.TemporaryDirectory(prefix="lf-", ignore_cleanup_errors=True) as folder:
        # Whatever a test forgets must not touch the home of the person who runs it, and other runs
        # of pytest must not clear away the files of this one.
        own = {"LATENTFU_HOME": str(Path(folder, "home")), "PYTEST_DEBUG_TEMPROOT": folder}
        environment = {**os.environ, **own, **ONE_THREAD}
        for name, command in steps:
            say(f"\n== {name}")
            started = time.monotonic()
            code, last = run_and_keep(command, environment)
            results.append((name, code, time.monotonic() - started, last))
    if options.no_gimp:
        say("\nThe GIMP tests were left out, as asked (--no-gimp).")
    say("\n== summary")
    for name, code, seconds, last in results:
        word = {0: "ok", LEFT_OUT: "left out"}.get(code, "FAILED")
        say(f"{name:9} {word:9} {seconds:5.0f} s  {last}")
    return 0 if all(code in (0, LEFT_OUT) for _, code, _, _ in results) else 1


def command_doctor(venv: Venv, options: argparse.Namespace) -> int:
    """The environment first, then everything about GIMP."""
    if not venv.runs("latentfu"):
        say(f"wrong {'venv':13} {venv.folder} is missing, unfinished or broken.")
        say(f"{'':<19} -> python3 install.py")
        return 1
    say(f"ok    {'venv':13} {venv.folder} has Latent-Fu installed.")
    return run_in_terminal([str(venv.latentfu), "gimp", "doctor"])


def command_uninstall(venv: Venv, options: argparse.Namespace) -> int:
    """Remove what install.py made; what you made stays unless --purge is given."""
    works = venv.runs("latentfu")
    if options.purge and not works:
        raise InstallError(
            f"{venv.folder} does not run, and without it your data is not found: run "
            "`python3 install.py` first, or leave --purge out to keep your data."
        )
    if works:
        purge = ["--purge"] if options.purge else []
        if run_in_terminal([str(venv.python), "-m", "latentfu.setup.uninstall", *purge]) != 0:
            return 1
    else:
        remove_recorded_plug_ins()
    stamp = venv.read_stamp()
    if stamp.get("created"):
        shutil.rmtree(venv.folder)
        shutil.rmtree(ROOT / "latentfu.egg-info", ignore_errors=True)
        say(f"Removed {venv.folder}.")
    elif works:
        run_in_terminal(
            [str(venv.python), "-m", "pip", "uninstall", "--yes", "--quiet", "latentfu"]
        )
        venv.stamp.unlink(missing_ok=True)
        say(f"Took latentfu out of {venv.folder}, which install.py did not make and leaves alone.")
    else:
        say(f"There is no environment of ours in {venv.folder}.")
    venv.log.unlink(missing_ok=True)
    return 0


def remove_recorded_plug_ins() -> None:
    """What ``program.json`` names, for when the environment no longer runs."""
    home = os.environ.get("LATENTFU_HOME")
    config = Path(home) / "config" if home else Path.home() / ".config" / "latentfu"
    record = config / "program.json"
    try:
        folders = [Path(name) for name in json.loads(record.read_text("utf-8"))["plug_ins"]]
    except (OSError, ValueError, KeyError, TypeError):
        folders = []
    for folder in folders:
        if folder.name == "latentfu" and (folder / "latentfu.py").is_file():
            shutil.rmtree(folder)
            say(f"Removed {folder}.")
    record.unlink(missing_ok=True)
    (config / "server.json").unlink(missing_ok=True)


def run_in_terminal(command: Sequence[str]) -> int:
    """Run with our own terminal; Ctrl-C reaches the child, which ends by itself."""
    process = subprocess.Popen(command, cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def run_and_keep(command: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run, show the output as it comes, and return the exit code and its last line."""
    kept = b""
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 65536):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            kept = (kept + chunk)[-8192:]
    lines = [line.strip(" =") for line in kept.decode(errors="replace").splitlines()]
    return process.returncode, next((line for line in reversed(lines) if line), "")


def say(line: str) -> None:
    """Print at once: others write to the same terminal."""
    print(line, flush=True)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; ``--venv`` may stand before or after the command."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--venv",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="the virtual environment (default: .venv beside install.py)",
    )
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.set_defaults(run=command_install)
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, action in (
        ("demo", command_demo),
        ("test", command_test),
        ("doctor", command_doctor),
        ("uninstall", command_uninstall),
    ):
        command = commands.add_parser(name, parents=[common], help=action.__doc__)
        command.set_defaults(run=action)
        if name == "demo":
            command.add_argument("--out", type=Path, default=Path("demo"), help="where to")
        if name == "test":
            command.add_argument("--no-gimp", action="store_true", help="leave GIMP's tests out")
        if name == "uninstall":
            command.add_argument("--purge", action="store_true", help="remove your data as well")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0, or 1 after one sentence."""
    options = parse(arguments)
    complaint = too_old(sys.version_info[:2])
    if complaint:
        print(complaint, file=sys.stderr)
        return 1
    venv = Venv(Path(getattr(options, "venv", ROOT / ".venv")).absolute())
    try:
        return int(options.run(venv, options))
    except InstallError as error:
        print(f"\n{error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped; the next run goes on from here.", file=sys.stderr)
    except OSError as error:
        print(f"\n{error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
