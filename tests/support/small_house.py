"""A plug-in file that brings a whole small house: generator, inverter, two controls, a command."""

from __future__ import annotations

from pathlib import Path

PLUGIN = """
import click
import latentfu
from latentfu import hookimpl

ID = "{id}"


def load(device):
    from latentfu.testing import TinyGenerator
    return TinyGenerator(device=device)


def invert(request):
    import torch
    request.progress(0.5, "Guessing")
    quality = latentfu.Quality(12.0, 0.1, "none", 0.0)
    latent = latentfu.random_latents(request.generator, 1, seed=2)
    return latentfu.Inversion(latent, quality, "guess")


class Step(latentfu.ControlEffect):
    def apply(self, latent, strength, generator):
        codes = latent.codes.clone()
        codes[:, 0] += strength
        return latent.with_codes(codes)


@hookimpl
def latentfu_generators():
    return [latentfu.GeneratorSpec("tiny", "Tiny", "test", 16, ID, load)]


@hookimpl
def latentfu_inverters():
    return [latentfu.Inverter("guess", "Guess", ("z",), invert)]


@hookimpl
def latentfu_controls(generator):
    if generator.id != ID:
        return []
    return [
        latentfu.Control("tilt", "Tilt", "more [tilt]", ID, Step),
        latentfu.Control("bend", "Bend", "more bend", ID, Step, kind="deformation"),
        latentfu.Control("mood", "Mood", "more mood", ID, Step, kind="prompt"),
    ]


def greet():
    @click.command()
    @click.option("--fail", is_flag=True)
    def command(fail):
        if fail:
            raise latentfu.BadInputError("This cannot be greeted: give another name.")
        click.echo("hello")
    return command


@hookimpl
def latentfu_commands():
    return [
        latentfu.Command(("directions", "greet"), "Say hello.", greet),
        latentfu.Command(("party", "greet"), "Say hello there.", greet),
        latentfu.Command(("party", "salute"), "Old name of greet.", greet, hidden=True),
        latentfu.Command(("party", "crash"), "Fails to load.", lambda: 1 / 0),
    ]
"""


def build(home: Path) -> None:
    """Put the plug-in into ``home``."""
    from latentfu.testing import tiny_spec

    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "small_house.py").write_text(PLUGIN.replace("{id}", tiny_spec().id))
