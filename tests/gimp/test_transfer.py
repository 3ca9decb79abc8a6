"""Real GIMP 3: Make it like another layer, with and without its window, and opened again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

OPEN = """
def transfer_in_window(image, layer, **arguments):
    from latentfu_gimp.transfer_dialog import transfer_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    config = configured("latentfu-transfer", **arguments)
    try:
        name = transfer_with_dialog(image, [layer], config).get_name()
    except PluginError as error:
        name = str(error)
    return [name, config.get_property("along"), round(config.get_property("scale"), 3)]

def tick(name):
    box = part(name, Gtk.CheckButton, LIKE); box.set_active(not box.get_active())

def rows():
    return {spoken(w): w.get_active() for w in parts(window(LIKE))
            if isinstance(w, Gtk.CheckButton)}
LIKE = "Make it like"
other = Gimp.file_load_layer(
    Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(SECOND))
image.insert_layer(other, None, 0); other.set_name("Second")
"""
LIKE = "'Make it like'"
READY = f"part('Apply', Gtk.Button, {LIKE}).is_sensitive()"


@pytest.fixture
def like(edit: Edit) -> Iterator[Edit]:
    edit.do(OPEN)
    yield edit
    if edit.look(f"bool(window({LIKE}))", False):
        edit.do(f"window({LIKE}).response(Gtk.ResponseType.CANCEL)")


def open_window(like: Edit, layer: str, arguments: str = "") -> int:
    order = like.gimp.send(f"value = transfer_in_window(image, {layer}, {arguments})")
    wait_for(lambda: bool(like.look("rows()", {})), "no list of directions", 60)
    return order


def wait_ready(like: Edit) -> None:
    wait_for(lambda: like.look(READY, False), "no preview", 60)


def test_a_layer_stands_where_the_other_stands(like: Edit) -> None:
    """Measured once more by going the same way again: nothing is left to go."""
    seen = like.look("""(lambda new: [about(new), changed(layer, new)['count'],
        new.get_parent() is None, image.get_layers()[1] == new])(
        made('latentfu-transfer', image, layer, source=other, along='red tall'))""")
    state = seen[0]["state"]
    assert seen[0]["name"] == "red, tall like Second (Latent-Fu)"
    assert seen[1] > 1000 and seen[2] and seen[3]
    assert state["transfer"]["along"] == ["red", "tall"] and state["transfer"]["scale"] == 1.0
    assert all(abs(strength) > 0.01 for strength in state["edits"].values()), state["edits"]


def test_what_takes_a_picture_takes_the_other_layer(like: Edit) -> None:
    """As an edit that names the layer does; the two kinds go together, but never by a half."""
    seen = like.look("""(lambda new, edit: [about(new), changed(new, edit)['count']])(
        made('latentfu-transfer', image, layer, source=other, along='like'),
        made('latentfu-edit', image, layer, edits='like=@layer:Second'))""")
    assert seen[0]["name"] == "like like Second (Latent-Fu)" and seen[1] == 0
    both = like.look("""about(made('latentfu-transfer', image, layer, source=other,
                                   along='red like'))['state']""")
    assert list(both["edits"]) == ["red", "like"]
    assert both["edits"]["like"].startswith("@tattoo:")
    half = "attempt('latentfu-transfer', image, layer, source=other, along='like', scale=0.5)"
    assert "whole way" in like.look(half)[1]


def test_half_of_the_way_is_half_of_the_strength(like: Edit) -> None:
    whole, half = (
        like.look(f"""about(made('latentfu-transfer', image, layer, source=other, along='red',
                                 scale={scale}))['state']['edits']['red']""")
        for scale in (1.0, 0.5)
    )
    assert half == pytest.approx(whole / 2, abs=2e-4)


def test_outside_the_selection_nothing_changes_and_undo_is_one_step(like: Edit) -> None:
    like.do("image.select_rectangle(Gimp.ChannelOps.REPLACE, 170, 250, 110, 120)")
    box = like.look("""changed(layer, made('latentfu-transfer', image, layer, source=other,
                                           along='red', scale=9.0))['box']""")
    assert box[0] >= 170 and box[1] >= 250 and box[2] <= 280 and box[3] <= 370


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("along='red'", "No second layer"),
        ("source=other, along=''", "Nothing is chosen"),
        ("source=other, along='red red'", "twice"),
        ("source=other, along='nowhere'", "nowhere"),
        ("source=image.get_layers()[0], along='red', regions='auto hair'", "stand alone"),
    ],
)
def test_what_cannot_be_is_one_sentence(like: Edit, arguments: str, words: str) -> None:
    before = like.look("count(image)")
    status, text, after = like.look(f"attempt('latentfu-transfer', image, layer, {arguments})")
    assert status == "execution-error" and words in text and "\n" not in text
    assert before == after


def test_the_window_moves_what_is_ticked_as_far_as_is_said(like: Edit) -> None:
    order = open_window(like, "layer", "along=''")
    assert like.look("rows()") == {"red": False, "tall": False, "Hair like": False}
    wait_for(lambda: "Tick what" in like.look(f"said({LIKE})"), "does not say what to do")
    assert not like.look(READY)
    like.do("tick('red')")
    wait_ready(like)
    assert " to " in like.look(f"said({LIKE})"), "how far it was moved is not said"
    like.do(f"part('How far', Gtk.SpinButton, {LIKE}).set_value(1.5)")
    wait_ready(like)
    like.do(f"press('Apply', {LIKE})")
    assert like.gimp.answer(order) == ["red like Second (Latent-Fu)", "red", 1.5]
    found = like.look("about(image.get_layers()[1])['state']")
    assert found["transfer"]["scale"] == 1.5 and list(found["edits"]) == ["red"]


def test_it_is_opened_again_with_what_was_chosen(like: Edit) -> None:
    like.do(
        "first = made('latentfu-transfer', image, layer, source=other, along='tall', scale=0.5)"
    )
    like.do("first.set_opacity(60)")
    count = like.look("count(image)")
    order = open_window(like, "first")
    assert like.look(f"window({LIKE}).get_title()") == "Make it like another layer again"
    assert like.look("rows()") == {"red": False, "tall": True, "Hair like": False}
    assert like.look(f"part('How far', Gtk.SpinButton, {LIKE}).get_value()") == 0.5
    like.do("tick('red')")
    wait_ready(like)
    like.do(f"press('Apply', {LIKE})")
    assert like.gimp.answer(order)[0] == "red, tall like Second (Latent-Fu)"
    new = "[l for l in image.get_layers() if l.get_name().startswith('red, tall')][0]"
    seen = like.look(f"[count(image), first in image.get_layers(), {new}.get_opacity()]")
    assert seen == [count, False, 60.0], "it does not take the place of the earlier one"


def test_edit_portrait_opens_it_with_its_sliders_moved(like: Edit) -> None:
    """And Apply without another move gives the same bytes."""
    like.do("""
        first = made('latentfu-transfer', image, layer, source=other, along='red tall')
        before, moved = whole(first), about(first)['state']['edits']
        image.remove_layer(other)
    """)
    like.open("first")
    assert like.look("window().get_title()").startswith("Edit portrait again")
    near = "abs(number('{0}').get_value() - moved['{0}']) < 1e-4"
    assert like.look(f"[{near.format('red')}, {near.format('tall')}]") == [True, True]
    name = like.apply()
    assert name.startswith("red ") and name.endswith("(Latent-Fu)"), name
    seen = like.look("""[count(image), whole(image.get_layers()[0]) == before,
                         about(image.get_layers()[0])['state']['transfer']]""")
    assert seen == [2, True, {}]
