"""Run by GIMP's python-fu-eval: executes the Python files that the test drops into FOLDER."""

import json
import os
import time
import traceback
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio, GLib, GObject  # noqa: E402

FOLDER = Path(os.environ["LATENTFU_TEST_ORDERS"])
STATE = {"next": 0, "quit": False}


def answer(number, document):
    part = FOLDER / f"{number}.part"
    part.write_text(json.dumps(document))
    part.rename(FOLDER / f"{number}.json")


def follow_next():
    """Execute the next order if it is there; whether it was."""
    number = STATE["next"]
    order = FOLDER / f"{number}.py"
    if not order.exists():
        return False
    STATE["next"] += 1
    source = order.read_text()
    if source == "quit":
        STATE["quit"] = True
        return True
    try:
        SCOPE["value"] = None
        exec(compile(source, order, "exec"), SCOPE)
        answer(number, {"value": SCOPE["value"]})
    except BaseException:
        answer(number, {"error": traceback.format_exc()})
    return True


def follow_meanwhile():
    """Have orders followed while the one that calls this waits in a main loop, as a window does."""
    number = STATE["next"]

    def look():
        follow_next()
        return not (FOLDER / f"{number - 1}.json").exists()

    GLib.timeout_add(20, look)


SCOPE = {
    "Gimp": Gimp,
    "Gegl": Gegl,
    "Gio": Gio,
    "GLib": GLib,
    "GObject": GObject,
    "json": json,
    "follow_meanwhile": follow_meanwhile,
}
Gegl.init(None)
while not STATE["quit"]:
    if not follow_next():
        # GIMP's own calls to this process are answered while it sleeps in the main loop.
        GLib.MainContext.default().iteration(False)
        time.sleep(0.02)
