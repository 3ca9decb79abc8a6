"""Real GIMP 3: Sweep to layers, with and without its window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

OPEN = """
def sweep_in_window(image, layer, **arguments):
    from latentfu_gimp.sweep_dialog import sweep_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    config = configured("latentfu-sweep", **arguments)
    try:
        name = sweep_with_dialog(image, [layer], config).get_name()
    except PluginError as error:
        name = str(error)
    return [name, *(config.get_property(one) for one in ("control", "from", "to", "count"))]

def frames(layers):
    return [l.get_name() for l in layers]

def control():
    return [w for w in parts(window(SWEEP)) if isinstance(w, Gtk.ComboBoxText)][0]
SWEEP = "Sweep to layers"
"""
SWEEP = "'Sweep to layers'"
READY = f"part('Apply', Gtk.Button, {SWEEP}).is_sensitive()"
NAMES = [
    "red +2 (100ms) (replace)",
    "red +1 (100ms) (replace)",
    "red +0 (100ms) (replace)",
    "red -1 (100ms) (replace)",
    "red -2 (100ms) (replace)",
]
"""From the topmost, which GIMP plays last."""


@pytest.fixture
def sweep(edit: Edit) -> Iterator[Edit]:
    edit.do(OPEN)
    yield edit
    if edit.look(f"bool(window({SWEEP}))", False):
        edit.do(f"window({SWEEP}).response(Gtk.ResponseType.CANCEL)")


def test_a_group_of_layers_named_for_the_playback(sweep: Edit) -> None:
    """The first at the bottom; each is what an edit of that strength makes, byte for byte."""
    seen = sweep.do("""
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 170, 250, 110, 120)
        before = whole(layer)
        group = made("latentfu-sweep", image, layer, control="red", count=5)
        layers = group.get_children()
        edit = made("latentfu-edit", image, layer, edits="red=-2")
        value = {"group": [group.is_group(), group.get_name()], "names": frames(layers),
                 "boxes": [changed(layer, l)["box"] for l in layers],
                 "same": whole(layers[-1]) == whole(edit), "kept": whole(layer) == before,
                 "order": image.get_layers()[0] == group, "state": about(layers[0])["state"]}
    """)
    assert seen["group"] == [True, "red -2 ... +2 (Latent-Fu)"]
    assert seen["names"] == NAMES
    assert seen["same"] and seen["kept"] and seen["order"]
    assert seen["state"]["edits"] == {"red": 2.0}, "a layer does not open again"
    assert seen["boxes"][2] is None, "the layer in the middle is not the layer as it is"
    for x0, y0, x1, y1 in (box for box in seen["boxes"] if box):
        assert x0 >= 170 and y0 >= 250 and x1 <= 280 and y1 <= 370, "outside the selection"


def test_there_and_back_at_another_pace_as_layers(sweep: Edit) -> None:
    seen = sweep.do("""
        top = made("latentfu-sweep", image, layer, **{"control": "red", "from": 0.0, "to": 3.0,
                   "count": 3, "milliseconds": 40, "back": True, "as": "layers"})
        layers = image.get_layers()
        value = {"names": frames(layers), "top": layers[0] == top, "last": layers[-1] == layer,
                 "same": whole(layers[0]) == whole(layers[2]) != whole(layers[1])}
    """)
    assert [name.partition(" #")[0] for name in seen["names"][:-1]] == [
        "red +1.5 (40ms) (replace)",
        "red +3 (40ms) (replace)",
        "red +1.5 (40ms) (replace)",
        "red +0 (40ms) (replace)",
    ]
    assert seen["top"] and seen["last"] and seen["same"]


@pytest.mark.parametrize("depth", ["U8_NON_LINEAR", "U16_NON_LINEAR"])
def test_a_new_image_for_playback_and_export(sweep: Edit, share: Path, depth: str) -> None:
    """It keeps precision and size, holds nothing else, and comes out as an animation of GIF."""
    seen: dict[str, Any] = sweep.do(f"""
        image.convert_precision(Gimp.Precision.{depth}) if "16" in "{depth}" else None
        images = len(Gimp.get_images())
        top = made("latentfu-sweep", image, layer, **{{"control": "red", "count": 3,
                   "milliseconds": 250, "as": "image"}})
        new = top.get_image()
        value = {{"others": len(Gimp.get_images()) - images, "old": count(image),
                  "names": frames(new.get_layers()), "same": new != image,
                  "precision": new.get_precision() == image.get_precision(),
                  "size": [new.get_width(), new.get_height()]}}
        new.convert_precision(Gimp.Precision.U8_NON_LINEAR) if "16" in "{depth}" else None
        new.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE,
                            255, False, False, '')
        export = Gimp.get_pdb().lookup_procedure("file-gif-export")
        config = export.create_config()
        config.set_property("image", new)
        config.set_property("file", Gio.File.new_for_path("{share}/sweep.gif"))
        config.set_property("as-animation", True)
        value["export"] = export.run(config).index(0).value_nick
        new.delete()
    """)
    assert seen["others"] == 1 and seen["old"] == 1 and seen["same"] and seen["precision"]
    assert seen["size"] == [480, 600] and seen["export"] == "success"
    assert seen["names"][0] == "red +2 (250ms) (replace)" and len(seen["names"]) == 3
    from PIL import Image

    with Image.open(share / "sweep.gif") as film:
        assert (film.n_frames, film.info["duration"]) == (3, 250)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("control=''", "No control is chosen"),
        ("control='nowhere'", "nowhere"),
        ("**{'control': 'red', 'from': 1.0, 'to': 1.0}", "nothing to sweep over"),
        ("control='red', generator='blind'", "No face is found"),
    ],
)
def test_what_cannot_be_is_one_sentence(sweep: Edit, arguments: str, words: str) -> None:
    for form in ("group", "image"):
        images = sweep.look("len(Gimp.get_images())")
        call = f"dict({arguments}, **{{'as': '{form}', 'count': 2}})"
        seen = sweep.look(f"attempt('latentfu-sweep', image, layer, **{call})")
        assert seen[0] == "execution-error" and words in seen[1] and "\n" not in seen[1]
        assert seen[2] == 1 and sweep.look("len(Gimp.get_images())") == images


def open_window(sweep: Edit, arguments: str = "") -> int:
    order = sweep.gimp.send(f"value = sweep_in_window(image, layer, {arguments})")
    wait_for(lambda: sweep.look(f"bool(window({SWEEP}))", False), "no window", 60)
    wait_for(lambda: sweep.look(READY, False), "never ready", 60)
    return order


def test_the_window_plays_and_makes_the_layers(sweep: Edit) -> None:
    order = open_window(sweep, "control='tall', count=4")
    sweep.do("control().set_active_id('red')")
    sweep.do(f"part('From', Gtk.SpinButton, {SWEEP}).set_value(-3)")
    sweep.do(f"part('Number of layers', Gtk.SpinButton, {SWEEP}).set_value(5)")
    sweep.do(f"part('Play', Gtk.ToggleButton, {SWEEP}).set_active(True)")
    layer = f"part('Layer', Gtk.SpinButton, {SWEEP}).get_value_as_int()"
    seen: set[int] = set()

    def all_were_shown() -> bool:
        seen.add(sweep.look(layer))
        return seen == {1, 2, 3, 4, 5}

    wait_for(all_were_shown, "it does not play", 60)
    sweep.do(f"part('Play', Gtk.ToggleButton, {SWEEP}).set_active(False)")
    sweep.do(f"press('Apply', {SWEEP})")
    assert sweep.gimp.answer(order) == ["red -3 ... +2 (Latent-Fu)", "red", -3.0, 2.0, 5]
    assert sweep.look("frames(image.get_layers()[0].get_children())[-1]").startswith("red -3")


def test_cancel_in_the_middle_leaves_no_layer(sweep: Edit) -> None:
    order = open_window(sweep, "control='red', count=60, **{'as': 'image'}")
    images = sweep.look("len(Gimp.get_images())")
    sweep.do(f"press('Apply', {SWEEP})")
    told = f"'Layer 3 of 60' in said({SWEEP})"
    wait_for(lambda: sweep.look(told, False), "no progress is said", 60)
    sweep.do(f"window({SWEEP}).response(Gtk.ResponseType.CANCEL)")
    assert "cancelled" in sweep.gimp.answer(order)[0]
    assert sweep.look("[count(image), len(Gimp.get_images())]") == [1, images]


def test_a_layer_that_is_scaled_meanwhile_is_said(sweep: Edit) -> None:
    order = open_window(sweep, "control='red', count=40")
    sweep.do(f"press('Apply', {SWEEP})")
    wait_for(lambda: sweep.look(f"'Layer 2 of 40' in said({SWEEP})", False), "no progress", 60)
    sweep.do("image.scale(240, 300)")
    wait_for(lambda: "another size" in sweep.look(f"said({SWEEP})"), "it is not said", 60)
    assert sweep.look("count(image)") == 1
    sweep.do(f"window({SWEEP}).response(Gtk.ResponseType.CANCEL)")
    sweep.gimp.answer(order)
