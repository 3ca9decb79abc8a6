"""Pictures of windows for the documentation, with the shipped network: only when asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from latentfu_builtin.people_network.sample_pictures import SAMPLES
from PIL import Image

from tests.gimp import test_mix_window, test_several, test_sweep, test_transfer
from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit, shoot

SHIPPED = "generator='', inverter=''"


@pytest.fixture
def shown(edit: Edit, screenshots: Path | None) -> Edit:
    """The portrait in a display, so that nothing of GIMP's start lies over the window."""
    if not screenshots:
        pytest.skip("no pictures are asked for (python tests/gimp/run.py --screenshots DIR)")
    edit.do("display = Gimp.Display.new(image); Gimp.displays_flush()")
    return edit


def end(edit: Edit, order: int, title: str) -> None:
    edit.do(f"window('{title}').response(Gtk.ResponseType.CANCEL)")
    edit.gimp.answer(order)
    edit.do("display.delete()")


def wait_ready(edit: Edit, title: str) -> None:
    ready = f"part('Apply', Gtk.Button, '{title}').is_sensitive()"
    wait_for(lambda: edit.look(ready, False), "never ready", 240)


def test_picture_of_transfer(shown: Edit, screenshots: Path | None) -> None:
    title = "Make it like"
    shown.do(test_transfer.OPEN)
    arguments = f"along='smile yaw', {SHIPPED}"
    order = shown.gimp.send(f"value = transfer_in_window(image, layer, {arguments})")
    wait_ready(shown, title)
    shoot(shown, title, screenshots, "gimp-like.png")
    end(shown, order, title)


def test_picture_of_mix(shown: Edit, photograph: Path, screenshots: Path | None) -> None:
    """A person of the demo with the hair of the other."""
    title = "Mix with layer"
    woman, friend = (photograph.with_name(f"{name}.png") for name in ("woman", "friend"))
    for path in (woman, friend):  # GIMP may see no other folder
        Image.open(SAMPLES / f"{path.stem}.webp").convert("RGB").save(path)
    shown.do(test_mix_window.OPEN)
    shown.do(f"""
        image = load("{woman}"); layer = image.get_layers()[0]
        other = Gimp.file_load_layer(
            Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path("{friend}"))
        image.insert_layer(other, None, 1); other.set_name("A friend")
    """)
    order = shown.gimp.send("value = mix_in_window(image, layer)")
    wait_ready(shown, title)
    shoot(shown, title, screenshots, "gimp-mix.png")
    end(shown, order, title)


def test_picture_of_sweep(shown: Edit, screenshots: Path | None) -> None:
    title = "Sweep to layers"
    shown.do(test_sweep.OPEN)
    order = shown.gimp.send(
        f"value = sweep_in_window(image, layer, control='smile', back=True, {SHIPPED})"
    )
    wait_ready(shown, title)
    shown.do(f"part('Layer', Gtk.SpinButton, '{title}').set_value(8)")
    shoot(shown, title, screenshots, "gimp-sweep.png")
    end(shown, order, title)


def test_picture_of_several(shown: Edit, screenshots: Path | None) -> None:
    title = "Edit several"
    shown.do(test_several.OPEN)
    order = shown.gimp.send(f"value = several_in_window(image, every, {SHIPPED})")
    wait_for(lambda: shown.look(f"'Smile' in said('{title}')", False), "no sliders", 120)
    boxes = f"[w for w in parts(window('{title}')) if isinstance(w, Gtk.ComboBoxText)]"
    shown.do(f"{boxes}[1].set_active_id(str(second.get_id()))")
    says = f"'edits 5 layers' in said('{title}')"
    wait_for(lambda: shown.look(says, False), "never learnt", 240)
    shown.do(f"part('Smile', Gtk.SpinButton, '{title}').set_value(2)")
    wait_ready(shown, title)
    shoot(shown, title, screenshots, "gimp-several.png")
    end(shown, order, title)
