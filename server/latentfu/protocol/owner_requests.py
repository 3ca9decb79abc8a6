"""What the owner of a server chooses about it: when it ends, the default network, plug-ins."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from latentfu.protocol.model import Name
from latentfu.protocol.requests import LIMITS


class IdleStopRequest(BaseModel):
    """When a server that nobody uses ends."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    minutes: float = Field(
        ge=LIMITS["minutes"][0],
        le=LIMITS["minutes"][1],
        description="Minutes without use; 0: it stays.",
    )


class DrainRequest(BaseModel):
    """How a server is to end that takes no new work any more."""

    model_config = ConfigDict(extra="forbid", strict=True)

    waiting: Literal["finish", "keep"] = Field(
        default="finish",
        description="Jobs that wait: finish: they are done first; keep: the next server does them.",
    )


class DefaultGeneratorRequest(BaseModel):
    """Which network works where a request names none."""

    model_config = ConfigDict(extra="forbid", strict=True)

    generator: Name | None = Field(
        description="An installed network; null takes the choice back: the first installed."
    )


class PluginStateRequest(BaseModel):
    """Whether a plug-in is to be used."""

    model_config = ConfigDict(extra="forbid", strict=True)

    enabled: bool = Field(description="false: it is not imported any more.")


class SettingRequest(BaseModel):
    """What a setting of a plug-in is set to."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    value: bool | int | float | str = Field(description="In the setting's own type.")
