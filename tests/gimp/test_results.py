"""Real GIMP 3: what a result becomes: a layer, one with a mask, a group."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

SELECT = "image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 150, 180, 200)"
LEVELS = """
def level(drawable, x, y):
    data = drawable.get_buffer().get(Gegl.Rectangle.new(x, y, 1, 1), 1.0, "Y u8",
                                     Gegl.AbyssPolicy.NONE)
    return bytes(data)[0]

def paint(drawable, x, y, value):
    buffer = drawable.get_buffer()
    buffer.set(Gegl.Rectangle.new(x, y, 20, 20), "Y u8", bytes([value]) * 400); buffer.flush()

def shown(image):
    flat = image.duplicate(); pixels = whole(flat.flatten()); flat.delete()
    return pixels

def farthest(one, other, free):
    # Where the free edit is black or white a part of it is no part of the change.
    return max(abs(a - b) for a, b, c in zip(one, other, free, strict=True) if 0 < c < 255)
"""
SECOND_LAYER = """
other = Gimp.file_load_layer(
    Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(SECOND))
image.insert_layer(other, None, 1); other.set_name("Second"); layer = image.get_layers()[0]
"""
MASKED = "**{'as': 'masked'}"
CALLS = {
    "edit": "'latentfu-edit', image, layer, edits='red=2'",
    "mix": "'latentfu-mix', image, layer, source=other, layers='0-5'",
    "transfer": "'latentfu-transfer', image, layer, source=other, along='red', scale=3.0",
}


def test_the_selection_becomes_a_mask_that_can_be_painted_on(edit: Edit) -> None:
    """Below the mask the whole edit is there: white paint on the mask shows more of it."""
    edit.do(SELECT + LEVELS)
    edit.open(edits="")
    edit.do("""
        box = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)][-1]
        box.set_active_id("masked"); number("red").set_value(3); number("Soft border").set_value(6)
    """)
    name = edit.apply()
    edit.do("new = image.get_layers()[0]; mask = new.get_mask()")
    assert name == "red +3 (Latent-Fu)" and edit.look("mask is not None")
    seen = edit.look("[level(mask, 240, 250), level(mask, 40, 40), level(mask, 152, 250)]")
    assert seen[0] == 255 and seen[1] == 0 and 5 < seen[2] < 250, "soft at its edge"
    box = edit.look("changed(layer, new)['box']")
    assert box[0] < 140 and box[3] > 360, "the pixels are those of the whole edit"
    state = edit.look("about(new)['state']")
    assert state["form"] == "masked" and state["mask"] and state["limits_sha256"]


@pytest.mark.parametrize("kind", CALLS)
def test_masked_it_looks_as_the_plain_layer_does(edit: Edit, kind: str) -> None:
    """Whatever made it, at the soft edge too."""
    edit.do(SELECT + LEVELS + SECOND_LAYER)
    call = CALLS[kind]
    edit.do(f"""
        plain = made({call}); first = shown(image); image.remove_layer(plain)
        masked = made({call}, {MASKED})
    """)
    assert edit.look("[masked.get_mask() is not None, about(masked)['state']['form']]") == [
        True,
        "masked",
    ]
    assert edit.look("changed(layer, masked)['box'][0]") < 140
    assert edit.look("farthest(first, shown(image), whole(masked))") <= 2


def test_the_regions_of_an_edit_become_the_mask(edit: Edit, photograph: Path) -> None:
    edit.do(LEVELS + f"image = load('{photograph}'); layer = image.get_layers()[0]")
    call = (
        "made('latentfu-edit', image, layer, edits='hair_lightness=-3', regions='hair',"
        " generator='', inverter=''"
    )
    edit.gimp.run(f"new = {call}, {MASKED}); plain = {call})", 300)
    seen = edit.look("[level(new.get_mask(), 150, 42), level(new.get_mask(), 270, 50)]")
    assert seen[0] > 200 and seen[1] < 20, "the hair, and not the background"
    free, limited = edit.look("[changed(layer, one)['count'] for one in (new, plain)]")
    assert free > 1.2 * limited, "white paint on the mask shows more of the edit"


def test_all_white_where_nothing_limits_it(edit: Edit) -> None:
    edit.do(LEVELS + f"new = made('latentfu-edit', image, layer, edits='red=2', {MASKED})")
    assert edit.look("set(whole(new.get_mask())) == {255}")


def test_nothing_that_the_mask_lets_through_is_no_layer(edit: Edit) -> None:
    edit.do("image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 3, 3)")
    status, text, count = edit.look(
        f"attempt('latentfu-edit', image, layer, edits='red=2', feather=0.0, {MASKED})"
    )
    assert status == "execution-error" and text.startswith("No pixel changed") and count == 1


@pytest.mark.parametrize("painted", [False, True])
def test_opened_again_paint_on_the_mask_stays(edit: Edit, painted: bool) -> None:
    """With another selection: what was painted stays, the rest follows the new selection."""
    edit.do(SELECT + LEVELS)
    edit.do(f"new = made('latentfu-edit', image, layer, edits='red=2', feather=0.0, {MASKED})")
    if painted:
        edit.do("paint(new.get_mask(), 10, 10, 255); paint(new.get_mask(), 200, 200, 0)")
    edit.do("image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 150, 100, 300)")
    edit.open("new", feather=0.0)
    edit.do("number('red').set_value(3)")
    edit.apply()
    edit.do("again = image.get_layers()[0]; mask = again.get_mask()")
    assert edit.look("[count(image), about(again)['state']['edits']]") == [2, {"red": 3.0}]
    seen = edit.look(
        "[level(mask, x, y) for x, y in ((15, 15), (205, 205), (300, 200), (200, 420))]"
    )
    assert seen == ([255, 0, 0, 255] if painted else [0, 255, 0, 255])


def test_a_mask_of_the_users_own_stays(edit: Edit) -> None:
    """Given to a plain result: it is not taken for one of ours, and the edit is limited itself."""
    edit.do(SELECT + LEVELS)
    edit.do("""
        new = made('latentfu-edit', image, layer, edits='red=2', feather=0.0)
        new.add_mask(new.create_mask(Gimp.AddMaskType.BLACK))
    """)
    edit.open("new")
    edit.do("""
        box = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)][-1]
        box.set_active_id("masked"); number("red").set_value(3)
    """)
    edit.apply()
    edit.do("again = image.get_layers()[0]")
    assert edit.look("set(whole(again.get_mask())) == {0}")
    assert edit.look("changed(layer, again)['box']") == [150, 150, 330, 350]


def test_a_layer_with_a_mask_is_offered_no_second_one(edit: Edit) -> None:
    """It comes with the result; where the window would offer one more, nothing would come of it."""
    edit.do("layer.add_mask(layer.create_mask(Gimp.AddMaskType.WHITE))")
    edit.open(**{"as": "masked"})
    edit.do("box = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)][-1]")
    assert edit.look("[row[0] for row in box.get_model()]") == ["A layer", "A group with a layer"]
    edit.do("number('red').set_value(3)")
    edit.apply()
    assert edit.look("image.get_layers()[0].get_mask() is not None")


def test_a_mask_becomes_a_plain_layer_again(edit: Edit) -> None:
    edit.do(SELECT + f"; new = made('latentfu-edit', image, layer, edits='red=2', {MASKED})")
    edit.open("new")
    edit.do("""
        box = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)][-1]
        box.set_active_id("layer"); number("red").set_value(3)
    """)
    edit.apply()
    seen = edit.look("[image.get_layers()[0].get_mask() is None, count(image)]")
    assert seen == [True, 2]
    box = edit.look("changed(layer, image.get_layers()[0])['box']")
    assert box[0] >= 150 and box[1] >= 150 and box[2] <= 330 and box[3] <= 350


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("selected", [False, True])
def test_a_group_is_named_after_the_edit(edit: Edit, kind: str, selected: bool) -> None:
    edit.do(SECOND_LAYER)
    if selected:
        edit.do(SELECT)
    edit.do(f"new = made({CALLS[kind]}, **{{'as': 'group'}})")
    seen = edit.look("""[image.get_layers()[0].is_group(), image.get_layers()[0].get_name(),
        new.get_parent() == image.get_layers()[0], count(image), new.get_mask() is None]""")
    name = {"edit": "red +2", "mix": "0-5 of Second", "transfer": "red like Second"}[kind]
    assert seen == [True, f"{name} (Latent-Fu)", True, 3, True]


MIXING = """
def mix_again(image, layer, **arguments):
    from latentfu_gimp.mix_dialog import mix_with_dialog
    follow_meanwhile()
    return mix_with_dialog(image, [layer], configured("latentfu-mix", **arguments)).get_name()
