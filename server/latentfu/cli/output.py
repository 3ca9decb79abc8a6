"""How commands speak: JSON for machines, tables for people, a bar while a person waits.

``json_option`` and ``progress_bar`` are public (``latentfu.json_option``): plug-ins' commands use
them too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from latentfu.core.progress import Progress, silent

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """The ``--json`` option that every command takes, as a decorator below ``@click.command``.

    The command gets ``as_json: bool`` and then prints one JSON document on stdout, nothing else.

    Args:
        function: the command's function.

    Returns:
        It, with the option.
    """
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def is_debugging(context: click.Context) -> bool:
    """Whether ``--debug`` was given."""
    return bool((context.obj or {}).get("debug"))


def print_json(content: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal; whole lines when the output goes into a file."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        # Text, so that square brackets in a plug-in's words are not read as markup
        table.add_row(*(Text(cell) for cell in row))
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(table)


def state_mark(state: str) -> str:
    """The state of a check ("ok", "note", "wrong"), colored, six columns wide."""
    return click.style(f"{state:<6}", fg={"ok": "green", "note": "yellow", "wrong": "red"}[state])


def print_fit(told: Mapping[str, Any]) -> None:
    """On stderr what a person must know of a report: a poor fit, and that nothing changed."""
    parts = [told.get(name) for name in ("warning", "advice", "unchanged")]
    sentences = " ".join(part for part in parts if part)
    if sentences:
        click.echo(sentences, err=True)


@contextmanager
def progress_bar(title: str, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on stderr if that is a terminal, else nothing.

    Args:
        title: what is being done, in a word or two.
        quiet: no bar in any case.

    Yields:
        The Progress to report to: ``progress(fraction, message)``, fraction in 0..1.
    """
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0)

        def show(fraction: float, message: str = "") -> None:
            bar.update(task, completed=fraction, description=message or title)

        yield show
