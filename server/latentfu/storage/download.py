"""Files from the network: resumed where they broke off, checked, and whole or not there.

What has come lies beside the target as ``NAME.part``, with ``NAME.part.json`` saying of which
version of the file it is. Only a file that is complete and has the right hash gets the target's
name.
"""

from __future__ import annotations

import http.client
import socket
import urllib.error
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.progress import Progress, silent
from latentfu.storage.download_part import Part
from latentfu.storage.download_wire import AnswerError, StalledError, ask, body, wait

if TYPE_CHECKING:
    from latentfu.storage.download_wire import Answer

LARGEST = 4 << 30
ENOUGH = 1 << 20
"""An attempt that brought this many bytes was worth it: the count of attempts begins again."""


@dataclass(frozen=True)
class Offer:
    """A file that can be fetched.

    ``address``: http, https or file. ``sha256``: hex, whole or its beginning; empty where it is
    not known. ``size``: in bytes, exact, where it is known; ``largest``: more is never taken.
    ``name``: what messages call it; the last part of the address if left out.
    """

    address: str
    sha256: str = ""
    size: int | None = None
    largest: int = LARGEST
    name: str = ""

    @property
    def called(self) -> str:
        """The file's name for people."""
        return self.name or self.address.partition("?")[0].rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class Patience:
    """``stall``: seconds without (nearly) anything; ``tries`` in vain; ``pause`` between them."""

    stall: float = 30.0
    tries: int = 5
    pause: float = 2.0


def download(
    offer: Offer, target: Path, progress: Progress = silent, patience: Patience | None = None
) -> str:
    """Fetch ``offer`` to ``target``; gives the sha256 (hex). A broken download goes on.

    Stopped by the person (Ctrl+C, CancelledError from ``progress``) or by the network, what has
    come is kept for the next call. Raises BadInputError for an address that gives nothing or
    something else than was offered, StorageError where it can not be written. ``target`` is only
    ever a whole file with the right hash.
    """
    patience = patience or Patience()
    try:
        with Part(target) as part:
            resumed = part.fit(offer.address, trusted=bool(offer.sha256))
            fetch_all(offer, part, progress, patience)
            digest = part.digest()
            if resumed and not fits(digest, offer):  # the old piece may be of another file
                part.restart()
                fetch_all(offer, part, progress, patience)
                digest = part.digest()
            if not fits(digest, offer):
                part.restart()
                raise BadInputError(
                    f"What {offer.address} sent is not {offer.called}: its sha256 begins with "
                    f"{digest[:12]}, not with {offer.sha256[:12]}; it was not kept, try another "
                    "address."
                )
            part.finish()
            return digest
    except OSError as error:
        raise StorageError(
            f"{offer.called} can not be written to {target}: {error.strerror or error}."
        ) from error


def fits(digest: str, offer: Offer) -> bool:
    """Whether a hash is the one that was offered, or none was."""
    return digest.startswith(offer.sha256.lower())


def fetch_all(offer: Offer, part: Part, progress: Progress, patience: Patience) -> None:
    """Ask until all of it is in ``part``; BadInputError when that leads nowhere."""
    left = patience.tries
    while True:
        before, delay = part.size, patience.pause
        try:
            with ExitStack() as stack:
                answer = stack.enter_context(ask(offer.address, part, patience.stall))
                if take(answer, offer, part, progress):
                    return
                reason = f"it breaks off after {part.size} bytes"
        except AnswerError as error:
            if not error.passing:
                raise BadInputError(f"{offer.address} can not be had: {error}.") from error
            reason, delay = str(error), max(delay, error.delay)
        except StalledError:
            reason = f"nothing comes any more after {part.size} bytes"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            cause = getattr(error, "reason", error)
            reason = getattr(cause, "strerror", "") or str(cause) or type(cause).__name__
            if isinstance(cause, socket.gaierror | FileNotFoundError):
                raise BadInputError(f"{offer.address} can not be had: {reason}.") from error
        left = patience.tries if part.size - before >= ENOUGH else left - 1
        if left <= 0:
            kept = ", it goes on from there" if part.size else ""
            raise BadInputError(f"{offer.address} can not be had: {reason}; try again later{kept}.")
        wait(delay, progress, part.size, offer.size)


def take(answer: Answer, offer: Offer, part: Part, progress: Progress) -> bool:
    """Write one answer into ``part``; whether all of the file is there then."""
    if answer.complete:  # the server says that there is no more than what we have
        return True
    if answer.start != part.size:
        part.restart()
    part.remember(offer.address, answer.validator, answer.total)
    check_size(answer.total, offer, part)
    part.check_room(answer.total)
    for piece in body(answer):
        part.write(piece)
        if part.size > min(offer.largest, offer.size or offer.largest):
            raise too_large(offer, part)
        whole = answer.total or offer.size
        progress(min(part.size / whole, 1.0) if whole else 0.0, said(part.size, whole))
    return part.size >= (answer.total or offer.size or 0)


def check_size(total: int | None, offer: Offer, part: Part) -> None:
    """BadInputError for an answer that can not be the file that was offered."""
    if total is None:
        return
    if offer.size is not None and total != offer.size:
        part.restart()
        raise BadInputError(
            f"{offer.address} offers {total} bytes where {offer.called} has {offer.size}: "
            "it is another file, try another address."
        )
    if total > offer.largest:
        raise too_large(offer, part)


def too_large(offer: Offer, part: Part) -> BadInputError:
    """The sentence for more than was to be expected; nothing of it is kept."""
    part.restart()
    most = offer.size or offer.largest
    return BadInputError(
        f"{offer.address} sends more than the {most} bytes that {offer.called} may have: "
        "try another address."
    )


def said(have: int, whole: int | None) -> str:
    """How far it is, for a bar."""
    return f"{have / 1e6:.0f} of {whole / 1e6:.0f} MB" if whole else f"{have / 1e6:.0f} MB"
