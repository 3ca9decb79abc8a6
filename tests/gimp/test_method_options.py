"""Real GIMP 3: the options of a method, in the window, in a script, and on a layer edited again."""

from __future__ import annotations

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

LINE = "part('Options of the method', Gtk.Entry)"
METHOD = (
    "next(w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)"
    " and 'encoder-refined' in [row[1] for row in w.get_model()])"
)
REFINED = {"generator": "portraits", "inverter": "encoder-refined"}


def test_options_are_taken_kept_and_there_again(edit: Edit) -> None:
    edit.open(edits="", options="steps=1", **REFINED)
    assert edit.look(f"{LINE}.get_text()") == "steps=1"
    assert "steps=50" in edit.look(f"{LINE}.get_tooltip_text()")
    for wrong, said in (("stepz=2", "has no option stepz"), ("steps", "is no option")):
        edit.do(f"{LINE}.set_text('{wrong}'); {LINE}.activate()")
        assert said in edit.look("said()")
    edit.do(f"{LINE}.set_text('steps=2 losses=pixels:1'); {LINE}.activate()")
    wait_for(lambda: edit.look("is_learnt()"), "never learnt", 60)
    edit.do("number('Smile').set_value(2)")
    edit.apply()
    made = edit.look("about(image.get_layers()[0])['state']")
    assert made["options"] == {"steps": 2, "losses": "pixels:1"}
    edit.open("image.get_layers()[0]")
    assert edit.look(f"{LINE}.get_text()") == "steps=2 losses=pixels:1"
    edit.do(f"{METHOD}.set_active_id('fast')")
    assert edit.look(f"bool({LINE})", False) is False, "a choice by quality has no options"
    edit.cancel()


def test_a_script_gives_them_and_a_wrong_name_is_told(edit: Edit) -> None:
    made = edit.look(
        f"about(made('latentfu-edit', image, layer, edits='smile=1', options='steps=1',"
        f" **{REFINED}))['state']"
    )
    assert made["options"] == {"steps": 1} and made["method"] == "encoder-refined"
    status, text, layers = edit.look(
        f"attempt('latentfu-edit', image, layer, edits='smile=1', options='stepz=1', **{REFINED})"
    )
    assert status == "execution-error" and "no option 'stepz'" in text and layers == 2
