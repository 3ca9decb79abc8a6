"""Makes the pictures of the demo and its report, and says what is being done meanwhile."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from latentfu.cli.output import progress_bar
from latentfu.client.client import Client
from latentfu.core.contact_sheet import contact_sheet
from latentfu.core.errors import LatentFuError, NotInstalledError, StorageError
from latentfu.core.progress import Progress, between
from latentfu.demo.sample_pictures import (
    choose_sample_pictures,
    read_sample_picture,
    save_picture,
)
from latentfu.demo.scenes import MASKED_WISHES, STRENGTHS, WISHES, DemoScenes
from latentfu.protocol.replies import GeneratorReply
from latentfu.setup.selfcheck import borrow_server, describe_machine, package_versions
from latentfu.storage.atomic import whole_file, write_whole

_MOST_ROWS = 40
"""Directions on the contact sheet: the first ones, which people try first."""


def run_demo(out: Path, generator_name: str | None = None) -> None:
    """Make everything in ``out`` with a generator (None: the default one).

    Raises LatentFuError in one sentence; what is finished by then stays.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"Could not make {out}: {error.strerror}; name another --out."
        ) from error
    display = ProgressDisplay()
    first, second = choose_sample_pictures(generator_name)
    with display.step("portrait", "Rendering a portrait"):
        sitter = read_sample_picture(first)
        save_picture(out / "portrait.png", sitter)
    with display.step("source", "Rendering a second one to mix with"):
        source = read_sample_picture(second)
    with ExitStack() as stack:
        with display.step("server", "Starting the server") as progress:
            client = stack.enter_context(borrow_server(progress))
        generator = _choose_generator(client, generator_name)
        known = client.controls(generator.name).controls
        controls = [control for control in known if control.widget == "slider"]
        if not controls:
            raise NotInstalledError(
                f"The generator {generator.name} has no directions: install a plug-in that "
                "brings some, or see latentfu directions --help."
            )
        scenes = DemoScenes(client, sitter, generator, controls)
        _make_pictures(scenes, source, display, out)
        _make_sheet(scenes, display, out)
    report = {
        "generator": {"name": generator.name, "id": generator.id, "side": generator.resolution},
        "inversion": _inversion_quality(scenes.reports["inverted"]),
        "changed_outside_mask": sum(scenes.outside.values()),
        "changed_outside": scenes.outside,
        "edits": {"edited": scenes.wished(WISHES), "masked": scenes.wished(MASKED_WISHES)},
        "seconds": display.seconds,
        "server_seconds": {name: made.get("seconds") for name, made in scenes.reports.items()},
        "versions": package_versions(),
        "machine": describe_machine(),
    }
    write_whole(out / "report.json", json.dumps(report, indent=2).encode() + b"\n")
    _check_masks(scenes)
    print(f"\nLook here: {out / 'sheet.png'} and the pictures beside it; figures in report.json.")


def _choose_generator(client: Client, name: str | None) -> GeneratorReply:
    installed = {generator.name: generator for generator in client.generators().generators}
    name = name or next(iter(installed), None)
    if name not in installed:
        known = ", ".join(installed) or "none"
        raise NotInstalledError(f"There is no generator {name or 'at all'}; installed: {known}.")
    return installed[name]


def _make_pictures(scenes: DemoScenes, source: Any, display: ProgressDisplay, out: Path) -> None:
    with display.step("inverted", "Finding the portrait in the network") as progress:
        save_picture(out / "inverted.png", scenes.invert(progress))
    with display.step("edited", "Editing several directions") as progress:
        save_picture(out / "edited.png", scenes.edit(progress))
    with display.step("masked", "Editing inside a mask") as progress:
        save_picture(out / "masked.png", scenes.edit_masked(progress))
    with display.step("mixed", "Mixing in a second portrait") as progress:
        save_picture(out / "mixed.png", scenes.mix(source, progress))


def _make_sheet(scenes: DemoScenes, display: ProgressDisplay, out: Path) -> None:
    directions = [control for control in scenes.controls if control.kind == "direction"]
    directions = directions[:_MOST_ROWS]
    count = len(directions)
    with display.step("sheet", f"Trying {count} directions for the contact sheet") as progress:
        rows = [
            scenes.row(control, between(progress, index / count, (index + 1) / count))
            for index, control in enumerate(directions)
        ]
        heads = [f"{strength:+.0f}" if strength else "0" for strength in STRENGTHS]
        with whole_file(out / "sheet.png") as temporary:
            contact_sheet(rows, heads).save(temporary, "PNG")


def _inversion_quality(report: Any) -> dict[str, object]:
    keys = ("psnr", "perceptual", "perceptual_name", "inverter", "aligner", "inversion_cached")
    return {key: report.get(key) for key in keys}


def _check_masks(scenes: DemoScenes) -> None:
    spilled = {name: count for name, count in scenes.outside.items() if count}
    if spilled:
        raise LatentFuError(
            f"Pixels outside the mask were changed ({spilled}): this is a fault of the program, "
            "please report it."
        )


_HEARTBEAT_SECONDS = 5.0


class ProgressDisplay:
    """Announces each step and keeps how long it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Progress]:
        """One step; the progress given shows the bar, or a line every few seconds."""
        started = time.perf_counter()
        if sys.stderr.isatty():
            with progress_bar(title) as progress:
                yield progress
        else:
            print(f"{title} ...", flush=True)
            yield _line_progress()
        self.seconds[name] = round(time.perf_counter() - started, 3)
        print(f"{title}: {self.seconds[name]:.1f} s", flush=True)


def _line_progress() -> Progress:
    last = time.monotonic()

    def show(fraction: float, message: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _HEARTBEAT_SECONDS:
            last = now
            print(f"  {fraction:4.0%}  {message}", flush=True)

    return show
