"""What ``latentfu plugins new`` writes for methods: module and test of each.

Each module works as it is, and its test holds it to the contract; see plugin_kinds.
"""

from __future__ import annotations

INVERTER = (
    '''\
"""An inversion method: the best of some random latents, as a start for your own."""

from __future__ import annotations

import math
import time

import latentfu


def invert(request: latentfu.InversionRequest) -> latentfu.Inversion:
    """The one of ``count`` random latents whose picture is nearest."""
    import torch  # here, so that listing plug-ins stays fast

    begun, generator = time.perf_counter(), request.generator
    target = torch.from_numpy(request.crop.image)[None].to(generator.device)
    best, lowest = generator.mean_latent(), math.inf
    count = int(request.options["count"])
    for seed in range(count):
        request.progress(seed / count, "Trying latents")  # raises CancelledError: let it through
        latent = latentfu.random_latents(generator, 1, seed) if seed else generator.mean_latent()
        with torch.no_grad():
            error = float((generator.render(latent).clamp(-1, 1) - target).square().mean())
        if error < lowest:
            best, lowest = latent, error
    seconds = time.perf_counter() - begun
    quality = latentfu.Quality(10 * math.log10(4 / max(lowest, 1e-10)), lowest, "l2", seconds)
    return latentfu.Inversion(best, quality, "$name")


@latentfu.hookimpl
def latentfu_inverters() -> list[latentfu.Inverter]:
    """No level: it is used when a person names it (--inverter $name)."""
    return [
        latentfu.Inverter(
            name="$name",
            title="Best of some random latents",
            spaces=("z", "w", "w+", "w++"),
            invert=invert,
            options={"count": 32},
        )
    ]
''',
    """\
from latentfu.testing import TinyGenerator, check_inverter

import $module


def test_the_inverter_keeps_the_contract(tiny_generator: TinyGenerator) -> None:
    (inverter,) = $module.latentfu_inverters()
    check_inverter(inverter, tiny_generator)
""",
)

ALIGNER = (
    '''\
"""An aligner: where in a picture the square is that a generator understands."""

from __future__ import annotations

from typing import Any

import latentfu

DOMAIN = "$name"


def find(rgb: Any) -> list[latentfu.Quad]:
    """The square around what differs from the border; ``rgb`` is uint8 ``[H, W, 3]``."""
    import numpy as np

    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    apart = np.abs(rgb.astype(np.int16) - np.median(border, axis=0)).max(axis=2) > 40
    if not apart.any():
        return []
    rows, columns = np.flatnonzero(apart.any(axis=1)), np.flatnonzero(apart.any(axis=0))
    side = float(max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1)
    x, y = (columns[0] + columns[-1] + 1 - side) / 2, (rows[0] + rows[-1] + 1 - side) / 2
    return [latentfu.Quad.square(float(x), float(y), side)]


@latentfu.hookimpl
def latentfu_aligners() -> list[latentfu.Aligner]:
    """Generators of the domain use it when their aligner is "$name"."""
    return [latentfu.Aligner("$name", "What differs from the border", (DOMAIN,), find)]
''',
    """\
import numpy as np
from latentfu.testing import check_aligner

import $module


def test_the_aligner_keeps_the_contract() -> None:
    picture = np.full((60, 80, 3), 40, np.uint8)
    picture[20:50, 30:60] = 200
    (aligner,) = $module.latentfu_aligners()
    (quad,) = check_aligner(aligner, picture)
    assert quad.corners[0] == (30.0, 20.0)
""",
)

LOSS = (
    '''\
"""A loss: how far two pictures are apart, for inversion (--losses $name:1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import latentfu


def build(generator: latentfu.Generator) -> Callable[[Any, Any], Any]:
    """Pictures ``[N, 3, R, R]`` twice in -1..1 -> ``[N]``: the difference of their slopes."""

    def distance(a: Any, b: Any) -> Any:
        down = (a[:, :, 1:] - a[:, :, :-1]) - (b[:, :, 1:] - b[:, :, :-1])
        across = (a[..., 1:] - a[..., :-1]) - (b[..., 1:] - b[..., :-1])
        return down.square().mean(dim=(1, 2, 3)) + across.square().mean(dim=(1, 2, 3))

    return distance


@latentfu.hookimpl
def latentfu_losses() -> list[latentfu.Loss]:
    """For every domain; name some in ``domains`` to be their default."""
    return [latentfu.Loss("$name", "Difference of slopes", build)]
''',
    """\
from latentfu.testing import TinyGenerator, check_loss

import $module


def test_the_loss_keeps_the_contract(tiny_generator: TinyGenerator) -> None:
    (loss,) = $module.latentfu_losses()
    check_loss(loss, tiny_generator)
""",
)

