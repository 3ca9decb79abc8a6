"""What this package brings: inverters that ask an encoder first, and the commands around it."""

from __future__ import annotations

from latentfu import (
    Command,
    Encoder,
    Generator,
    Inverter,
    Level,
    WatchedFolder,
    data_dir,
    hookimpl,
)

from latentfu_builtin.encoders.user_files import list_user_encoders
from latentfu_builtin.inversion.settings import SEARCH_DEFAULTS
from latentfu_builtin.lazy import call_later, later

_ROOM = "latentfu_builtin.encoders"
_REFINING = {
    **SEARCH_DEFAULTS,
    "start": "encoder",
    "steps": 50,
    "rate": 0.25,
    "ramp_up": 0.1,
    "ramp_down": 1.0,
    "cascade": 0.0,
    "prior": 0.3,
    "quick_side": 128,
}
"""The optimization's options for a short way from a good start.

The prior keeps the layers' codes together: with 0.002 pictures were 0.2 dB nearer, and edits moved
0.6 instead of 0.85 of what was asked.
"""


def _has_encoder(generator: Generator) -> bool:
    """That there is an encoder for these weights (raises NotInstalledError)."""
    from latentfu_builtin.encoders.choose_encoder import choose_encoder

    choose_encoder(generator)
    return True


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The encoders that were trained or imported on this machine."""
    return list_user_encoders()


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
            invert=call_later(f"{_ROOM}.inverters:invert_by_encoder"),
            options={"encoder": "auto", "loss": "auto"},
            description="A blink a picture; as good as the encoder of the generator.",
            levels={"draft": Level(20)},
            fits=_has_encoder,
        ),
        Inverter(
            name="encoder-refined",
            title="Encoder and a short refinement",
            spaces=spaces,
            invert=call_later(f"{_ROOM}.inverters:refine_latent"),
            options=_REFINING,
            description="A second or two a picture: the encoder's code, made better.",
            levels={"good": Level(20), "best": Level(20, {"steps": 300, "quick_side": 256})},
            fits=_has_encoder,
            invert_many=call_later(f"{_ROOM}.inverters:refine_latents"),
        ),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training, and encoders of other projects."""
    return [
        Command(
            ("train", "encoder"),
            "Train an encoder for a generator.",
            later(f"{_ROOM}.cli:train_encoder_command"),
        ),
        Command(
            ("encoders", "import"),
            "Bring in an encoder of another project.",
            later(f"{_ROOM}.cli:import_encoder_command"),
        ),
        Command(
            ("encoders", "list"),
            "List the installed encoders.",
            later(f"{_ROOM}.cli:list_encoders_command"),
        ),
    ]
