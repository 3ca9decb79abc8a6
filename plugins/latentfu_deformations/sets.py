"""The four sets of deformations that the paper's authors published, and how one is fetched."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from latentfu import BadInputError, Progress, StorageError

TERMS = (
    "The authors publish these files without a licence: try them, and ask the authors before you "
    "publish what you make of them."
)
LARGEST = 4 << 30
PIECE = 1 << 20
TRIES, PATIENCE = 5, 30.0


@dataclass(frozen=True)
class PublishedSet:
    """An archive of .pt files named after their effects, for one network."""

    name: str
    title: str
    address: str
    network: str


_HOST = "https://www.dropbox.com/s"
SETS = {
    found.name: found
    for found in (
        PublishedSet(
            "ffhq", "Faces", f"{_HOST}/7m838ewhzgcb3v5/ffhq_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, FFHQ 1024 px",
        ),
        PublishedSet(
            "car", "Cars", f"{_HOST}/rojdcfvnsdue10o/car_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, LSUN Car 512 px",
        ),
        PublishedSet(
            "horse", "Horses", f"{_HOST}/ir1lg5v2yd4cmkx/horse_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, LSUN Horse 256 px",
        ),
        PublishedSet(
            "church", "Churches", f"{_HOST}/do9yt3bggmggehm/church_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, LSUN Church 256 px",
        ),
    )
}  # fmt: skip
"""By name; from arXiv 2011.13786's repository (yandex-research/navigan)."""


def fetch(address: str, target: Path, progress: Progress, pause: float = 2.0) -> str:
    """Download ``address`` to ``target``; its sha256. An interrupted download goes on.

    Raises BadInputError for an address that gives nothing, StorageError where it can not be
    written. What has come stays in ``target`` with ``.part`` until all of it is there.
    """
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(TRIES):
        try:
            whole = stream(address, part, progress)
        except urllib.error.HTTPError as error:
            if error.code == 416 and part.is_file():  # what is there is not what is offered
                part.unlink()
                continue
            raise BadInputError(
                f"{address} can not be had: {error.code} {error.reason}."
            ) from error
        except OSError as error:
            if attempt == TRIES - 1:
                reason = getattr(error, "reason", error)
                raise BadInputError(f"{address} can not be had: {reason}.") from error
            time.sleep(pause)
            continue
        if whole:
            break
        time.sleep(pause)
    else:
        raise BadInputError(f"{address} breaks off again and again: try later.")
    try:
        with part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        part.replace(target)
    except OSError as error:
        raise StorageError(f"{target} can not be written: {error.strerror}.") from error
    return digest


def stream(address: str, part: Path, progress: Progress) -> bool:
    """Append what is missing of ``address`` to ``part``; whether all of it is there."""
    have = part.stat().st_size if part.is_file() else 0
    asked = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        goes_on = answer.status == 206
        have = have if goes_on else 0
        left = int(answer.headers.get("Content-Length") or -1)
        whole = have + left if left >= 0 else None
        if (whole or 0) > LARGEST:
            raise BadInputError(f"{address} is larger than any set of deformations.")
        with part.open("ab" if goes_on else "wb") as file:
            while data := answer.read(PIECE):
                file.write(data)
                have += len(data)
                if have > LARGEST:
                    raise BadInputError(f"{address} is larger than any set of deformations.")
                progress(have / whole if whole else 0.0, f"{have >> 20} MiB")
    return whole is None or have >= whole
