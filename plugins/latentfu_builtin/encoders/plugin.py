"""What this package brings: inverters that ask an encoder first, and the commands around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import latentfu
from latentfu import (
    Command,
    Encoder,
    Generator,
    Inversion,
    InversionRequest,
    Inverter,
    Level,
    WatchedFolder,
    data_dir,
    hookimpl,
)

from latentfu_builtin.encoders.own import own_encoders
from latentfu_builtin.inversion.settings import SEARCH_DEFAULTS

if TYPE_CHECKING:
    import click


REFINING = {
    **SEARCH_DEFAULTS,
    "start": "encoder",
    "steps": 50,
    "rate": 0.25,
    "ramp_up": 0.1,
    "ramp_down": 1.0,
    "cascade": 0.0,
    "prior": 0.3,
}
"""The optimisation's options for a short way from a good start.

The prior keeps the layers' codes together: with 0.002 pictures were 0.2 dB nearer, and edits moved
0.6 instead of 0.85 of what was asked.
"""


def fits(generator: Generator) -> bool:
    """Whether there is an encoder for these weights."""
    return any(found.generator_id == generator.id for found in latentfu.encoders().values())


def encode(request: InversionRequest) -> Inversion:
    """One forward pass."""
    from latentfu_builtin.encoders.inverters import encode

    return encode(request)


def refine(request: InversionRequest) -> Inversion:
    """One forward pass and a few steps."""
    from latentfu_builtin.encoders.inverters import encode_and_refine

    return encode_and_refine(request)


def refine_many(requests: Sequence[InversionRequest]) -> list[Inversion]:
    """The same for several pictures together."""
    from latentfu_builtin.encoders.inverters import encode_and_refine_many

    return encode_and_refine_many(requests)


def train() -> click.Command:
    """latentfu train encoder."""
    from latentfu_builtin.encoders.training.cli import train_command

    return train_command


def bring_in() -> click.Command:
    """latentfu encoders import."""
    from latentfu_builtin.encoders.foreign.cli import import_command

    return import_command


def show() -> click.Command:
    """latentfu encoders list."""
    from latentfu_builtin.encoders.foreign.cli import list_command

    return list_command


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The encoders that were trained or imported on this machine."""
    return own_encoders()


@hookimpl
def latentfu_watched_folders() -> list[WatchedFolder]:
    """Where trained and imported encoders are put: a running server uses a new one."""
    return [WatchedFolder("encoders", data_dir() / "encoders")]


@hookimpl
def latentfu_inverters() -> list[Inverter]:
    """Both need an encoder that was trained for the generator."""
    spaces = ("z", "w", "w+", "w++")
    return [
        Inverter(
            name="encoder",
            title="Encoder, one pass",
            spaces=spaces,
            invert=encode,
            options={"encoder": "auto", "loss": "auto"},
            description="A blink a picture; as good as the encoder of the generator.",
            levels={"draft": Level(20)},
            fits=fits,
        ),
        Inverter(
            name="encoder-refined",
            title="Encoder and a short refinement",
            spaces=spaces,
            invert=refine,
            options=REFINING,
            description="A second or two a picture: the encoder's code, made better.",
            levels={"good": Level(20), "best": Level(20, {"steps": 300})},
            fits=fits,
            invert_many=refine_many,
        ),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training, and encoders of other projects."""
    return [
        Command(("train", "encoder"), "Train an encoder for a generator.", train),
        Command(("encoders", "import"), "Bring in an encoder of another project.", bring_in),
        Command(("encoders", "list"), "List the installed encoders.", show),
    ]
