"""Files from the network: resumed where they broke off, checked, and whole or not there.

What has come lies beside the target as ``NAME.part``, with ``NAME.part.json`` saying of which
version of the file it is. Only a file that is complete and has the right hash gets the target's
name.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.progress import ByteCount, Progress, silent
from latentfu.storage.partial_file import PartialFile

if TYPE_CHECKING:
    from latentfu.storage.partial_file import PartialFile


_LARGEST = 4 << 30
_PIECE = 256 << 10
_TRICKLE = 4 << 10
"""Fewer bytes than this in the time of a stall are as good as none."""
_LONGEST_PAUSE = 60.0
_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_ENOUGH = 1 << 20
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
    largest: int = _LARGEST
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
    """Fetch a file and check its hash; a broken download goes on where it was.

    Stopped by the person (Ctrl+C, CancelledError from ``progress``) or by the network, what has
    come is kept for the next call. ``target`` is only ever a whole file with the right hash.

    Args:
        offer: the address, and what is known of the file.
        target: where it goes.
        progress: told how far it is; may raise CancelledError.
        patience: how long to wait for the network, and how often; None for the usual.

    Returns:
        The file's sha256 (hex).

    Raises:
        BadInputError: the address gives nothing, or something else than was offered.
        StorageError: it cannot be written.
        CancelledError: ``progress`` raised it.
    """
    patience = patience or Patience()
    try:
        with PartialFile(target) as part:
            resumed = part.fit(offer.address, trusted=bool(offer.sha256))
            _fetch_all(offer, part, progress, patience)
            digest = part.digest()
            if resumed and not _fits(digest, offer):  # the old piece may be of another file
                part.restart()
                _fetch_all(offer, part, progress, patience)
                digest = part.digest()
            if not _fits(digest, offer):
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
            f"{offer.called} cannot be written to {target}: {error.strerror or error}."
        ) from error


def _fits(digest: str, offer: Offer) -> bool:
    """Whether a hash is the one that was offered, or none was."""
    return digest.startswith(offer.sha256.lower())


def _fetch_all(offer: Offer, part: PartialFile, progress: Progress, patience: Patience) -> None:
    """Ask until all of it is in ``part``; BadInputError when that leads nowhere."""
    left = patience.tries
    while True:
        before, delay = part.size, patience.pause
        try:
            with ExitStack() as stack:
                answer = stack.enter_context(_open_request(offer.address, part, patience.stall))
                if _take(answer, offer, part, progress):
                    return
                reason = f"it breaks off after {part.size} bytes"
        except AnswerError as error:
            if not error.passing:
                raise BadInputError(f"{offer.address} cannot be had: {error}.") from error
            reason, delay = str(error), max(delay, error.delay)
        except StalledError:
            reason = f"nothing comes any more after {part.size} bytes"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError) as error:
            cause = getattr(error, "reason", error)
            reason = getattr(cause, "strerror", "") or str(cause) or type(cause).__name__
            if isinstance(cause, ssl.SSLCertVerificationError):
                said = f"its certificate is not valid ({cause.verify_message})"
                raise BadInputError(f"{offer.address} cannot be had: {said}.") from error
            if isinstance(cause, socket.gaierror | FileNotFoundError):
                raise BadInputError(f"{offer.address} cannot be had: {reason}.") from error
        left = patience.tries if part.size - before >= _ENOUGH else left - 1
        if left <= 0:
            kept = ", it goes on from there" if part.size else ""
            raise BadInputError(f"{offer.address} cannot be had: {reason}; try again later{kept}.")
        _wait(delay, progress, part.size, offer.size)


def _take(answer: Answer, offer: Offer, part: PartialFile, progress: Progress) -> bool:
    """Write one answer into ``part``; whether all of the file is there then."""
    if answer.complete:  # the server says that there is no more than what we have
        return True
    if answer.start != part.size:
        part.restart()
    part.remember(offer.address, answer.validator, answer.total)
    _check_size(answer.total, offer, part)
    part.check_room(answer.total)
    for piece in _read_body(answer):
        part.write(piece)
        if part.size > min(offer.largest, offer.size or offer.largest):
            raise _too_large(offer, part)
        whole = answer.total or offer.size
        progress(min(part.size / whole, 1.0) if whole else 0.0, ByteCount.of(part.size, whole))
    return part.size >= (answer.total or offer.size or 0)


def _check_size(total: int | None, offer: Offer, part: PartialFile) -> None:
    """BadInputError for an answer that cannot be the file that was offered."""
    if total is None:
        return
    if offer.size is not None and total != offer.size:
        part.restart()
        raise BadInputError(
            f"{offer.address} offers {total} bytes where {offer.called} has {offer.size}: "
            "it is another file, try another address."
        )
    if total > offer.largest:
        raise _too_large(offer, part)


def _too_large(offer: Offer, part: PartialFile) -> BadInputError:
    """The sentence for more than was to be expected; nothing of it is kept."""
    part.restart()
    most = offer.size or offer.largest
    return BadInputError(
        f"{offer.address} sends more than the {most} bytes that {offer.called} may have: "
        "try another address."
    )


class AnswerError(Exception):
    """The server refuses; ``passing``: it may be better in ``delay`` seconds."""

    def __init__(self, said: str, passing: bool = False, delay: float = 0.0) -> None:
        super().__init__(said)
        self.passing, self.delay = passing, delay


class StalledError(Exception):
    """Nothing came for too long."""


@dataclass(frozen=True)
class Answer:
    """``start``: of the body within the file; ``total``: bytes of the file, None if not said."""

    stream: Any
    start: int
    total: int | None
    validator: str
    stall: float
    complete: bool = False


class RedirectHandler(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to something that others can change on the way."""

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> Any:
        """The request for the address that ends ``rest``."""
        if req.type == "https" and not rest[-1].lower().startswith("https:"):
            raise AnswerError(f"it leads from https to {rest[-1]}, which is not safe")
        return super().redirect_request(req, *rest)


