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
SCOPE = {"Gimp": Gimp, "Gegl": Gegl, "Gio": Gio, "GLib": GLib, "GObject": GObject, "json": json}


def answer(number, document):
    part = FOLDER / f"{number}.part"
    part.write_text(json.dumps(document))
    part.rename(FOLDER / f"{number}.json")


def loop():
    number = 0
    while True:
        order = FOLDER / f"{number}.py"
        if not order.exists():
            # GIMP's own calls to this process are answered while it sleeps in the main loop.
            GLib.MainContext.default().iteration(False)
            time.sleep(0.02)
            continue
        source = order.read_text()
        if source == "quit":
            return
        try:
            SCOPE["value"] = None
            exec(compile(source, order, "exec"), SCOPE)
            answer(number, {"value": SCOPE["value"]})
        except BaseException:
            answer(number, {"error": traceback.format_exc()})
        number += 1


Gegl.init(None)
loop()
