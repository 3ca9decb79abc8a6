"""A network that can be installed by one name: what it is, its terms, and how it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from latentfu.core.names import Name, Resolution
from latentfu.core.progress import Progress


@dataclass(frozen=True)
class NetworkTerms:
    """Terms that are agreed to before something is fetched.

    ``covers``: what they are for, such as a file's name. ``page``: where they can be read.
    """

    covers: str
    licence: str
    non_commercial: bool
    page: str = ""


FileCheck = Literal["stated", "held", "none"]
"""How the files of a network are checked when they come: by a hash that is stated; by the hash that
a file had when it came first; not, as none is known and what comes first is held to."""


@dataclass(frozen=True)
class InstallationState:
    """How an :class:`InstallableNetwork` is now.

    ``is_agreed``: whether all of its terms were agreed to. ``kept_bytes``: what came of a download
    that broke off, or is on its way. ``installed_bytes``: what it takes on the disk.
    ``file_check``: of its files the one that is checked least; None where nobody says.
    """

    is_installed: bool
    is_agreed: bool
    kept_bytes: int = 0
    installed_bytes: int = 0
    file_check: FileCheck | None = None


@dataclass(frozen=True)
class InstallationRequest:
    """``agreed``: the person agrees to the terms. ``progress`` may raise CancelledError: what has
    come by then is kept for the next time. Bytes are told as :class:`latentfu.ByteCount`."""

    agreed: bool
    progress: Progress


@dataclass(frozen=True)
class InstallableNetwork:
    """A network that can be installed by one name, alone or with all that fits it.

    ``generator``: what the network is called here once it is installed. ``kind``: "bundle" for one
    that comes with more, which ``brings`` names, else "network". ``size``: bytes to fetch, about;
    None where nobody says. ``read_state()`` is cheap. ``install(request)`` fetches what is missing,
    goes on where it broke off, and gives a sentence; it raises BadInputError where terms are not
    agreed to. ``remove()`` takes away what it brought, or the rest of a download, and gives a
    sentence.
    """

    name: Name
    title: str
    generator: Name
    domain: str
    resolution: Resolution
    terms: tuple[NetworkTerms, ...]
    read_state: Callable[[], InstallationState]
    install: Callable[[InstallationRequest], str]
    remove: Callable[[], str]
    kind: Literal["bundle", "network"] = "network"
    brings: tuple[str, ...] = ()
    size: int | None = None
