"""A module with the shape of pipeline.editor and worker.catalog of latentfu, without networks.

The edits steer it: ``brightness`` is added to every pixel; ``steps`` and ``pause_ms`` make it
long; ``crash`` ends the process; ``crash_once`` does so when a marker file is missing; ``deaf``
sleeps without asking whether it is wanted; ``grow`` gives a layer of 20
times that side; ``boom`` raises; ``memory`` raises MemoryError, ``device_memory``
so on another device than the processor, ``memory_once`` until memory was released; ``hoard`` asks
for so many times a gigabyte; ``tell_process`` reports the process's number as the PSNR.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from latentfu.core.errors import NotInstalledError
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress, silent
from latentfu.protocol.pictures import PictureSource, resolve_mask


@dataclass(frozen=True)
class Report:
    fields: dict[str, Any]

    def to_wire(self) -> dict[str, Any]:
        return self.fields


@dataclass(frozen=True)
class Outcome:
    layer: Layer
    report: Report


class Editor:
    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.known: set[str] = set()
        self.released = False

    def release_memory(self) -> None:
        """There is none to release, but it is remembered."""
        self.released = True

    def run(self, request: Any, pictures: PictureSource, progress: Progress = silent) -> Outcome:
        layer = pictures.read(request.layer)
        if request.kind == "mix":
            source = pictures.read(request.source)
            return Outcome(source, Report({"layers": list(request.layers)}))
        self._work(request, progress)
        if request.kind == "edit":
            told = os.getpid() if request.edits.get("tell_process") else 30.0
            report = {"psnr": told, "inverter": request.inverter or "x"}
            return Outcome(self._moved(request, pictures), Report(report))
        self.known.add(request.layer)
        return Outcome(layer, Report({"inversion_key": layer.digest()}))

    def preview(
        self,
        request: Any,
        pictures: PictureSource,
        progress: Progress = silent,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> Layer:
        if not self.is_inverted(request, pictures):
            self._work(request, progress)
            self.known.add(request.layer)
        if not request.quick:
            for _ in range(int(request.edits.get("layers", 0))):
                check()
                time.sleep(0.05)
        moved = self._moved(request, pictures)
        step = max(1, max(moved.height, moved.width) // request.side)
        return Layer(np.ascontiguousarray(moved.pixels[::step, ::step]))

    def is_inverted(self, request: Any, pictures: PictureSource) -> bool:
        return request.layer in self.known

    def _moved(self, request: Any, pictures: PictureSource) -> Layer:
        if request.generator == "missing":
            raise NotInstalledError("There is no generator 'missing'; installed: plain.")
        layer, mask = pictures.read(request.layer), resolve_mask(pictures, request.mask)
        amount = int(request.edits.get("brightness", 0))
        if grow := 20 * int(request.edits.get("grow", 0)):
            return Layer(np.zeros((grow, grow, 4), np.uint8))
        moved = np.clip(layer.pixels.astype(int) + amount, 0, 255).astype(np.uint8)
        if mask is not None:
            moved = np.where(mask[..., None] > 0, moved, layer.pixels)
        return Layer(moved)

    def _work(self, request: Any, progress: Progress) -> None:
        edits = request.edits
        if edits.get("crash"):
            os.kill(os.getpid(), 9)
        if edits.get("crash_once"):
            marker = Path(os.environ["LATENTFU_HOME"]) / "crashed"
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), 9)
        if edits.get("boom"):
            raise ValueError("a plug-in's mistake")
        if edits.get("quit"):
            raise SystemExit(3)
        if edits.get("memory") or (edits.get("device_memory") and self.device != "cpu"):
            raise MemoryError
        hoard = [np.empty(1 << 30, np.uint8) for _ in range(int(edits.get("hoard", 0)))]
        del hoard
        if edits.get("memory_once") and not self.released:
            raise MemoryError
        if edits.get("print"):
            print("chatter on standard output")
        time.sleep(edits.get("deaf", 0))
        steps = int(edits.get("steps", 2))
        for step in range(steps):
            progress(step / steps, f"step {step} of {steps}")
            time.sleep(edits.get("pause_ms", 0) / 1000)


def read_catalog() -> dict[str, Any]:
    control = {
        "name": "brightness",
        "title": "Brightness",
        "plus": "lighter",
        "group": "light",
        "kind": "direction",
        "minimum": -3.0,
        "maximum": 3.0,
        "unit": "standard deviations",
        "layers": None,
        "author": "",
        "licence": "",
        "source": "",
    }
    generator = {
        "name": "plain",
        "title": "Plain",
        "domain": "any",
        "resolution": 8,
        "id": "0" * 64,
        "licence": "",
        "description": "",
    }
    return {
        "generators": [generator],
        "inverters": [{"name": "x", "title": "X", "spaces": ["w"], "description": ""}],
        "controls": {"plain": [control]},
        "plugins": [{"name": "p", "origin": "here", "state": "ok", "reason": None, "version": "1"}],
    }