"""
MIX = "'Mix with layer'"


def test_a_painted_mix_is_asked_about_and_keeps_its_mask(edit: Edit) -> None:
    """Opened again it is masked as before; New layer leaves the painted one alone."""
    edit.do(SELECT + LEVELS + SECOND_LAYER + MIXING)
    edit.do(f"new = made({CALLS['mix']}, {MASKED}); paint(new, 20, 20, 0); old = whole(new)")
    order = edit.gimp.send("value = mix_again(image, new)")
    ready = f"part('Apply', Gtk.Button, {MIX}).is_sensitive()"
    wait_for(lambda: edit.look(ready, False), "no preview", 60)
    edit.do(f"GLib.idle_add(lambda: press('Apply', {MIX}) and False)")
    wait_for(lambda: edit.look("bool(message())"), "nothing is asked")
    answers = edit.look("[spoken(b) for b in parts(message()) if isinstance(b, Gtk.Button)]")
    assert "Keep the paint" not in answers and "New layer" in answers
    edit.do("[b for b in parts(message()) if spoken(b) == 'New layer'][0].clicked()")
    edit.gimp.answer(order)
    edit.do("again = image.get_layers()[0]")
    seen = edit.look("[count(image), whole(new) == old, level(again.get_mask(), 240, 250)]")
    assert seen == [4, True, 255]
