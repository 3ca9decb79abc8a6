"""The four sets of deformations that the paper's authors published."""

from __future__ import annotations

from dataclasses import dataclass

TERMS = (
    "The authors publish these files without a licence: try them, and ask the authors before you "
    "publish what you make of them."
)


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
