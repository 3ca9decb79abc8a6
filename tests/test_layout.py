"""The tests' own order."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import DOCS_FILES, SLOW_FILES

HERE = Path(__file__).parent
FILES = sorted(HERE.rglob("test_*.py"))


def test_files_that_are_marked_by_name_are_there() -> None:
    assert {*SLOW_FILES, *DOCS_FILES} <= {path.name for path in FILES}


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in FILES}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
