"""What ``latentfu bench gimp`` measures inside GIMP: waits of the window, a large layer's way."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gi.repository import Gimp, Gio, GLib, Gtk

from .edit_dialog import EditDialog
from .errors import StoppedError
from .layers import target_again
from .wire import Picture

EDIT = "latentfu-edit"


@dataclass(frozen=True)
class MeasuringPlan:
    """``portrait``, ``large``: picture files. ``control``: a slider, moved ``moves`` times.

    ``out``: where each figure becomes a line of JSON, with its name, milliseconds and runs.
    """

    portrait: str
    large: str
    control: str
    moves: int
    out: str


def measure_gimp(plan_file: str) -> None:
    """Do all that the plan in the file says. GIMP runs this by ``--batch``; it needs a screen."""
    plan = MeasuringPlan(**json.loads(Path(plan_file).read_text(encoding="utf-8")))
    _time_process(plan)
    _time_window(plan)
    _time_large(plan)


def _tell(plan: MeasuringPlan, name: str, times: list[float]) -> None:
    """Write a figure as soon as it is known: the median, in milliseconds."""
    middle = sorted(times)[len(times) // 2]
    line = json.dumps({"name": name, "value": 1000 * middle, "runs": len(times)})
    with Path(plan.out).open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")


def _load(path: str) -> tuple[Gimp.Image, Gimp.Layer]:
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    if image is None:
        raise RuntimeError(f"GIMP cannot open {path}")
    return image, image.get_layers()[0]


def _run(name: str, **arguments: Any) -> Any:
    """Call a procedure without its window; its first value. RuntimeError with its own words."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    for key, argument in arguments.items():
        if key == "drawables":
            config.set_core_object_array(key, argument)
        else:
            config.set_property(key, argument)
    values = procedure.run(config)
    told = values.index(1) if values.length() > 1 else None
    if values.index(0) != Gimp.PDBStatusType.SUCCESS:
        raise RuntimeError(str(told))
    return told


def _time_process(plan: MeasuringPlan) -> None:
    """GIMP starts a process for each call of a plug-in: this much comes before every window."""
    times = []
    for _round in range(3):
        began = time.perf_counter()
        _run("latentfu-networks", action="list")
        times.append(time.perf_counter() - began)
    _tell(plan, "call", times)


class MeasuredDialog(EditDialog):
    """The window as it is; notes when previews are shown, moves a slider, and closes itself."""

    def __init__(self, plan: MeasuringPlan, layer: Gimp.Layer, image: Gimp.Image) -> None:
        self._began = time.perf_counter()
        self._plan = plan
        self.first_s = 0.0
        self.moves_s: list[float] = []
        config = Gimp.get_pdb().lookup_procedure(EDIT).create_config()
        super().__init__(target_again(image, layer), config)

    def _previewed(self, picture: Picture) -> None:
        super()._previewed(picture)
        waited = time.perf_counter() - self._began
        if not self.first_s:
            self.first_s = waited
        else:
            self.moves_s.append(waited)
        # Later, so that the picture is on the screen and no sharper one is on its way.
        GLib.timeout_add(300, self._move)

    def _failed(self, sentence: str) -> None:
        super()._failed(sentence)
        self._dialog.response(Gtk.ResponseType.CANCEL)
        raise RuntimeError(sentence)

    def _move(self) -> bool:
        if len(self.moves_s) >= self._plan.moves:
            self._dialog.response(Gtk.ResponseType.CANCEL)
        else:
            self._began = time.perf_counter()
            self._set_sliders({self._plan.control: 0.25 + 0.1 * (len(self.moves_s) % 15)})
        return False


def _time_window(plan: MeasuringPlan) -> None:
    image, layer = _load(plan.portrait)
    for name in ("window-new", "window-known"):
        dialog = MeasuredDialog(plan, layer, image)
        try:
            dialog.run()
        except StoppedError:
            pass
        finally:
            dialog.close()
        _tell(plan, name, [dialog.first_s])
    _tell(plan, "slider", dialog.moves_s)
    image.delete()


def _time_large(plan: MeasuringPlan) -> None:
    image, layer = _load(plan.large)
    for name, strength in (("large-first", 0.5), ("large-next", 1.0)):
        began = time.perf_counter()
        _run(EDIT, image=image, drawables=[layer], edits=f"{plan.control}={strength}")
        _tell(plan, name, [time.perf_counter() - began])
    image.delete()
