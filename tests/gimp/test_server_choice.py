"""Real GIMP 3: a server on another machine is chosen in the Server window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit
from tests.gimp.test_server_window import TITLE, ServerWindow
from tests.support.studio import Studio

CHOICE = "Choose the Latent-Fu server"
QUESTION = "any('fingerprint' in w.get_text() for w in parts(message())) if message() else False"


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    opened = Studio(tmp_path / "studio")
    yield opened
    opened.stop()


@pytest.fixture
def window(edit: Edit, home: Path) -> Iterator[ServerWindow]:
    window = ServerWindow(edit)
    yield window
    (home / "config" / "servers.json").unlink(missing_ok=True)
    window.close()


def is_open(edit: Edit) -> bool:
    return bool(edit.look(f"any(w.get_visible() and w.get_title() == {CHOICE!r} "
                          "for w in Gtk.Window.list_toplevels())"))  # fmt: skip


def test_another_machine_is_chosen_by_its_fingerprint(
    window: ServerWindow, studio: Studio, home: Path, screenshots: Path | None
) -> None:
    edit, url = window.edit, f"https://localhost:{studio.door_port}"
    kept = home / "config" / "servers.json"
    edit.do(f"press('Choose...', {TITLE})")
    wait_for(lambda: is_open(edit), "no window")
    edit.do(f"""
        part('Another machine, to which pictures are sent', Gtk.RadioButton, {CHOICE!r}
             ).set_active(True)
        part('Address', Gtk.Entry, {CHOICE!r}).set_text({url!r})
        part('Token', Gtk.Entry, {CHOICE!r}).set_text({studio.add("ana").token!r})
    """)
    see(edit, CHOICE, screenshots, "gimp-choose-server.png")
    edit.do(f"press('Use', {CHOICE!r})")
    wait_for(lambda: bool(edit.look("message() is not None")), "no question", 20)
    asked = str(edit.look("' '.join(w.get_text() for w in parts(message()) "
                          "if isinstance(w, Gtk.Label))"))  # fmt: skip
    shown = "".join(asked.split()).replace(":", "").lower()
    assert studio.fingerprint in shown and url in asked
    edit.do("message().response(Gtk.ResponseType.CANCEL)")
    wait_for(lambda: "Nothing was sent" in edit.look(f"said({CHOICE!r})"), "not refused")
    assert not kept.exists()
    edit.do(f"press('Use', {CHOICE!r})")
    wait_for(lambda: bool(edit.look("message() is not None")), "no question", 20)
    edit.do("message().response(Gtk.ResponseType.OK)")
    wait_for(kept.exists, "the choice is not kept", 20)
    wait_for(lambda: "Pictures go to" in window.said() and url in window.said(), "not said", 15)
    assert json.loads(kept.read_text())["servers"][url]["fingerprint"] == studio.fingerprint
    buttons = f"""[part(name, Gtk.Button, {TITLE}).is_sensitive()
        for name in ('Start', 'Stop', 'Restart')]"""
    assert edit.look(buttons) == [False, False, False]
    see(edit, "Latent-Fu server", screenshots, "gimp-server-elsewhere.png")
    edit.do(f"press('Choose...', {TITLE})")
    wait_for(lambda: is_open(edit), "no window")
    edit.do(f"part('This machine', Gtk.RadioButton, {CHOICE!r}).set_active(True)")
    edit.do(f"press('Use', {CHOICE!r})")
    wait_for(lambda: "runs on port" in window.said(), "it is still elsewhere", 15)


def see(edit: Edit, title: str, screenshots: Path | None, name: str) -> None:
    if screenshots:
        desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
        desktop.rest()
        desktop.see(desktop.window(title)).save(screenshots / name)
