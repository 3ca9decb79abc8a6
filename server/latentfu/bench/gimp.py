"""GIMP itself: how long a person waits in its window, and a large layer's way through it and back.

A GIMP with a profile of its own is started on the screen, with a server of its own. What it does
there is in the plug-in's ``measuring``.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from latentfu.bench import Measure, median_ms, stop_process
from latentfu.bench.edit import open_default_network, sample_layer
from latentfu.bench.server import run_own_server, wait_for_worker
from latentfu.core.errors import NotInstalledError, ServerError
from latentfu.core.generator import Generator

_PATIENCE_S = 1800.0
_PORTRAIT = (768, 960)
_RUNS = 15
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
_NAMES = {
    "call": "a call that asks the server one thing",
    "window-new": "the window to its first preview, new portrait",
    "window-known": "the same, known portrait",
    "slider": "a slider to its preview",
    "large-first": "{size}, first edit",
    "large-next": "{size}, next edit",
}
"""What the plug-in measures, in words."""
_BATCH = (
    "import sys; sys.path.insert(0, {folder!r}); from latentfu_gimp.measuring import measure_gimp; "
    "measure_gimp({plan!r})"
)


@dataclass(frozen=True)
class GimpPlan:
    """``program`` starts GIMP of that ``version``; ``plugin``: the plug-in's folder.

    ``large``: width and height in pixels of the layer that goes through and back. ``moves``: of a
    slider.
    """

    program: str
    version: str
    plugin: Path
    large: tuple[int, int]
    moves: int


def check_screen() -> None:
    """Raises NotInstalledError where GIMP could open no window."""
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _SCREENS):
        raise NotInstalledError(
            "GIMP needs a screen: run this in a desktop session or by xvfb-run latentfu bench gimp."
        )


def measure_gimp_waits(plan: GimpPlan) -> Iterator[Measure]:
    """What a person waits for in GIMP with a warm server and the default network.

    Args:
        plan: which GIMP, and how much.

    Yields:
        Figures in milliseconds; the last ones are the same previews without GIMP and server, in the
        same run, and the difference.

    Raises:
        NotInstalledError: there is no network with a slider.
        ServerError: GIMP or the server ended before it was done.
    """
    generator, control = open_default_network()
    # The plug-in's own folder of settings is the profile's, so nothing of the user's is touched.
    with tempfile.TemporaryDirectory(prefix="latentfu-gimp-", ignore_cleanup_errors=True) as kept:
        folder = Path(kept)
        plan_file = _write_plan(folder, plan, generator, control)
        with run_own_server() as client:
            wait_for_worker(client)
            slider = None
            for measure in _run_gimp(folder, plan.program, plan_file):
                slider = measure if measure.name == "slider" else slider
                size = "{} x {}".format(*plan.large)
                yield dataclasses.replace(measure, name=_NAMES[measure.name].format(size=size))
        alone = _measure_alone(generator, control)
        yield alone
        if slider:
            beyond = slider.value - alone.value
            yield Measure("a slider, beyond the network's time", beyond, "ms", slider.runs)


def _write_plan(folder: Path, plan: GimpPlan, generator: Generator, control: str) -> Path:
    """The pictures, the profile with the plug-in, and what is to be done with them."""
    from PIL import Image

    pictures = {}
    for name, size in (("portrait", _PORTRAIT), ("large", plan.large)):
        pictures[name] = str(folder / f"{name}.png")
        pixels = sample_layer(generator, *size).pixels
        Image.fromarray(pixels).save(pictures[name], compress_level=1)
    profile = folder / "profile"
    compiled = shutil.ignore_patterns("__pycache__")
    shutil.copytree(plan.plugin, profile / "plug-ins" / "latentfu", ignore=compiled)
    (profile / "gimprc").write_text(
        f'(config-version "{plan.version}")\n(show-welcome-dialog no)\n(check-updates no)\n'
    )
    plan_file = folder / "plan.json"
    told = {**pictures, "control": control, "moves": plan.moves, "out": str(folder / "figures")}
    plan_file.write_text(json.dumps(told))
    return plan_file


def _run_gimp(folder: Path, program: str, plan_file: Path) -> Iterator[Measure]:
    """Start GIMP and give its figures as it writes them; it is ended at the end."""
    plugin = folder / "profile" / "plug-ins" / "latentfu"
    batch = _BATCH.format(folder=str(plugin), plan=str(plan_file))
    command = [program, "-n", "-s", "--batch-interpreter=python-fu-eval", "-b", batch, "--quit"]
    environment = {"GIMP3_DIRECTORY": str(folder / "profile")}
    log = folder / "gimp.log"
    with log.open("wb") as said, mock.patch.dict(os.environ, environment):
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield from _read_figures(folder / "figures", process)
    finally:
        stop_process(process)
    lines = log.read_text(errors="replace").split("\n")
    failed = [line for line in lines if "Error" in line]
    if failed or process.returncode > 0:
        raise ServerError(f"GIMP did not come to the end: {(failed or lines or ['?'])[-1].strip()}")


def _read_figures(figures: Path, process: subprocess.Popen[bytes]) -> Iterator[Measure]:
    """Lines as they come until GIMP ends."""
    end, read = time.monotonic() + _PATIENCE_S, 0
    while time.monotonic() < end:
        ended = process.poll() is not None  # Asked first: its last line is read after it.
        text = figures.read_text(encoding="utf-8") if figures.exists() else ""
        whole = text.split("\n")[:-1]
        for line in whole[read:]:
            one = json.loads(line)
            yield Measure(one["name"], float(one["value"]), "ms", int(one["runs"]))
        read = len(whole)
        if ended:
            return
        time.sleep(0.1)
    raise ServerError(f"GIMP was not done after {_PATIENCE_S / 60:.0f} minutes.")


def _measure_alone(generator: Generator, control: str) -> Measure:
    """Previews by the editor itself, as the worker makes them: neither GIMP nor a connection."""
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.generator_pool import best_device
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import PreviewRequest

    pictures = PictureStore()
    reference = pictures.add(sample_layer(generator, *_PORTRAIT))
    editor = Editor(best_device())
    strengths = iter(range(_RUNS + 1))

    def preview() -> None:
        edits = {control: 0.25 + 0.1 * next(strengths)}
        editor.preview(PreviewRequest(layer=reference, edits=edits, side=460), pictures)

    preview()  # inverts
    return median_ms("the same preview without GIMP and server", preview, _RUNS)
