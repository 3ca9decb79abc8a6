"""What is answered about networks: those that are installed, and those that can be."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latentfu.core.installable_network import FileCheck
from latentfu.protocol.replies import Reply


class TermsReply(Reply):
    """Terms that are agreed to before something is fetched."""

    covers: str = Field(description="What they are for.")
    licence: str
    non_commercial: bool = Field(description="Whether they allow no commercial use.")
    page: str = Field(description="Where they can be read; empty where nobody says.")


class NetworkReply(Reply):
    """A network that is installed, or can be."""

    name: str
    title: str = Field(description="What it is for.")
    kind: Literal["bundle", "network", "own", "built-in"] = Field(
        description="A network with what fits it, one alone, one that the owner imported, or one "
        "of a plug-in."
    )
    generator: str = Field(description="What the network is called once it is installed.")
    domain: str
    resolution: int = Field(description="Side of its pictures in pixels.")
    brings: tuple[str, ...] = Field(description="What is installed beside the network.")
    size: int | None = Field(description="Bytes to fetch, about; null where nobody says.")
    terms: tuple[TermsReply, ...]
    is_agreed: bool = Field(description="Whether all of the terms were agreed to.")
    is_installed: bool
    is_default: bool = Field(description="Whether it works where a request names none.")
    is_removable: bool
    installed_bytes: int = Field(description="What it takes on the disk; 0 where not known.")
    file_check: FileCheck | None = Field(
        default=None,
        description="How its files are checked when they come: by a hash that is stated, held to "
        "the hash that they had when they came first, or none is known; null where nobody says.",
    )
    kept_bytes: int = Field(
        description="What has come of a download that was paused, broke off or is under way."
    )
    job: str | None = Field(default=None, description="The job that installs it and has not ended.")


class NetworksReply(Reply):
    """What is installed, the default first, and then what can be had."""

    networks: list[NetworkReply]


class InstalledReply(Reply):
    """What a finished job of kind install says about itself."""

    network: str
    generator: str
    message: str = Field(description="What is there now, as a sentence.")


class RemovedReply(Reply):
    """A network was removed."""

    network: str
    message: str = Field(description="What went and what was kept, as a sentence.")
