"""What this package brings: inverters that ask an encoder first, and the commands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentfu import Command, Encoder, hookimpl

from latentfu_encoders.own import own_encoders

if TYPE_CHECKING:
    import click


def train() -> click.Command:
    """latentfu train encoder."""
    from latentfu_encoders.training.cli import train_command

    return train_command


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The encoders that were trained or imported on this machine."""
    return own_encoders()


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training."""
    return [Command(("train", "encoder"), "Train an encoder for a generator.", train)]
