"""The reference files are those that were made with the original code."""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent
DATA = {".npz", ".pkl", ".pt", ".pth"}


def test_every_file_is_listed_and_is_what_it_was() -> None:
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    sums = {name: number for number, name in (line.split("  ", 1) for line in lines)}
    there = {p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("*") if p.suffix in DATA}
    assert there <= set(sums) and len(there) > 30
    for name, number in sums.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == number, name


def test_every_folder_says_what_it_holds() -> None:
    for data in FOLDER.rglob("expected.npz"):
        assert (data.parent / "README.md").read_text().startswith("# ")
