"""Networks... in real GIMP: installed with agreement, paused, resumed, chosen, removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit
from tests.gimp.gimp import Gimp
from tests.support.bundle_world import GRIN, NETWORK, BundleWorld
from tests.support.downloads_server import Reply, serving

SHOW = """
def networks_in_window():
    from latentfu_gimp.networks_dialog import show_networks
    follow_meanwhile()
    return show_networks()

def later(label):
    GLib.idle_add(lambda: press(label, 'Latent-Fu networks') and False)

def in_message(label):
    return [one for one in parts(message()) if spoken(one) == label][0]

def has(label):
    try:
        return bool(part(label, Gtk.Button, 'Latent-Fu networks'))
    except LookupError:
        return False
"""
TITLE = "'Latent-Fu networks'"


@pytest.fixture
def world(home: Path) -> Iterator[BundleWorld]:
    with serving(NETWORK) as network, serving(GRIN) as grin:
        made = BundleWorld(home, network, grin)
        made.offer()
        for name in ("agreed.json", "hashes.json"):
            (home / "config" / name).unlink(missing_ok=True)
        yield made
    for name in ("networks.toml", "bundles.toml"):
        (home / "data" / name).unlink()


class NetworksWindow:
    def __init__(self, edit: Edit) -> None:
        self.edit = edit
        edit.do(SHOW)
        self.order = edit.gimp.send("value = networks_in_window()")
        self.wait("Installed")

    def said(self) -> str:
        return str(self.edit.look(f"said({TITLE})", ""))

    def wait(self, words: str, seconds: float = 90) -> None:
        wait_for(lambda: words in self.said(), f"{words!r} is not said: {self.said()}", seconds)

    def wait_button(self, label: str) -> None:
        wait_for(
            lambda: self.edit.look(f"has('{label}') and not 'Looking for' in said({TITLE})"),
            f"no button {label!r}: {self.said()}",
            90,
        )

    def close(self) -> str:
        self.edit.do(f"window({TITLE}).response(Gtk.ResponseType.CLOSE)")
        return str(self.edit.gimp.answer(self.order))


@pytest.fixture
def window(edit: Edit, world: BundleWorld) -> Iterator[NetworksWindow]:
    window = NetworksWindow(edit)
    yield window
    window.close()


def test_a_network_is_agreed_to_paused_resumed_chosen_and_removed(
    window: NetworksWindow, world: BundleWorld, screenshots: Path | None
) -> None:
    edit, half = window.edit, len(NETWORK) // 2
    # Whoever asks again, because nothing comes, gets nothing either.
    world.network.replies = [Reply(after=half, stall=600.0), *[Reply(after=0, stall=600.0)] * 9]
    assert "Small faces" in window.said() and "no commercial use" in window.said()
    edit.do("later('Install small')")
    wait_for(lambda: edit.look("bool(message())"), "nothing is asked")
    asked = edit.look("' | '.join(w.get_text() for w in parts(message()) "
                      "if isinstance(w, Gtk.Label))")  # fmt: skip
    assert "e4e.pt: CC BY-NC 4.0, no commercial use" in asked and "grin.npy: MIT" in asked
    assert "encoder" in asked and "https://example.org/terms" in asked
    assert edit.look("in_message('Install').is_sensitive()") is False
    assert world.network.asked == []
    if screenshots:
        shoot(edit, "", screenshots / "gimp-networks-terms.png")
    edit.do("in_message('I agree to these terms').set_active(True)")
    edit.do("in_message('Install').clicked()")
    window.wait_button("Pause small")
    bar = f"part('Progress of small', Gtk.ProgressBar, {TITLE}).get_text()"
    wait_for(
        lambda: bool(re.search(r"\d of \d MB", str(edit.look(bar, "")))),
        f"no bytes: {edit.look(bar, '')}",
        60,
    )
    if screenshots:
        shoot(edit, "Latent-Fu networks", screenshots / "gimp-networks.png")
    edit.do(f"press('Pause small', {TITLE})")
    window.wait("what has come of small is kept")
    window.wait_button("Resume small")
    assert not (world.home / "data" / "generators" / "tiny.safetensors").exists()
    world.network.replies = []
    edit.do(f"press('Resume small', {TITLE})")
    window.wait("tiny is installed, its encoder and the directions grin.", 180)
    assert world.network.asked[-1][1] == f"bytes={half}-"
    window.wait("tiny is the default network now")
    window.wait_button("Set as default portraits")
    edit.do(f"press('Set as default portraits', {TITLE})")
    window.wait("portraits is the default network.")
    window.wait_button("Remove small")
    for answer, stays in (("Cancel", True), ("Remove", False)):
        edit.do("later('Remove small')")
        wait_for(lambda: edit.look("bool(message())"), "nothing is asked")
        edit.do(f"in_message('{answer}').clicked()")
        wait_for(lambda: not edit.look("bool(message())"), "the question stays")
        if not stays:
            window.wait("Removed small")
        assert (world.home / "data" / "generators" / "tiny.safetensors").exists() is stays
    window.wait_button("Install small")


def test_a_search_shows_what_has_all_words(window: NetworksWindow) -> None:
    edit = window.edit
    assert "Single networks" in window.said()
    search = f"part('Search networks', Gtk.SearchEntry, {TITLE})"
    edit.do(f"{search}.set_text('encoder directions')")
    wait_for(lambda: "Single networks" not in window.said(), "the others stay")
    assert "Photographs of faces" in window.said() and "Small faces" not in window.said()
    edit.do(f"{search}.set_text('')")
    wait_for(lambda: "Single networks" in window.said(), "they do not come back")


def test_plugins_are_switched_and_say_why_they_are_set_aside(
    window: NetworksWindow, home: Path, screenshots: Path | None
) -> None:
    edit = window.edit
    broken = home / "config" / "plugins" / "broken.py"
    broken.write_text("raise ValueError('teapot')\n")
    try:
        edit.do("""
            from latentfu_gimp import finder
            def pages():
                return [w for w in parts(window('Latent-Fu networks'))
                        if isinstance(w, Gtk.Notebook)][0]
            pages().set_current_page(1)
        """)
        switch = f"part('Use faces_world', Gtk.Switch, {TITLE})"
        wait_for(lambda: edit.look(f"{switch}.get_active()") is True, "no switch")
        if screenshots:
            shoot(edit, "Latent-Fu networks", screenshots / "gimp-plugins.png")
        edit.do(f"{switch}.set_active(False)")
        window.wait("The plug-in faces_world is off.")
        assert edit.look(f"{switch}.get_active()") is False
        assert "faces_world" in (home / "config" / "plugins.json").read_text()
        edit.do(f"{switch}.set_active(True)")
        window.wait("The plug-in faces_world is on.")
        assert edit.look(f"{switch}.get_active()") is True
        wait_for(lambda: reopened(window), "the broken one is not named", 120)
    finally:
        broken.unlink()


def reopened(window: NetworksWindow) -> bool:
    """Whether the list, asked anew, says why the broken plug-in is set aside."""
    window.edit.do("""
        from latentfu_gimp import networks_state
        told = [networks_state.describe_plugin(one)
                for one in networks_state.read_networks().plugins if one['name'] == 'broken']
    """)
    told = window.edit.look("told")
    return bool(told) and "set aside: " in told[0] and "teapot" in told[0]


def shoot(edit: Edit, title: str, path: Path) -> None:
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    desktop.rest()
    desktop.see(desktop.window(title) if title else "root").save(path)


def test_the_procedure_lists_installs_chooses_and_removes(gimp: Gimp, world: BundleWorld) -> None:
    def ask(**arguments: object) -> list[str]:
        found = gimp.run(f"""
            procedure = Gimp.get_pdb().lookup_procedure("latentfu-networks")
            config = procedure.create_config()
            for key, argument in {arguments!r}.items():
                config.set_property(key, argument)
            values = procedure.run(config)
            value = [values.index(0).value_nick, str(values.index(1))]
        """)
        return [str(part) for part in found]

    status, told = ask(action="list")
    assert status == "success"
    assert "small · Small faces · tiny · 64 px" in told and "portraits" in told
    refused = ask(action="install", name="small")
    assert refused[0] == "execution-error" and "terms of small are new" in refused[1]
    assert world.network.asked == []
    status, told = ask(action="install", name="small", agreed=True)
    assert status == "success" and "tiny is installed, its encoder" in told
    assert ask(action="default", name="nobody")[0] == "execution-error"
    assert ask(action="default", name="small") == ["success", "small is the default network."]
    assert ask(action="default", name="tiny") == ["success", "tiny is the default network."]
    told = ask(action="default", name="portraits")  # As other tests find it.
    assert told == ["success", "portraits is the default network."]
    assert "Removed small" in ask(action="remove", name="small")[1]
    assert ask(action="remove")[0] == "execution-error"
    assert ask(action="plug-in-off", name="nobody")[0] == "execution-error"