@contextmanager
def _open_request(address: str, part: PartialFile, stall: float) -> Iterator[Answer]:
    """Ask for what ``part`` lacks; if the file has changed since, for all of it."""
    headers = {"User-Agent": "latentfu", "Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.validator:
            headers["If-Range"] = part.validator
    if not re.match(r"(https?|file)://", address):
        raise BadInputError(f"{address} is no address: it begins with https:// or http://.")
    opener = urllib.request.build_opener(RedirectHandler)
    try:
        stream = opener.open(urllib.request.Request(address, headers=headers), timeout=stall)
    except urllib.error.HTTPError as error:
        with closing(error):
            if error.code == 416 and part.size:
                yield _answer_past_end(error, part, stall)
                return
            pause = error.headers.get("Retry-After", "")
            delay = min(float(pause), _LONGEST_PAUSE) if pause.isdigit() else 0.0
            said = f"{error.code} {error.reason}".strip()
            if 300 <= error.code < 400:
                said = f"{error.code}, it leads in a circle or out of the network"
        raise AnswerError(said, error.code in _PASSING, delay) from error
    except TimeoutError as error:
        raise StalledError from error
    except (http.client.InvalidURL, ValueError) as error:
        raise BadInputError(f"{address} is no address that can be asked: {error}.") from error
    with closing(stream):
        yield _read_headers(stream, part, stall)


def _answer_past_end(error: urllib.error.HTTPError, part: PartialFile, stall: float) -> Answer:
    """The answer to a range that begins at the end of the file, or after it."""
    total = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", "").strip())
    if total and int(total[1]) == part.size:
        return Answer(error, part.size, part.size, part.validator, stall, complete=True)
    part.restart()
    raise AnswerError("it has become shorter", passing=True)


def _read_headers(stream: Any, part: PartialFile, stall: float) -> Answer:
    """What the headers say; AnswerError for what is no file."""
    headers: Message = stream.headers
    if headers.get_content_type() == "text/html":
        raise AnswerError("it answers with a web page instead of a file")
    packed = headers.get("Content-Encoding", "identity")
    if packed != "identity":
        raise AnswerError(f"it sends the file packed ({packed}), which was not asked for")
    validator = headers.get("ETag", "")
    if not validator or validator.startswith("W/"):
        validator = headers.get("Last-Modified", "")
    length = headers.get("Content-Length", "")
    left = int(length) if length.isdigit() else None
    if stream.status != 206:
        return Answer(stream, 0, left, validator, stall)
    place = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", "").strip())
    total = int(place[3]) if place and place[3] != "*" else None
    changed = bool(part.validator and validator and validator != part.validator)
    other_size = None not in (total, part.total) and total != part.total
    if place is None or int(place[1]) != part.size or changed or other_size:
        part.restart()
        raise AnswerError("it sends another piece than was asked for", passing=True)
    return Answer(stream, part.size, total, validator, stall)


def _read_body(answer: Answer) -> Iterator[bytes]:
    """The answer's bytes as they come; StalledError when (nearly) none come for ``stall``."""
    read = getattr(answer.stream, "read1", answer.stream.read)
    since, came = time.monotonic(), 0
    while True:
        try:
            piece: bytes = read(_PIECE)
        except TimeoutError as error:
            raise StalledError from error
        except http.client.IncompleteRead as error:
            yield error.partial
            raise AnswerError("it breaks off", passing=True) from error
        except OSError as error:
            raise AnswerError(f"the connection broke ({error})", passing=True) from error
        if not piece:
            return
        yield piece
        came += len(piece)
        if came >= _TRICKLE:
            since, came = time.monotonic(), 0
        elif time.monotonic() - since > answer.stall:
            raise StalledError


def _wait(seconds: float, progress: Progress, have: int, whole: int | None) -> None:
    """Pause before the next attempt; a person can stop it through ``progress``."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress(have / whole if whole else 0.0, "Trying again")
        time.sleep(min(left, 0.2))
