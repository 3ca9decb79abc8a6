"""A module with the shape of pipeline.editor and worker.catalog of latentfu, without networks.

The edits steer it: ``brightness`` is added to every pixel; ``steps`` and ``pause_ms`` make it
long; ``crash`` ends the process; ``crash_once`` does so when a marker file is missing; ``deaf``
sleeps without asking whether it is wanted; ``grow`` gives a layer of 20
times that side; ``boom`` raises; ``memory`` raises MemoryError.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from latentfu.core.errors import NotInstalledError
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress, silent


@dataclass(frozen=True)
class EditRequest:
    layer: Layer
    edits: dict[str, float] = field(default_factory=dict)
    generator: str | None = None
    inverter: str | None = None
    aligner: str | None = None
    mask: Any = None
    feather: float = 12.0
    psi: float = 1.0


@dataclass(frozen=True)
class MixRequest:
    layer: Layer
    source: Layer
    layers: tuple[int, ...]
    generator: str | None = None
    inverter: str | None = None
    aligner: str | None = None
    mask: Any = None
    feather: float = 12.0
    psi: float = 1.0


@dataclass(frozen=True)
class Outcome:
    layer: Layer
    report: dict[str, Any]


class Editor:
    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.known: set[str] = set()

    def edit(self, request: EditRequest, progress: Progress = silent) -> Outcome:
        self._work(request, progress)
        return Outcome(self._moved(request), {"psnr": 30.0, "inverter": request.inverter or "x"})

    def mix(self, request: MixRequest, progress: Progress = silent) -> Outcome:
        return Outcome(request.source, {"layers": list(request.layers)})

    def invert(self, request: EditRequest, progress: Progress = silent) -> Outcome:
        self._work(request, progress)
        self.known.add(request.layer.digest())
        return Outcome(request.layer, {"inversion_key": request.layer.digest()})

    def preview(
        self,
        request: EditRequest,
        side: int,
        progress: Progress = silent,
        *,
        quick: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Layer:
        if not self.is_inverted(request):
            self._work(request, progress)
            self.known.add(request.layer.digest())
        if not quick:
            for _ in range(int(request.edits.get("layers", 0))):
                check()
                time.sleep(0.05)
        step = max(1, max(request.layer.height, request.layer.width) // side)
        return Layer(np.ascontiguousarray(self._moved(request).pixels[::step, ::step]))

    def is_inverted(self, request: EditRequest) -> bool:
        return request.layer.digest() in self.known

    def _moved(self, request: EditRequest) -> Layer:
        if request.generator == "missing":
            raise NotInstalledError("There is no generator 'missing'; installed: plain.")
        amount = int(request.edits.get("brightness", 0))
        if grow := 20 * int(request.edits.get("grow", 0)):
            return Layer(np.zeros((grow, grow, 4), np.uint8))
        moved = np.clip(request.layer.pixels.astype(int) + amount, 0, 255).astype(np.uint8)
        if request.mask is not None:
            moved = np.where(request.mask[..., None] > 0, moved, request.layer.pixels)
        return Layer(moved)

    def _work(self, request: EditRequest, progress: Progress) -> None:
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
        if edits.get("memory"):
            raise MemoryError
        if edits.get("print"):
            print("chatter on standard output")
        time.sleep(edits.get("deaf", 0))
        steps = int(edits.get("steps", 2))
        for step in range(steps):
            progress(step / steps, f"step {step} of {steps}")
            time.sleep(edits.get("pause_ms", 0) / 1000)


def read_catalog() -> dict[str, object]:
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
