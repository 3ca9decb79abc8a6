"""Old names say since when and until when, and none is there longer or shorter than told."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import latentfu
import pluggy
import pytest
from latentfu.core.deprecation import (
    DEPRECATIONS,
    Deprecation,
    OldNameWarning,
    find_overdue,
    old_arguments,
)
from latentfu.plugin_manager.sources import installed_sources

ROOT = Path(__file__).parents[2]


def test_none_is_overdue_at_the_newest_release() -> None:
    """At the release after the day this fails, until the old names are taken out."""
    released = re.findall(r"(?m)^## \[\d[^]]*\] - (\d{4}-\d\d-\d\d)$", ROOT.joinpath(
        "CHANGELOG.md").read_text("utf-8"))  # fmt: skip
    assert released
    assert find_overdue(latentfu.__version__, date.fromisoformat(max(released))) == []


def test_an_overdue_one_is_found() -> None:
    period = DEPRECATIONS[0].period
    everything = [each.old for each in DEPRECATIONS if each.period == period]
    last_day = period.until
    assert find_overdue("0.2.9", last_day) == []
    assert set(everything) <= set(find_overdue("0.2.9", last_day + timedelta(days=1)))
    assert set(everything) <= set(find_overdue("0.3.0", last_day))
    assert set(everything) <= set(find_overdue("0.10", last_day))


@pytest.mark.parametrize("each", DEPRECATIONS, ids=lambda each: each.old)
def test_each_has_half_a_year_and_says_the_days(each: Deprecation) -> None:
    period = each.period
    assert period.until - period.since >= timedelta(days=180)
    assert each.instead
    for said in (each.old, each.instead, str(period.since), str(period.until), period.goes_in):
        assert said in each.explain()
    assert f"| `{each.old}` | {each.instead} |" in (
        ROOT / "docs" / "reference" / "python.md"
    ).read_text("utf-8")


def test_every_old_public_name_is_in_the_table() -> None:
    names = {*vars(latentfu)["_RENAMED"], *vars(latentfu)["_NEEDLESS"]}
    old = {each.old for each in DEPRECATIONS if each.old.startswith("latentfu.")}
    assert old == {f"latentfu.{name}" for name in names}


def test_an_old_argument_of_a_hook_warns_and_still_comes() -> None:
    old = Deprecation("latentfu_pots(kiln)", "latentfu_pots(oven)")

    class Hooks:
        @pluggy.HookspecMarker("latentfu")(warn_on_impl_args=old_arguments("latentfu_pots", (old,)))
        def latentfu_pots(self, oven: str, kiln: str) -> None: ...

    class Plugin:
        @latentfu.hookimpl
        def latentfu_pots(self, kiln: str) -> str:
            return kiln

    manager = pluggy.PluginManager("latentfu")
    manager.add_hookspecs(Hooks)
    with pytest.warns(OldNameWarning, match=r"latentfu_pots\(oven\) since latentfu 0.2 \(2026-"):
        manager.register(Plugin())
    assert manager.hook.latentfu_pots(oven="hot", kiln="hot") == ["hot"]


def test_doctor_names_the_old_names_of_a_plug_in(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = isolated_home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "elderly.py").write_text(_ELDERLY)
    others = [source.name for source in installed_sources()]  # each costs doctor a process
    monkeypatch.setenv("LATENTFU_DISABLED_PLUGINS", ",".join(others))
    command = [sys.executable, "-m", "latentfu", "plugins", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "latentfu.Mover is called latentfu.ControlEffect since latentfu 0.2" in done.stdout
    assert f"works until {DEPRECATIONS[0].period.until}" in done.stdout


_ELDERLY = """
import latentfu

class Twice(latentfu.Mover):
    def apply(self, latent, strength, generator):
        return latent

@latentfu.hookimpl
def latentfu_controls(generator):
    return []
"""
