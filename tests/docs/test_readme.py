"""What the README and the docs tell people to type is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from latentfu.cli.main import program

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("[he]*/*.md")]
TEXTS = [README, *(page.read_text(encoding="utf-8").replace("\\\n", " ") for page in PAGES)]
COMMANDS = sorted({line for t in TEXTS for line in re.findall(r"^ {4,8}(latentfu .+)$", t, re.M)})
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_and_its_options_exist(line: str) -> None:
    words = shlex.split(line)[1:]
    names = [word for word in words if re.fullmatch("[a-z][a-z-]*", word)][:2]
    options = [word for word in words if word.startswith("-")]
    # A help page proves that the command is there; wrong use exits with 2.
    for depth in (2, 1):
        shown = CliRunner().invoke(program, [*names[:depth], "--help"])
        if shown.exit_code == 0:
            break
    assert shown.exit_code == 0, shown.output
    for option in options:
        assert re.search(rf"{re.escape(option)}\b", shown.output), f"{option} in {line}"


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_the_plug_in_of_the_readme_is_one(tmp_path: Path) -> None:
    plug_in = next(snippet for snippet in SNIPPETS if "hookimpl" in snippet)
    folder = tmp_path / "config/plugins"
    folder.mkdir(parents=True)
    (folder / "typical.py").write_text(plug_in)
    done = subprocess.run(
        [sys.executable, "-m", "latentfu", "plugins", "list", "--json"],
        env={**os.environ, "LATENTFU_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r'"name": "typical",[^}]*"state": "ok"', done.stdout), done.stdout
