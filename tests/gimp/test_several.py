"""Real GIMP 3: Edit several layers, with and without its window."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

OPEN = """
def several(image, layers, **arguments):
    arguments = {**SMALL, "generator": "picky", **arguments}
    procedure = Gimp.get_pdb().lookup_procedure("latentfu-several")
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", layers)
    for key, argument in arguments.items():
        config.set_property(key, argument)
    values = procedure.run(config)
    return [values.index(n) if n else values.index(0).value_nick for n in range(values.length())]

def several_in_window(image, layers, **arguments):
    from latentfu_gimp.several_dialog import edit_several_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    config = configured("latentfu-several", **{"generator": "picky", **arguments})
    try:
        batch = edit_several_with_dialog(image, layers, config)
    except PluginError as error:
        return [0, str(error), config.get_property("edits")]
    return [batch.edited, batch.tell(), config.get_property("edits")]

def names(image):
    return [l.get_name() for l in image.get_layers()]

def add(name, path=SECOND):
    new = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path))
    image.insert_layer(new, None, 0); new.set_name(name)
    return new
layer.set_name("First"); second = add("Second"); even = add("Even")
even.fill(Gimp.FillType.WHITE)
group = Gimp.GroupLayer.new(image, "Group"); image.insert_layer(group, None, 0)
inside = layer.copy(); inside.set_name("Inside"); image.insert_layer(inside, group, 0)
text = Gimp.TextLayer.new(image, "Words", Gimp.context_get_font(), 20, Gimp.Unit.pixel())
image.insert_layer(text, None, 0)
every = [text, group, even, second, layer]
SEVERAL = "Edit several"
"""
SEVERAL = "'Edit several'"
READY = f"part('Apply', Gtk.Button, {SEVERAL}).is_sensitive()"


@pytest.fixture
def several(edit: Edit) -> Iterator[Edit]:
    edit.do("for one in Gimp.get_images():\n    if one != image: one.delete()")
    edit.do(OPEN)
    yield edit
    if edit.look(f"bool(window({SEVERAL}))", False):
        edit.do(f"window({SEVERAL}).response(Gtk.ResponseType.CANCEL)")
    edit.do("for one in Gimp.get_images():\n    if one != image: one.delete()")


def test_the_selected_layers_in_one_undo_step(several: Edit) -> None:
    """A group, a text and a layer without a face are left out and named, a sentence each."""
    seen = several.do("""
        alone = made("latentfu-edit", image, layer, edits="red=2", generator="picky")
        wanted = whole(alone); image.remove_layer(alone)
        status, many, report = several(image, every, edits="red=2")
        layers = names(image)
        value = {"status": status, "count": many, "report": report, "names": layers,
                 "same": whole(image.get_layers()[-2]) == wanted,
                 "state": about(image.get_layers()[-2])["state"]["edits"]}
    """)
    assert seen["status"] == "success" and seen["count"] == 2
    assert seen["same"], "it is not what a single edit makes"
    assert seen["state"] == {"red": 2.0}
    made = "red +2 (Latent-Fu)"
    found = [made if name.startswith(made) else name for name in seen["names"]]
    assert found == ["Words", "Group", "Even", made, "Second", made, "First"]
    first, *rest = seen["report"].split("\n")
    assert first == "2 layers edited."
    told = dict(line.split(": ", 1) for line in rest)
    assert "rasterize" in told["Words"] and "layer inside it" in told["Group"]
    assert "No face is found" in told["Even"]


def test_all_layers_of_the_image_reach_into_groups_and_leave_results_out(several: Edit) -> None:
    seen = several.do("""
        several(image, [layer], edits="red=2")
        status, many, report = several(image, [], which="image", edits="tall=1")
        value = [many, [l.get_name() for l in group.get_children()], report]
    """)
    assert seen[0] == 3, seen[2]
    assert [name.partition(" #")[0] for name in seen[1]] == ["tall +1 (Latent-Fu)", "Inside"]
    assert "red" not in seen[2], "a result was edited"


def test_all_open_images_with_their_own_selections(several: Edit) -> None:
    seen = several.do("""
        other = load(SECOND); theirs = other.get_layers()[0]
        other.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 150, 90, 80)
        status, many, report = several(image, [], which="all", edits="red=3")
        value = [many, len(other.get_layers()),
                 changed(theirs, other.get_layers()[0])["box"], report]
    """)
    assert seen[0] == 4 and seen[1] == 2, seen
    x0, y0, x1, y1 = seen[2]
    assert x0 >= 100 and y0 >= 150 and x1 <= 190 and y1 <= 230
    assert "Even (" in seen[3], "which image it is in is not said"


def test_a_preset_by_its_name(several: Edit, home: Path) -> None:
    folder = home / "config" / "presets"
    folder.mkdir(parents=True, exist_ok=True)
    document = {"version": 1, "name": "Redder", "generator": "picky", "edits": {"red": 1.25}}
    (folder / "Redder.json").write_text(json.dumps(document))
    try:
        seen = several.look("several(image, [layer], preset='Redder')")
        assert seen[1] == 1 and "red +1.25 (Latent-Fu)" in several.look("names(image)")
        seen = several.look("several(image, [layer], preset='Greener')")
        assert seen[0] == "execution-error" and "Redder" in str(
            several.look("str(several(image, [layer], preset='Greener')[1])")
        )
    finally:
        (folder / "Redder.json").unlink()


@pytest.mark.parametrize(
    ("layers", "arguments", "words"),
    [
        ("[layer]", "", "nothing to change"),
        ("[]", "edits='red=1'", "no layer to edit"),
        ("[even, text]", "edits='red=1'", "No face is found"),
        ("[layer, second]", "edits='nowhere=1'", "nowhere"),
    ],
)
def test_where_nothing_can_be_edited_one_sentence_says_why(
    several: Edit, layers: str, arguments: str, words: str
) -> None:
    before = several.look("names(image)")
    call = f"[str(one) for one in several(image, {layers}, {arguments})][:2]"
    status, text = several.look(call)
    assert status == "execution-error" and words in text and "\n" not in text
    assert several.look("names(image)") == before


def open_window(several: Edit, arguments: str = "") -> int:
    order = several.gimp.send(f"value = several_in_window(image, every, {arguments})")
    wait_for(lambda: several.look(f"bool(window({SEVERAL}))", False), "no window", 60)
    slider = f"bool(part('red', Gtk.SpinButton, {SEVERAL}))"
    wait_for(lambda: several.look(slider, False), "no sliders", 60)
    return order


def test_the_window_edits_all_and_names_what_it_left_out(several: Edit) -> None:
    order = open_window(several)
    unseen = f"'No face is found' in said({SEVERAL})"
    wait_for(lambda: several.look(unseen, False), "the first has no face, which is not said", 60)
    several.do("shown = [w for w in parts(window(SEVERAL)) if isinstance(w, Gtk.ComboBoxText)][1]")
    several.do("shown.set_active_id(str(second.get_id()))")
    learnt = f"'edits 5 layers' in said({SEVERAL})"
    wait_for(lambda: several.look(learnt, False), "it never says how many", 60)
    several.do(f"part('red', Gtk.SpinButton, {SEVERAL}).set_value(2.5)")
    wait_for(lambda: several.look(READY), "Apply cannot be pressed")
    several.do(f"press('Apply', {SEVERAL})")
    wait_for(lambda: several.look("bool(message())"), "nothing is said in the end", 90)
    told = several.look(
        "' '.join(w.get_text() for w in parts(message()) if isinstance(w, Gtk.Label))"
    )
    assert "2 layers edited." in told and "Even: No face is found" in told, told
    several.do("message().response(Gtk.ResponseType.CLOSE)")
    seen = several.gimp.answer(order)
    assert seen[0] == 2 and seen[2] == "red=2.5"


def test_cancel_keeps_what_is_finished(several: Edit) -> None:
    """The third layer takes half a minute: the first two stay."""
    several.do("every = [layer, second, inside]; slow = 0")
    order = open_window(several, "inverter='instant'")
    several.do(f"part('red', Gtk.SpinButton, {SEVERAL}).set_value(1)")
    several.do("""
        from latentfu_gimp import layer_batch
        begin = layer_batch.LayerBatch.start
        def start(batch, number):
            from dataclasses import replace
            found = begin(batch, number)
            return (found[0], replace(found[1], inverter="slow")) if number == 2 else found
        layer_batch.LayerBatch.start = start
    """)
    try:
        wait_for(lambda: several.look(READY), "Apply cannot be pressed")
        several.do(f"press('Apply', {SEVERAL})")
        third = f"'3 of 3' in said({SEVERAL}) and 'slowly' in said({SEVERAL})"
        wait_for(lambda: several.look(third, False), "no progress is said", 60)
        several.do(f"window({SEVERAL}).response(Gtk.ResponseType.CANCEL)")
        assert several.gimp.answer(order)[0] == 2
    finally:
        several.do("layer_batch.LayerBatch.start = begin")
    found = [name.partition(" #")[0] for name in several.look("names(image)")]
    assert found.count("red +1 (Latent-Fu)") == 2


def test_cancel_before_anything_is_done_changes_nothing(several: Edit) -> None:
    before = several.look("names(image)")
    order = open_window(several)
    several.do(f"window({SEVERAL}).response(Gtk.ResponseType.CANCEL)")
    assert several.gimp.answer(order)[0] == 0
    assert several.look("names(image)") == before
