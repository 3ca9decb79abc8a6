"""``latentfu plugins bisect``: which plug-in makes a command fail, by leaving half of them out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

import click

from latentfu.cli.output import json_option, print_json
from latentfu.core.errors import BadInputError
from latentfu.plugin_manager.deaths import forget_deaths
from latentfu.plugin_manager.sources import DISABLED_VARIABLE, all_sources, disabled_names

Fails = Callable[[Sequence[str]], bool]


@click.command("bisect", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=120.0, show_default=True,
    help="A run that takes longer has failed.",
)  # fmt: skip
@json_option
def plugins_bisect(command: tuple[str, ...], seconds: float, as_json: bool) -> None:
    """Find the plug-in that makes a COMMAND of latentfu fail: bisect -- edit photo.png ...

    The command is run again and again with some of the plug-ins left out that did not come with
    the program. It has failed when its exit code is not 0.
    """
    names = [source.name for source in all_sources() if not source.is_ours]
    names = [name for name in names if name not in disabled_names()]

    def fails(active: Sequence[str]) -> bool:
        for name in names:  # One that ends the program is not to be set aside meanwhile.
            forget_deaths(name)
        failed = _run(command, set(names) - set(active), seconds)
        if not as_json:
            said = "fails" if failed else "works"
            click.echo(f"{said} with {', '.join(active) or 'no other plug-in'}", err=True)
        return failed

    guilty = find_guilty(names, fails)
    if as_json:
        print_json({"plugins": guilty})
    elif len(guilty) == 1:
        click.echo(f"It is {guilty[0]}: latentfu plugins disable {guilty[0]}")
    else:
        click.echo(f"They fail together: {', '.join(guilty)}")


def find_guilty(names: Sequence[str], fails: Fails) -> list[str]:
    """The fewest of ``names`` with which it still fails, found by halves.

    After Zeller and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing Input".

    Raises:
        BadInputError: it works with all of them, or fails with none of them.
    """
    if not fails(names):
        raise BadInputError("The command works with all plug-ins: there is nothing to find.")
    if fails([]):
        raise BadInputError("The command fails without other plug-ins too: none of them is why.")
    guilty, parts = list(names), 2
    while len(guilty) > 1:
        size = -(-len(guilty) // parts)
        pieces = [guilty[at : at + size] for at in range(0, len(guilty), size)]
        others = [[name for name in guilty if name not in piece] for piece in pieces]
        smaller = next((each for each in pieces if fails(each)), None)
        if smaller is None and len(pieces) > 2:
            smaller = next((each for each in others if fails(each)), None)
            parts = max(parts - 1, 2) if smaller is not None else parts
        elif smaller is not None:
            parts = 2
        if smaller is not None:
            guilty = smaller
        elif parts >= len(guilty):
            break
        else:
            parts = min(2 * parts, len(guilty))
    return guilty


def _run(command: Sequence[str], left_out: set[str], seconds: float) -> bool:
    """Whether the command fails without these plug-ins, the ones left out before included."""
    off = ",".join(sorted(left_out | disabled_names()))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "latentfu", *command],
            env={**os.environ, DISABLED_VARIABLE: off},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0
