"""What this package brings: inverters that ask an encoder first, and the commands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentfu import Command, Encoder, Inversion, InversionRequest, Inverter, hookimpl

from latentfu_encoders.own import own_encoders

if TYPE_CHECKING:
    import click


REFINING = {
    "encoder": "auto",
    "steps": 40,
    "rate": 0.1,
    "pixel": 1.0,
    "perceptual": 1.0,
    "prior": 0.002,
    "loss": "auto",
}


def encode(request: InversionRequest) -> Inversion:
    """One forward pass."""
    from latentfu_encoders.inverters import encode

    return encode(request)


def refine(request: InversionRequest) -> Inversion:
    """One forward pass and a few steps."""
    from latentfu_encoders.inverters import encode_and_refine

    return encode_and_refine(request)


def train() -> click.Command:
    """latentfu train encoder."""
    from latentfu_encoders.training.cli import train_command

    return train_command


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The encoders that were trained or imported on this machine."""
    return own_encoders()


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
        ),
        Inverter(
            name="encoder-refined",
            title="Encoder and a short refinement",
            spaces=spaces,
            invert=refine,
            options=REFINING,
            description="A second or two a picture: the encoder's code, made better.",
        ),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training."""
    return [Command(("train", "encoder"), "Train an encoder for a generator.", train)]
