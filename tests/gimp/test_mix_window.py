"""Real GIMP 3: the window of Mix with layer offers what the network has, and opens again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit
from tests.gimp.test_regions import BACKGROUND, HAIR

OPEN = """
def mix_in_window(image, layer, **arguments):
    from latentfu_gimp.mix_dialog import mix_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    try:
        return mix_with_dialog(image, [layer], configured("latentfu-mix", **arguments)).get_name()
    except PluginError as error:
        return str(error)

def spins():
    return [w for w in parts(window("Mix with layer"))
            if isinstance(w, Gtk.SpinButton) and not spoken(w)]

def choice(number):
    boxes = [w for w in parts(window("Mix with layer")) if isinstance(w, Gtk.ComboBoxText)]
    return boxes[number]

def rows(box):
    return [row[0] for row in box.get_model()]
other = Gimp.file_load_layer(
    Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(SECOND))
image.insert_layer(other, None, 0); other.set_name("Second")
third = other.copy(); image.insert_layer(third, None, 0); third.set_name("Third")
"""
MIX = "'Mix with layer'"
LEVELS = """
def levels(drawable, x, y, width, height):
    rectangle = Gegl.Rectangle.new(x, y, width, height)
    data = bytes(drawable.get_buffer().get(rectangle, 1.0, "Y u8", Gegl.AbyssPolicy.NONE))
    return sum(data) / len(data)
"""
CHEEK = "125, 110, 12, 12"
READY = f"part('Apply', Gtk.Button, {MIX}).is_sensitive()"


@pytest.fixture
def mix(edit: Edit) -> Iterator[Edit]:
    edit.do(OPEN)
    yield edit
    if edit.look(f"bool(window({MIX}))", False):
        edit.do(f"window({MIX}).response(Gtk.ResponseType.CANCEL)")


def test_only_layers_that_the_network_has_are_offered(mix: Edit) -> None:
    """C3: the network of 16 px has six; 4-17 were what the last one had."""
    order = mix.gimp.send("value = mix_in_window(image, layer, layers='4-17')")
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    assert mix.look("[[int(v) for v in spin.get_range()] for spin in spins()]") == [[0, 5], [0, 5]]
    assert mix.look("[spin.get_value_as_int() for spin in spins()]") == [4, 5]
    assert "Hair and colors" in mix.look("rows(choice(1))")
    mix.do("[choice(1).set_active_id('Pose and shape')]")
    assert mix.look("[spin.get_value_as_int() for spin in spins()]") == [0, 0]
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    mix.do(f"press('Apply', {MIX})")
    assert mix.gimp.answer(order) == "0-0 of Third (Latent-Fu)"


def test_a_mix_is_opened_again_with_its_source_and_layers(mix: Edit) -> None:
    """C3: it takes the place of the earlier one; a name that the user gave stays."""
    mix.do("first = made('latentfu-mix', image, layer, source=other, layers='1-2', feather=0.0)")
    mix.do("first.set_opacity(60)")
    count = mix.look("count(image)")
    order = mix.gimp.send("value = mix_in_window(image, first)")
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    assert mix.look(f"window({MIX}).get_title()") == "Mix with layer again"
    assert mix.look("choice(0).get_active_id() == str(other.get_id())")
    assert mix.look("[spin.get_value_as_int() for spin in spins()]") == [1, 2]
    mix.do("spins()[1].set_value(3)")
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    mix.do(f"press('Apply', {MIX})")
    assert mix.gimp.answer(order) == "1-3 of Second (Latent-Fu)"
    seen = mix.look("[count(image), not first.is_valid() or first not in image.get_layers()]")
    assert seen == [count, True]
    new = "[l for l in image.get_layers() if l.get_name().startswith('1-3')][0]"
    assert mix.look(f"[{new}.get_opacity(), about({new})['state']['mix']['layers']]") == [
        60.0,
        [1, 3],
    ]


def test_hair_is_taken_at_once_and_network_layers_when_asked_for(
    mix: Edit, photograph: Path
) -> None:
    """No face is learnt for the hair; it is opened again with it, and can be another thing."""
    mix.do(LEVELS + f'image = load("{photograph}"); layer = image.get_layers()[0]')
    mix.do("""
        dark = layer.copy(); image.insert_layer(dark, None, 0); dark.set_name("Dark")
        dark.brightness_contrast(-0.5, 0.0); dark.transform_flip_simple(0, True, 0.0)
    """)
    order = mix.gimp.send("value = mix_in_window(image, layer)")
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    assert mix.look("choice(1).get_active_id()") == "hair"
    assert "The hair" in mix.look("rows(choice(1))")
    assert mix.look("[spin.is_sensitive() for spin in spins()]") == [False, False]
    mix.do(f"press('Apply', {MIX})")
    assert mix.gimp.answer(order) == "hair of Dark (Latent-Fu)"
    new = "[l for l in image.get_layers() if l.get_name().startswith('hair')][0]"
    seen = mix.look(
        f"[[levels(each, {HAIR}), levels(each, {BACKGROUND}), levels(each, {CHEEK})] "
        f"for each in (layer, {new})]"
    )
    assert seen[1][0] < seen[0][0] - 10 and seen[1][1:] == seen[0][1:], seen
    assert mix.look(f"about({new})['state']['mix']['regions']") == ["hair"]
    order = mix.gimp.send(f"value = mix_in_window(image, {new})")
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    assert mix.look("choice(1).get_active_id()") == "hair"
    mix.do("[choice(1).set_active_id('Pose and shape')]")
    wait_for(lambda: mix.look("spins()[0].is_sensitive()"), "no network layers", 60)
    wait_for(lambda: mix.look(READY, False), "no preview", 60)
    assert mix.look("[spin.get_value_as_int() for spin in spins()]") == [0, 0]
    mix.do(f"press('Apply', {MIX})")
    assert mix.gimp.answer(order) == "0-0 of Dark (Latent-Fu)"


def test_a_region_that_the_other_layer_lacks_is_said(mix: Edit, photograph: Path) -> None:
    mix.do(f'image = load("{photograph}"); layer = image.get_layers()[0]')
    mix.do("other = layer.copy(); image.insert_layer(other, None, 0)")
    order = mix.gimp.send("value = mix_in_window(image, layer, regions='hat')")
    wait_for(lambda: "no hat" in mix.look(f"said({MIX})", ""), "not said", 60)
    assert not mix.look(READY)
    mix.do(f"window({MIX}).response(Gtk.ResponseType.CANCEL)")
    mix.gimp.answer(order)
