"""``latentfu bench real``: what a photographer waits for with a network of the published size.

The published weights are not needed: see ``stand_in_network``. Each step is a command in a process
of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
from latentfu import LatentFuError, Measure, json_option, print_measures

from latentfu_builtin.benchmarks.stand_in_network import write_stand_in, write_stand_in_encoder

_SMALL, _FULL = 256, 1024


class _Step(NamedTuple):
    """A command, what a person would call it, and whether an encoder is there by then."""

    what: str
    words: Sequence[str]
    encoded: bool = False


class _Cost(NamedTuple):
    """What a command took; ``peak_mb`` is 0 where the system does not say."""

    seconds: float
    peak_mb: float
    said: str


@click.command("real")
@click.option("--full", is_flag=True, help="A network of 1024 px, as published, instead of 256.")
@click.option(
    "--photo",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A portrait; default: a rendered one.",
)
@json_option
def real_command(*, full: bool, photo: Path | None, as_json: bool) -> None:
    """Measure what a photographer waits for with a network of the published size."""
    print_measures("real", measure_real(_FULL if full else _SMALL, photo), as_json)


def measure_real(resolution: int, photo: Path | None = None) -> Iterator[Measure]:
    """Seconds and peak memory of each step, and how near the inversions come.

    Args:
        resolution: of the network, 256 or more.
        photo: a picture file; None for a rendered portrait.

    Raises:
        LatentFuError: a step failed.
    """
    with tempfile.TemporaryDirectory(prefix="latentfu-real-") as name:
        folder = Path(name)
        write_stand_in(folder / "stand-in.safetensors", resolution)
        picture = photo.resolve() if photo else _render_sitter(folder / "photo.png")
        encoder = folder / "home" / "data" / "encoders" / "real.safetensors"
        for step in _list_steps(folder, picture):
            if step.encoded and not encoder.is_file():
                encoder.parent.mkdir(parents=True, exist_ok=True)
                write_stand_in_encoder(encoder, folder / "stand-in.safetensors")
            cost = _run(step, folder)
            yield Measure(step.what, round(cost.seconds, 2), "s", 1)
            if cost.peak_mb:
                yield Measure(f"{step.what}: peak memory", round(cost.peak_mb), "MB", 1)
            if step.words[0] == "invert":
                psnr = float(json.loads(cost.said)["psnr"])
                yield Measure(f"{step.what}: nearness", round(psnr, 2), "dB", 1)


def _render_sitter(path: Path) -> Path:
    from PIL import Image

    from latentfu_builtin.people_network.sample_pictures import list_people_samples

    Image.fromarray(list_people_samples("faces")[0].render()).save(path)
    return path


def _list_steps(folder: Path, picture: Path) -> list[_Step]:
    """The way from a file of weights to a film; each step has what it needs of those before."""
    real = ["--generator", "real"]
    edit = ["edit", str(picture), *real, "--local", "--set"]
    invert = ["invert", str(picture), *real, "--json", "-o", str(folder / "code.safetensors")]
    svd = ["--layer", "5", "--method", "svd", "--count", "4", "--out", str(folder / "svd")]
    return [
        _Step("bring the network in", ["generators", "import", str(folder / "stand-in.safetensors"),
                                       "--name", "real"]),
        _Step("one picture", ["generators", "render", "real", "-o", str(folder / "pictures")]),
        _Step("find directions (SeFa)", ["directions", "find", "--method", "sefa", *real,
                                         "--count", "2", "--name", "0=tilt"]),
        _Step("invert, draft, without an encoder", [*invert, "--quality", "draft"]),
        _Step("invert, draft", [*invert, "--quality", "draft"], True),
        _Step("invert, good", [*invert, "--quality", "good"], True),
        _Step("edit, inverted before", [*edit, "tilt=1", "-o", str(folder / "out.png")]),
        _Step("film of 5 frames", ["sweep", str(picture), *real, "--local", "--set", "tilt=-1..1",
                                   "--frames", "5", "-o", str(folder / "film.webp")]),
        _Step("find deformations (SVD)", ["deformations", "discover", *real, *svd]),
    ]  # fmt: skip


def _run(step: _Step, folder: Path) -> _Cost:
    """Run one command; raises LatentFuError with what it said when it fails."""
    environment = {**os.environ, "LATENTFU_HOME": str(folder / "home")}
    said, told = folder / "said", folder / "told"
    begun = time.perf_counter()
    with said.open("wb") as out, told.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "latentfu", *step.words],
            env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
        )  # fmt: skip
        try:
            code, peak_mb = _wait(process)
        except BaseException:
            process.kill()
            raise
    seconds = time.perf_counter() - begun
    if code:
        last = told.read_text("utf-8", "replace").strip().splitlines()[-1:]
        raise LatentFuError(f"The step {step.what!r} failed: {' '.join(last)}")
    return _Cost(seconds, peak_mb, said.read_text("utf-8"))


def _wait(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Its exit code and the most memory it had, in MB."""
    if not hasattr(os, "wait4"):
        return process.wait(), 0.0
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return process.returncode, used.ru_maxrss * unit / 1e6
