"""The step that measures the network and writes the figures into its card."""

from __future__ import annotations

from pathlib import Path

import latentfu
from latentfu import Progress, write_whole

from latentfu_portraits.rebuild import docs_folder

SAMPLES, SEED = 2000, 1000


def build_figures(folder: Path | None, progress: Progress) -> None:
    """``latentfu evaluate portraits``, into docs/portraits.md (or ``folder``/figures.json)."""
    from latentfu_portraits.evaluate.report import Question, as_json, evaluate, into_card
    from latentfu_portraits.plugin import NAME, scorer_network, taught

    generator = latentfu.open_generator(NAME)
    question = Question(generator, taught, scorer_network("cpu"), SAMPLES, SEED)
    found = evaluate(question, progress)
    docs = docs_folder(folder)
    write_whole(docs / "images" / "portraits-figures.json", as_json(found).encode())
    if folder is None:
        into_card(docs / "portraits.md", found)
