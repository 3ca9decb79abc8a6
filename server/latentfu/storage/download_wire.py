"""One request for (the rest of) a file, and what its answer says."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING, Any

from latentfu.core.errors import BadInputError
from latentfu.core.progress import Progress

if TYPE_CHECKING:
    from latentfu.storage.download_part import Part

PIECE = 256 << 10
TRICKLE = 4 << 10
"""Fewer bytes than this in the time of a stall are as good as none."""
LONGEST_PAUSE = 60.0
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))


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


class Careful(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to something that others can change on the way."""

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> Any:
        """The request for the address that ends ``rest``."""
        if req.type == "https" and not rest[-1].lower().startswith("https:"):
            raise AnswerError(f"it leads from https to {rest[-1]}, which is not safe")
        return super().redirect_request(req, *rest)


@contextmanager
def ask(address: str, part: Part, stall: float) -> Iterator[Answer]:
    """Ask for what ``part`` lacks; if the file has changed since, for all of it."""
    headers = {"User-Agent": "latentfu", "Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.validator:
            headers["If-Range"] = part.validator
    if not re.match(r"(https?|file)://", address):
        raise BadInputError(f"{address} is no address: it begins with https:// or http://.")
    opener = urllib.request.build_opener(Careful)
    try:
        stream = opener.open(urllib.request.Request(address, headers=headers), timeout=stall)
    except urllib.error.HTTPError as error:
        with closing(error):
            if error.code == 416 and part.size:
                yield beyond_the_end(error, part, stall)
                return
            pause = error.headers.get("Retry-After", "")
            delay = min(float(pause), LONGEST_PAUSE) if pause.isdigit() else 0.0
            said = f"{error.code} {error.reason}".strip()
            if 300 <= error.code < 400:
                said = f"{error.code}, it leads in a circle or out of the network"
        raise AnswerError(said, error.code in PASSING, delay) from error
    except TimeoutError as error:
        raise StalledError from error
    except (http.client.InvalidURL, ValueError) as error:
        raise BadInputError(f"{address} is no address that can be asked: {error}.") from error
    with closing(stream):
        yield understood(stream, part, stall)


def beyond_the_end(error: urllib.error.HTTPError, part: Part, stall: float) -> Answer:
    """The answer to a range that begins at the end of the file, or after it."""
    total = re.fullmatch(r"bytes \*/(\d+)", error.headers.get("Content-Range", "").strip())
    if total and int(total[1]) == part.size:
        return Answer(error, part.size, part.size, part.validator, stall, complete=True)
    part.restart()
    raise AnswerError("it has become shorter", passing=True)


def understood(stream: Any, part: Part, stall: float) -> Answer:
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


def body(answer: Answer) -> Iterator[bytes]:
    """The answer's bytes as they come; StalledError when (nearly) none come for ``stall``."""
    read = getattr(answer.stream, "read1", answer.stream.read)
    since, came = time.monotonic(), 0
    while True:
        try:
            piece: bytes = read(PIECE)
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
        if came >= TRICKLE:
            since, came = time.monotonic(), 0
        elif time.monotonic() - since > answer.stall:
            raise StalledError


def wait(seconds: float, progress: Progress, have: int, whole: int | None) -> None:
    """Pause before the next attempt; a person can stop it through ``progress``."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress(have / whole if whole else 0.0, "Trying again")
        time.sleep(min(left, 0.2))
