"""Runs the tour and writes its pictures and its report."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from latentfu.setup.versions import machine, versions
from latentfu.demo.portraits import SITTER, SOURCE, portrait, save
from latentfu.demo.server import lent_server
from latentfu.demo.progress_display import Teller
from latentfu.demo.scenes import MASKED_WISHES, STRENGTHS, WISHES, Tour
from latentfu.core.errors import LatentFuError, NotInstalledError, StorageError
from latentfu.core.progress import between
from latentfu.core.contact_sheet import contact_sheet
from latentfu.storage.atomic import whole_file, write_whole
from latentfu.client.client import Client
from latentfu.protocol.replies import GeneratorReply


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
    teller = Teller()
    with teller.step("portrait", "Rendering a portrait"):
        sitter = portrait(SITTER)
        save(out / "portrait.png", sitter)
    with teller.step("source", "Rendering a second one to mix with"):
        source = portrait(SOURCE)
    with ExitStack() as stack:
        with teller.step("server", "Starting the server") as progress:
            client = stack.enter_context(lent_server(progress))
        generator = _choose(client, generator_name)
        controls = client.controls(generator.name).controls
        if not controls:
            raise NotInstalledError(
                f"The generator {generator.name} has no directions: install a plug-in that "
                "brings some, or see latentfu directions --help."
            )
        tour = Tour(client, sitter, generator, list(controls))
        _pictures(tour, source, teller, out)
        _sheet(tour, teller, out)
    report = {
        "generator": {"name": generator.name, "id": generator.id, "side": generator.resolution},
        "inversion": _quality(tour.reports["inverted"]),
        "changed_outside_mask": sum(tour.outside.values()),
        "changed_outside": tour.outside,
        "edits": {"edited": tour.wished(WISHES), "masked": tour.wished(MASKED_WISHES)},
        "seconds": teller.seconds,
        "server_seconds": {name: made.get("seconds") for name, made in tour.reports.items()},
        "versions": versions(),
        "machine": machine(),
    }
    write_whole(out / "report.json", json.dumps(report, indent=2).encode() + b"\n")
    _check(tour)
    print(f"\nLook here: {out / 'sheet.png'} and the pictures beside it; figures in report.json.")


def _choose(client: Client, name: str | None) -> GeneratorReply:
    installed = {generator.name: generator for generator in client.generators().generators}
    name = name or next(iter(installed), None)
    if name not in installed:
        known = ", ".join(installed) or "none"
        raise NotInstalledError(f"There is no generator {name or 'at all'}; installed: {known}.")
    return installed[name]


def _pictures(tour: Tour, source: Any, teller: Teller, out: Path) -> None:
    with teller.step("inverted", "Finding the portrait in the network") as progress:
        save(out / "inverted.png", tour.invert(progress))
    with teller.step("edited", "Editing several directions") as progress:
        save(out / "edited.png", tour.edit(progress))
    with teller.step("masked", "Editing inside a mask") as progress:
        save(out / "masked.png", tour.edit_masked(progress))
    with teller.step("mixed", "Mixing in a second portrait inside a mask") as progress:
        save(out / "mixed.png", tour.mix(source, progress))


def _sheet(tour: Tour, teller: Teller, out: Path) -> None:
    directions = [control for control in tour.controls if control.kind == "direction"]
    count = len(directions)
    with teller.step("sheet", f"Trying {count} directions for the contact sheet") as progress:
        rows = [
            tour.row(control, between(progress, index / count, (index + 1) / count))
            for index, control in enumerate(directions)
        ]
        heads = [f"{strength:+.0f}" if strength else "0" for strength in STRENGTHS]
        with whole_file(out / "sheet.png") as temporary:
            contact_sheet(rows, heads).save(temporary, "PNG")


def _quality(report: Any) -> dict[str, object]:
    keys = ("psnr", "perceptual", "perceptual_name", "inverter", "aligner", "inversion_cached")
    return {key: report.get(key) for key in keys}


def _check(tour: Tour) -> None:
    spilled = {name: count for name, count in tour.outside.items() if count}
    if spilled:
        raise LatentFuError(
            f"Pixels outside the mask were changed ({spilled}): this is a fault of the program, "
            "please report it."
        )