MAKER = (
    '''\
"""A control maker: a method that makes directions (latentfu directions train X --maker $name)."""

from __future__ import annotations

from pathlib import Path

import latentfu


def make(request: latentfu.ControlRequest, out: Path) -> list[Path]:
    """The mean of the codes that score high minus that of those that score low."""
    import torch  # here, so that listing plug-ins stays fast

    if request.scorer is None or request.attribute not in request.scorer.attributes:
        raise latentfu.BadInputError(f"No scorer reads {request.attribute}: install one.")
    generator, column = request.generator, request.scorer.attributes.index(request.attribute)
    score = request.scorer.load(str(generator.device))
    latents = latentfu.random_latents(generator, request.samples, request.seed)
    scores = []
    for place, part in enumerate(torch.split(latents.codes, 16)):
        request.progress(place * 16 / request.samples, "Scoring samples")
        with torch.no_grad():
            scores.append(score(generator.render(latents.with_codes(part)))[:, column])
    order = torch.cat(scores).argsort()
    flat = latents.codes.mean(dim=1) if latents.codes.ndim == 3 else latents.codes
    count = max(1, round(float(request.options["ends"]) * len(order)))
    step = flat[order[-count:]].mean(dim=0) - flat[order[:count]].mean(dim=0)
    name = str(request.options.get("name", f"my-{request.attribute}"))
    direction = latentfu.Direction(
        vector=step.cpu().numpy(),
        space="z" if latents.space == "z" else "w",
        name=name,
        generator_id=generator.id,
        attribute=request.attribute,
        plus=f"more {request.attribute}",
        method="$name",
        samples=request.samples,
    )
    return [latentfu.write_direction(out / f"{name}.safetensors", direction)]


@latentfu.hookimpl
def latentfu_control_makers() -> list[latentfu.ControlMaker]:
    """``ends``: the part of the samples that counts as high, and as low."""
    return [latentfu.ControlMaker("$name", "Difference of means", make, {"ends": 0.25})]
''',
    """\
from collections.abc import Callable
from pathlib import Path

import latentfu
import torch
from latentfu.testing import TinyGenerator, check_control_maker

import $module


def load(device: str) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda images: torch.stack([images.mean(dim=(1, 2, 3))], dim=1)


def test_the_maker_keeps_the_contract(tiny_generator: TinyGenerator, tmp_path: Path) -> None:
    (maker,) = $module.latentfu_control_makers()
    scorer = latentfu.Scorer("light", "Light", "test", ("light",), load)
    (found,) = check_control_maker(
        maker, tiny_generator, scorer, attribute="light", folder=tmp_path
    )
    assert found.attribute == "light"
""",
)

COMMAND = (
    '''\
"""A command of the program: latentfu $name hello."""

from __future__ import annotations

from typing import Any

import latentfu


def load() -> Any:
    """The click command; imported when it is called."""
    import json

    import click

    @click.command("hello")
    @click.argument("generator", required=False)
    @latentfu.json_option
    def hello(generator: str | None, as_json: bool) -> None:
        """Say how many controls GENERATOR has."""
        count = len(latentfu.controls(generator))
        click.echo(json.dumps({"controls": count}) if as_json else f"It has {count} controls.")

    return hello


@latentfu.hookimpl
def latentfu_commands() -> list[latentfu.Command]:
    """The line is shown by latentfu $name --help."""
    return [latentfu.Command(("$name", "hello"), "Say how many controls there are.", load)]
''',
    """\
from latentfu.testing import check_command

import $module


def test_the_command_keeps_the_contract() -> None:
    (command,) = $module.latentfu_commands()
    check_command(command)
""",
)
