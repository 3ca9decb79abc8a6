"""Real GIMP 3: controls that are no sliders, set in the window and by scripts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.edit_window import Edit, make_earlier, shoot
from tests.gimp.test_edit_again import PAINT

SET_EACH = {
    "lenses": ("part('Lenses', Gtk.CheckButton).set_active(True)", "on"),
    "hat": ("part('Hat', Gtk.ComboBoxText).set_active_id('top hat')", "top hat"),
    "dye": (
        "color = Gdk.RGBA(); color.parse('#ff8000'); button = part('Hair dye', Gtk.ColorButton)\n"
        "button.set_rgba(color); button.emit('color-set')",
        "#ff8000",
    ),
    "mole": (
        "number('Mole, across').set_value(220); number('Mole, down').set_value(280)",
        "220,280",
    ),
    "badge": ("part('Badge', Gtk.Entry).set_text('hello é')", "hello é"),
}
TITLES = {
    "lenses": "Lenses",
    "hat": "Hat",
    "dye": "Hair dye",
    "mole": "Mole",
    "badge": "Badge",
    "like": "Hair like",
}
KEPT = "about(image.get_layers()[0])['state']['edits']"


def add_second_layer(edit: Edit) -> None:
    edit.do("""
        other = Gimp.Layer.new_from_drawable(load(SECOND).get_layers()[0], image)
        other.set_name('Anna, the second'); image.insert_layer(other, None, 1)
    """)


@pytest.mark.parametrize("name", SET_EACH)
def test_each_is_set_counted_applied_and_opened_again(edit: Edit, name: str) -> None:
    source, value = SET_EACH[name]
    edit.open(edits="")
    assert "(1)" not in edit.look("said()")
    edit.do(source)
    assert "Wardrobe (1)" in edit.look("said()")
    made = edit.apply()
    assert made.startswith(f"{name} ")
    assert edit.look(KEPT) == {name: value}
    assert edit.look("changed(layer, image.get_layers()[0])['count']") > 1000
    edit.do("result = image.get_layers()[0]; before = whole(result)")
    edit.open("result")
    assert "Wardrobe (1)" in edit.look("said()")
    edit.do(f"press('Reset {TITLES[name]}')")
    assert "(1)" not in edit.look("said()")
    edit.do(f"{source}\nnumber('red').set_value(1)")
    edit.do("number('red').set_value(0)")
    edit.apply()
    assert edit.look("whole(image.get_layers()[0]) == before"), "not the same the second time"


def test_a_layer_of_the_image_is_taken_and_found_when_renamed(edit: Edit) -> None:
    add_second_layer(edit)
    edit.open(edits="")
    edit.do("part('Hair like', Gtk.ComboBoxText).set_active_id('@layer:Anna, the second')")
    assert "Wardrobe (1)" in edit.look("said()")
    assert edit.apply() == "like (Latent-Fu)"
    assert edit.look(KEPT)["like"].startswith("@tattoo:")
    edit.do("""
        other.set_name('Berta'); result = image.get_layers()[0]; before = whole(result)
    """)
    edit.open("result")
    assert edit.look("part('Hair like', Gtk.ComboBoxText).get_active_id()") == "@layer:Berta"
    edit.apply()
    assert edit.look("whole(image.get_layers()[0]) == before")
    edit.do("image.remove_layer(other); result = image.get_layers()[0]")
    edit.open("result")
    assert "The picture of like is no longer there" in edit.look("said()")


def test_paint_is_kept_on_a_result_with_a_picture(edit: Edit) -> None:
    add_second_layer(edit)
    make_earlier(edit, """edits='like="@layer:Anna, the second"'""")
    edit.do(PAINT)
    edit.open("result")
    edit.do("number('red').set_value(-3)")
    edit.apply_and_answer("Keep the paint")
    edit.end()
    seen = edit.look("[native(image.get_layers()[0], 150, 200, 60, 50) == painted, count(image)]")
    assert seen == [True, 3]


def test_a_picture_file_is_chosen(edit: Edit, second_portrait: Path) -> None:
    edit.open(edits="")
    edit.do("""
        rows = part('Hair like', Gtk.ComboBoxText)
        GLib.idle_add(lambda: rows.set_active_id('file') and False)
    """)
    wait_for(lambda: edit.look("bool(window('Hair like'))", False), "no file is asked for")
    edit.do(f"window('Hair like').set_filename({str(second_portrait)!r})")
    wait_for(
        lambda: edit.look("window('Hair like').get_filename()") == str(second_portrait),
        "the file is not chosen",
    )
    edit.do("window('Hair like').response(Gtk.ResponseType.OK)")
    wait_for(lambda: "Wardrobe (1)" in edit.look("said()"), "not taken")
    edit.apply()
    assert edit.look(KEPT) == {"like": f"@{second_portrait}"}


def test_a_press_on_the_preview_sets_a_point(edit: Edit, screenshots: Path | None) -> None:
    edit.open(edits="")
    desktop: Desktop = edit.gimp.desktop  # type: ignore[attr-defined]
    dialog = desktop.window("Edit portrait")
    desktop.activate(dialog)
    edit.do("press('Fit'); part('Pick Mole on the preview').set_active(True)")
    place = edit.look("""(lambda p: [*p.translate_coordinates(window(), 0, 0),
        p.get_allocated_width(), p.get_allocated_height()])(part("Preview"))""")
    desktop.click(dialog, place[0] + place[2] // 2, place[1] + place[3] // 2)
    wait_for(lambda: edit.look("number('Mole, across').get_value()") > 0, "no place")
    found = edit.look("[number('Mole, across').get_value(), number('Mole, down').get_value()]")
    assert abs(found[0] - 240) < 12 and abs(found[1] - 300) < 12, found
    wait_for(
        lambda: not edit.look("part('Pick Mole on the preview').get_active()"), "it stays pressed"
    )
    assert "Wardrobe (1)" in edit.look("said()")
    edit.do("part('Lenses', Gtk.CheckButton).set_active(True)")
    edit.do("part('Badge', Gtk.Entry).set_text('hello')")
    time.sleep(1.0)
    shoot(edit, "Edit portrait", screenshots, "gimp-values.png")


def test_the_preview_shows_it(edit: Edit) -> None:
    edit.open(edits="")
    shown = "bytes(parts_of_preview().get_pixbuf().get_pixels())"
    edit.do("""
        def parts_of_preview():
            return [w for w in parts(part('Preview')) if isinstance(w, Gtk.Image)][0]
    """)
    before = edit.look(f"__import__('hashlib').sha256({shown}).hexdigest()")
    edit.do(SET_EACH["hat"][0])
    wait_for(
        lambda: edit.look(f"__import__('hashlib').sha256({shown}).hexdigest()") != before,
        "the preview stays",
    )


def test_presets_hold_values(edit: Edit, share: Path) -> None:
    edit.open(edits="")
    edit.do(SET_EACH["hat"][0])
    edit.do(SET_EACH["dye"][0])
    edit.do("""
        value_menu = part('Presets', Gtk.MenuButton).get_popup(); value_menu.emit('show')
        item = [i for i in value_menu.get_children() if i.get_label() == '_Save as ...'][0]
        GLib.idle_add(lambda: item.activate() and False)
    """)
    wait_for(lambda: edit.look("bool(window('Save preset'))", False), "no name is asked for")
    edit.do("""
        part('Name of the preset', Gtk.Entry, 'Save preset').set_text('Dressed')
        press('Save', 'Save preset')
    """)
    file = share / "latentfu" / "config" / "presets" / "Dressed.json"
    wait_for(file.exists, "no file")
    edit.do("press('Reset')")
    wait_for(lambda: "(2)" not in edit.look("said()"), "no reset")
    edit.do("""
        value_menu.emit('show')
        [i for i in value_menu.get_children() if i.get_label() == 'Dressed'][0].activate()
    """)
    assert edit.look("part('Hat', Gtk.ComboBoxText).get_active_id()") == "top hat"
    assert "Wardrobe (2)" in edit.look("said()")
    file.unlink()


def test_moves_that_were_not_applied_come_back_too(edit: Edit) -> None:
    edit.open(edits="")
    edit.do(SET_EACH["badge"][0])
    edit.cancel()
    edit.open(edits="")
    assert edit.look("part('Badge', Gtk.Entry).get_text()") == "hello é"
    edit.do("press('Reset')")


def test_a_screen_reader_names_each(edit: Edit) -> None:
    edit.open(edits="")
    names = edit.look("[spoken(w) for w in parts(window()) if w.get_mapped()]")
    wanted = {"Lenses", "Hat", "Hair dye", "Mole, across", "Mole, down", "Hair like", "Badge"}
    assert wanted <= set(names)


SCRIPTED = [
    "lenses=on",
    "hat='top hat'",
    "dye=#ff8000",
    "mole=220,280",
    'badge="5"',
    "like=@{second}",
    'like="@layer:Anna, the second"',
]


def test_a_script_sets_them(edit: Edit, second_portrait: Path) -> None:
    add_second_layer(edit)
    made = []
    for each in SCRIPTED:
        text = each.format(second=second_portrait)
        edit.do(f"new = made('latentfu-edit', image, layer, edits={text!r})")
        made.append(edit.look("__import__('hashlib').sha256(whole(new)).hexdigest()"))
        assert edit.look("changed(layer, new)['count']") > 1000, text
    assert len(set(made[:-1])) == len(made) - 1
    assert made[-1] == made[-2], "the file and the layer are one picture"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hat=crown", "one of cap, top hat"),
        ("red=much", "set it to a number"),
        ("like=@/nowhere.png", "There is no picture /nowhere.png"),
        ("like=@layer:nobody", "The image has no layer nobody"),
        ("mole=1,1", "outside the part"),
    ],
)
def test_a_script_is_told_what_is_wrong(edit: Edit, text: str, words: str) -> None:
    status, said, count = edit.do(f"value = attempt('latentfu-edit', image, layer, edits={text!r})")
    assert status == "execution-error" and words in said, said
    assert count == 1


def test_several_layers_take_them(edit: Edit) -> None:
    edit.do("""
        second = layer.copy(); image.insert_layer(second, None, 0)
        run('latentfu-several', image, [layer, second], edits="hat='top hat'")
    """)
    names = edit.look("[one.get_name() for one in image.get_layers()]")
    assert sum(name.startswith("hat top hat") for name in names) == 2, names


def test_an_older_result_without_values_still_opens(edit: Edit) -> None:
    make_earlier(edit, "edits='red=2'")
    edit.open("result")
    assert edit.look("number('red').get_value()") == 2.0
