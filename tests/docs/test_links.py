"""Every relative link and picture of the docs leads to a file, and its anchor to a heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*/*.md")])
LINK = re.compile(r"\]\(((?!https?:|mailto:)[^)\s]*)\)")


def text_without_code(page: Path) -> str:
    """What is read as Markdown: indented and fenced code has no links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", lambda code: code[0].replace("](", "] ("), text)


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", text_without_code(page), re.M)
    kept = (re.sub(r"[^\w\- ]", "", line.lower()) for line in lines)
    return {line.strip().replace(" ", "-") for line in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    missing = []
    for link in LINK.findall(text_without_code(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            missing.append(link)
    assert not missing


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached, waiting = set(), [index]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        paths = [link.partition("#")[0] for link in LINK.findall(text_without_code(page))]
        waiting += [(page.parent / path).resolve() for path in paths if path]
    assert {page for page in PAGES if ROOT / "docs" in page.parents} <= reached


def test_paths_of_pages_in_code_are_right() -> None:
    folders = ("server", "plugins", "gimp_plugin", "tests", "examples", "docs")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = {
        (source.name, path)
        for source in sources
        if source != Path(__file__)
        for path in re.findall(r"docs/[\w./-]+\.md", source.read_text(encoding="utf-8"))
    }
    assert not [path for path in named if not (ROOT / path[1]).exists()]


def test_every_tick_of_the_comparison_names_tests_that_exist() -> None:
    page = (ROOT / "docs/explanation/plug-ins-and-others.md").read_text(encoding="utf-8")
    header, _, *rows = (line for line in page.splitlines() if line.startswith("|"))
    columns = header.split(" | ")
    here, how, shown = (columns.index(name) for name in ("here", "how", "shown by |"))
    assert len(rows) >= 18
    for row in rows:
        cells = row.split(" | ")
        assert cells[here] in ("✓", "partly") and cells[how], row
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", cells[shown])
        assert named and len(named) == cells[shown].count("`tests/"), row
        for path, name in named:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"
