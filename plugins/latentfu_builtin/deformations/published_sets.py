"""The four sets of deformations that the paper's authors published, and fetching one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import latentfu
from latentfu import BadInputError, Progress

from latentfu_builtin.deformations.import_deformations import is_archive

PUBLISHED_TERMS = (
    "The authors publish these files without a licence: try them, and ask the authors before you "
    "publish what you make of them."
)
_HOST = "https://www.dropbox.com/s"


@dataclass(frozen=True)
class PublishedSet:
    """An archive of .pt files named after their effects, for one network."""

    name: str
    title: str
    address: str
    network: str


PUBLISHED_SETS = {
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


def fetch_set(known: PublishedSet, address: str, progress: Progress) -> tuple[Path, str]:
    """The archive on this disk, and its sha256 (hex; empty where it was here already).

    ``address``: another place that has it, which is always asked. What is not an archive (a page
    that says sorry, say) is not kept: BadInputError.
    """
    path = latentfu.data_dir() / "downloads" / f"{known.name}_weights_deformations.tar"
    if path.is_file() and not address:
        return path, ""
    offer = latentfu.Offer(address or known.address, name=path.name)
    digest = latentfu.download(offer, path, progress)
    if not is_archive(path):
        path.unlink()
        raise BadInputError(
            f"What {offer.address} sent is not an archive of deformations; it was not kept, give "
            "another address with --from."
        )
    return path, digest
