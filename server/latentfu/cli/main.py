"""``latentfu``: the program's entry, and the one place where errors become sentences."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

import latentfu
from latentfu.cli.lazy_group import LazyGroup
from latentfu.core.errors import LatentFuError, OutOfMemoryError, is_memory_fault
from latentfu.core.process_memory import limit_to_machine, measure_machine

_HELP = """Latent-Fu: semantic photo editing with GANs on your own machine.

Every command takes --json; exit code 1 is a failure, 2 wrong use."""


program = LazyGroup(help=_HELP)
program.params += [
    click.Option(["--debug"], is_flag=True, help="Show where an error comes from (any command)."),
]
click.version_option(latentfu.__version__, prog_name="latentfu")(program)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    # Read when torch is loaded. Threads that spin while they wait for each other lose ten-fold
    # beside other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not Path("/dev/nvidia0").exists():
        limit_to_machine()
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run one command; gives the exit code (0 done, 1 failed, 2 wrong use, 130 Ctrl-C)."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    debug = "--debug" in ours
    rest = [word for word in ours if word != "--debug"] + arguments[len(ours) :]
    try:
        code = program.main(rest, prog_name="latentfu", standalone_mode=False, obj={"debug": debug})
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        # The reader (head, less) has gone; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        return 130
    except Exception as error:
        if debug:
            raise
        return _tell(error, as_json="--json" in ours)


def _tell(error: Exception, as_json: bool) -> int:
    """One sentence on stderr (with ``--json`` an object on stdout) and the exit code."""
    exit_code, code, message = _explain(error)
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": message}}))
    else:
        click.echo(message, err=True)
    return exit_code


def _tell_memory() -> str:
    """What helps where this process has too little memory."""
    there = f"{measure_machine() / 1e9:.1f} GB"
    return (
        f"This needs more memory than there is here ({there}): close other programs, take "
        f"--quality draft or a smaller network, or work on another machine."
    )


def _explain(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "latentfu"
        return 2, "usage", f"{error.format_message()} (See: {where} --help)"
    if isinstance(error, click.ClickException):
        return error.exit_code, "failed", error.format_message()
    if type(error) is OutOfMemoryError and str(error) == str(OutOfMemoryError()):
        return 1, error.code, _tell_memory()  # nobody has said more
    if isinstance(error, LatentFuError):
        return 1, error.code, str(error)
    if is_memory_fault(error):
        return 1, OutOfMemoryError.code, _tell_memory()
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return 1, "internal", f"Something failed inside latentfu ({text}): --debug shows where."
