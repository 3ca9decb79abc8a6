"""What the tests say to a window of the plug-in that runs in the process they talk to."""

WINDOW = '''
import os, sys
import gi
gi.require_version("GimpUi", "3.0"); gi.require_version("Gtk", "3.0")
from gi.repository import Gtk, GimpUi, Gdk
sys.path.insert(0, os.environ["GIMP3_DIRECTORY"] + "/plug-ins/latentfu")

def configured(name, **arguments):
    config = Gimp.get_pdb().lookup_procedure(name).create_config()
    for key, argument in {**SMALL, **arguments}.items():
        config.set_property(key, argument)
    return config

def edit_in_window(image, layer, **arguments):
    """Open Edit portrait here; other orders are followed while it is open."""
    from latentfu_gimp.edit_dialog import edit_with_dialog
    from latentfu_gimp.errors import PluginError
    follow_meanwhile()
    try:
        return edit_with_dialog(image, [layer], configured("latentfu-edit", **arguments))
    except PluginError as error:
        return str(error)

def window(title="Edit portrait"):
    for one in Gtk.Window.list_toplevels():
        if one.get_visible() and (one.get_title() or "").startswith(title):
            return one
    raise LookupError([w.get_title() for w in Gtk.Window.list_toplevels() if w.get_visible()])

def message():
    """The question in front of the window, None when there is none."""
    found = [w for w in Gtk.Window.list_toplevels()
             if w.get_visible() and isinstance(w, Gtk.MessageDialog)]
    return found[0] if found else None

def parts(widget):
    yield widget
    if isinstance(widget, Gtk.Container):
        for child in widget.get_children():
            yield from parts(child)

def spoken(widget):
    return widget.get_accessible().get_name() or ""

def part(name, kind=Gtk.Widget, title="Edit portrait"):
    """The visible widget of that name, as a screen reader says it."""
    names = []
    for widget in parts(window(title)):
        if isinstance(widget, kind) and widget.get_mapped():
            names.append(spoken(widget))
            if spoken(widget) == name:
                return widget
    raise LookupError(f"no {name!r} among {names}")

def number(name):
    return part(name, Gtk.SpinButton)

def said(title="Edit portrait"):
    """All that is written in the window."""
    return " | ".join(w.get_text() for w in parts(window(title))
                      if isinstance(w, Gtk.Label) and w.get_mapped())

def press(label, title="Edit portrait"):
    part(label, Gtk.Button, title).clicked()

def wait_until(condition, seconds=60):
    import time
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(said() if not message() else "a question")
        Gtk.main_iteration_do(False); time.sleep(0.01)

def is_learnt():
    """Whether nothing is on its way any more."""
    busy = ("Looking for", "Learning", "Starting", "Editing the layer", "Finding", "Pasting")
    told = said()  # "Done" is the server's last word; what the window makes of it comes then.
    return bool(window()) and not any(words in told for words in busy) and "Done" not in told

def count(image):
    return len(image.get_layers())
'''
