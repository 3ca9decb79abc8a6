"""Real GIMP 3: the server's window as it changes, help, and the mix window's offers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit

SHOW = """
def server_in_window():
    from latentfu_gimp.server_dialog import show
    follow_meanwhile()
    return show()

def ask(method, path, *document):
    from latentfu_gimp import finder
    with finder.connect() as client:
        return getattr(client, method)(path, *document)

def clipboard():
    return Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD).wait_for_text()
"""
TITLE = "'Latent-Fu server'"


class ServerWindow:
    def __init__(self, edit: Edit) -> None:
        self.edit = edit
        edit.do(SHOW)
        self.order = edit.gimp.send("value = server_in_window()")
        wait_for(lambda: "runs on port" in self.said(), "it says nothing")

    def said(self) -> str:
        return str(self.edit.look(f"said({TITLE})", ""))

    def close(self) -> None:
        self.edit.do(f"window({TITLE}).response(Gtk.ResponseType.CLOSE)")
        self.edit.gimp.answer(self.order)


@pytest.fixture
def window(edit: Edit) -> Iterator[ServerWindow]:
    window = ServerWindow(edit)
    yield window
    window.close()


def test_it_follows_the_server(window: ServerWindow, home: Path) -> None:
    """C2: what is shown is what is so, a moment later."""
    wait_for(lambda: "ready on cpu" in window.said() and "MB" in window.said(), "no worker")
    buttons = f"""[part(name, Gtk.Button, {TITLE}).is_sensitive()
        for name in ('Start', 'Stop', 'Restart')]"""
    assert window.edit.look(buttons) == [False, True, True]
    address = home / "config" / "server.json"
    aside = address.rename(address.with_suffix(".aside"))
    wait_for(lambda: "is not running" in window.said(), "it still says that it runs", 15)
    assert window.edit.look(buttons) == [True, False, False]
    aside.rename(address)
    wait_for(lambda: "runs on port" in window.said(), "it does not see that it runs", 15)
    assert "ready on cpu" in window.said()


def test_the_queue_is_shown_and_a_job_cancelled(
    window: ServerWindow, screenshots: Path | None
) -> None:
    edit = window.edit
    assert "Nothing waits" in window.said()
    edit.do("""
        import uuid
        from latentfu_gimp import finder, jobs
        from latentfu_gimp.pixels import read_layer
        names = [str(uuid.uuid4()) for _ in range(2)]
        with finder.connect() as client:
            seen = read_layer(layer)
            brighter = bytes(min(255, level + 7) for level in seen.pixels)  # not learnt yet
            seen = type(seen)(seen.width, seen.height, seen.channels, brighter)
            work = jobs.Work(seen, generator="small", inverter="slow")
            for name in names:
                asked = jobs.send_request(client, work, "invert")
                client.put(f"/v1/jobs/{name}", {**asked, "interactive": False})
    """)
    wait_for(lambda: "1 at work, 1 waiting" in window.said(), "no queue is shown", 20)
    assert "Learn a face: Learning slowly" in window.said()
    if screenshots:
        desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
        desktop.rest()
        desktop.see(desktop.window("Latent-Fu server")).save(screenshots / "gimp-server.png")
    edit.do(f"part('Cancel the job', Gtk.Button, {TITLE}).clicked()")
    wait_for(lambda: "0 waiting" in window.said(), "the first goes on", 20)
    edit.do(f"part('Cancel the job', Gtk.Button, {TITLE}).clicked()")
    wait_for(lambda: "Nothing waits" in window.said(), "the jobs go on", 20)
    states = edit.look("[ask('get', f'/v1/jobs/{name}')['state'] for name in names]")
    assert states == ["cancelled", "cancelled"]


def test_the_time_until_it_stops_is_set(window: ServerWindow, home: Path) -> None:
    """C8."""
    minutes = f"part('Minutes until it stops', Gtk.SpinButton, {TITLE})"
    wait_for(lambda: window.edit.look(f"{minutes}.is_sensitive()"), "it cannot be set")
    assert window.edit.look(f"{minutes}.get_value()") == 0.0, "one started by hand stays"
    window.edit.do(f"{minutes}.set_value(45)")
    health = "ask('get', '/v1/health')['idle_stop_minutes']"
    wait_for(lambda: window.edit.look(health) == 45.0, "the server does not know", 15)
    assert "45" in (home / "config" / "idle-stop.json").read_text()
    window.edit.do("ask('put', '/v1/idle-stop', {'minutes': 0})")
    wait_for(lambda: window.edit.look(f"{minutes}.get_value()") == 0.0, "not seen", 15)


def test_the_report_and_the_log_are_copied_without_secrets(
    window: ServerWindow, home: Path
) -> None:
    token = (home / "config" / "token").read_text().strip()
    log = home / "data" / "log" / "server.log"
    with log.open("a") as file:
        file.write(f"something that names {token}\n")
    text = f"part('Log', Gtk.TextView, {TITLE}).get_buffer().get_property('text')"
    wait_for(lambda: "something that names (token)" in window.edit.look(text), "no log", 15)
    for button in ("Copy report", "Copy log"):
        window.edit.do(f"press('{button}', {TITLE})")
        copied = window.edit.look("clipboard()")
        assert token not in copied and "something that names (token)" in copied
    window.edit.do(f"press('Copy report', {TITLE})")
    assert "Worker: ready, cpu" in window.edit.look("clipboard()")


def test_help_opens_the_page_that_is_installed(edit: Edit, share: Path) -> None:
    """F1 and the button; a browser of the test's own is told which page."""
    seen, browser = share / "opened", share / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {seen}\n')
    browser.chmod(0o755)
    entry = share / "home" / ".local" / "share" / "applications" / "browser.desktop"
    entry.parent.mkdir(parents=True, exist_ok=True)
    kinds = "MimeType=text/html;x-scheme-handler/file;"
    entry.write_text(
        f"[Desktop Entry]\nType=Application\nName=Browser\nExec={browser} %u\n{kinds}\n"
    )
    chosen = share / "home" / ".config" / "mimeapps.list"
    chosen.parent.mkdir(parents=True, exist_ok=True)
    chosen.write_text("[Default Applications]\ntext/html=browser.desktop\n")
    edit.open(edits="")
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    desktop.activate(desktop.window("Edit portrait"))
    desktop.keys("F1")
    wait_for(seen.exists, "F1 does nothing", 15)
    page = Path(seen.read_text().split()[0].removeprefix("file://"))
    text = page.read_text()
    assert page.name == "help.html" and "Edit a portrait" in text and "Soft border" in text
    edit.do("press('Help')")
    wait_for(lambda: len(seen.read_text().split()) == 2, "the button does nothing", 15)
    assert edit.look("bool(window())"), "the window stays"
