"""The step that measures the network and writes the figures into its card."""

from __future__ import annotations

from pathlib import Path

import latentfu
from latentfu import Direction, Progress, read_direction, write_whole

from latentfu_builtin.portraits.rebuild import docs_folder

SAMPLES, SEED = 2000, 1000
BEGIN, END = "<!-- directions: begin -->", "<!-- directions: end -->"


def build_figures(folder: Path | None, progress: Progress) -> None:
    """``latentfu evaluate portraits``, into docs/portraits.md (or ``folder``/figures.json)."""
    from latentfu_builtin.portraits.evaluate.report import Question, as_json, evaluate, into_card
    from latentfu_builtin.portraits.plugin import NAME, scorer_network, taught

    generator = latentfu.open_generator(NAME)
    question = Question(generator, taught, scorer_network("cpu"), SAMPLES, SEED)
    found = evaluate(question, progress)
    docs = docs_folder(folder)
    write_whole(docs / "images" / "portraits-figures.json", as_json(found).encode())
    if folder is None:
        into_card(docs / "portraits.md", found)


def build_direction_table(folder: Path | None, progress: Progress) -> None:
    """The effect and the strongest leaks of each shipped direction, into the card."""
    from latentfu_builtin.portraits.evaluate.report import put_between
    from latentfu_builtin.portraits.plugin import DIRECTIONS
    from latentfu_builtin.portraits.renderer import FACTOR_NAMES

    progress(0.0, "Reading directions")
    found = {path.stem: read_direction(path) for path in sorted(DIRECTIONS.glob("*.safetensors"))}
    lines = ["| direction | effect | leaks |", "|---|---|---|"]
    for name in FACTOR_NAMES:
        if name in found:
            lines.append(row(found[name]))
    missing = [name for name in FACTOR_NAMES if name not in found]
    lines += ["", f"There is none for {', '.join(missing)}." if missing else "None is missing."]
    docs = docs_folder(folder)
    if folder is None:
        put_between(docs / "portraits.md", BEGIN, END, "\n".join(lines))
    else:
        write_whole(docs / "directions.md", ("\n".join(lines) + "\n").encode())


def row(direction: Direction) -> str:
    """One line of the table."""
    leaks = sorted(direction.leakage.items(), key=lambda item: -abs(item[1]))[:2]
    words = ", ".join(f"{name} {amount:+.2f}" for name, amount in leaks)
    return f"| {direction.name} | {direction.effect or 0.0:+.2f} | {words} |"
