"""What is made from the portraits' weights: a step of ``latentfu build portraits`` each."""

from __future__ import annotations

from pathlib import Path

from latentfu import BadInputError


def docs_folder(out: Path | None) -> Path:
    """``out``, or the documentation of the source tree that this package runs from.

    BadInputError where there is no such tree, as in an installed wheel.
    """
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        return out
    docs = Path(__file__).parents[4] / "docs"
    if not (docs / "explanation" / "portraits.md").is_file():
        raise BadInputError("There is no documentation beside this package: give --out FOLDER.")
    return docs
