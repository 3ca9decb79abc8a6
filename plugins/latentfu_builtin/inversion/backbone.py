"""VGG16's weights: never fetched behind a person's back, never trusted without their hash."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    NotInstalledError,
    Offer,
    Progress,
    data_dir,
    read_torch,
    silent,
)
from latentfu import download as fetch
from torch import nn

FILE = "vgg16-397923af.pth"
ADDRESS = f"https://download.pytorch.org/models/{FILE}"
SHA256_START = "397923af"
"""The published name carries the first 8 digits of the file's sha256."""
VARIABLE = "LATENTFU_VGG16"


def places(given: str = "") -> list[Path]:
    """Where the weights may lie, in the order in which they are looked for."""
    named = [given, os.environ.get(VARIABLE, "")]
    paths = [Path(name).expanduser() for name in named if name]
    return [*paths, own_place(), Path(torch.hub.get_dir()) / "checkpoints" / FILE]


def own_place() -> Path:
    """Where ``latentfu backbones download vgg16`` puts them."""
    return data_dir() / "backbones" / FILE


def find(given: str = "") -> Path:
    """The file with the weights; NotInstalledError when there is none on this disk."""
    if given and not Path(given).expanduser().is_file():
        raise BadInputError(f"There is no file {given} with VGG16's weights.")
    for path in places(given):
        if path.is_file():
            return path
    raise NotInstalledError(
        "VGG16's weights are not on this disk: fetch them with latentfu backbones download vgg16, "
        f"or name the file {FILE} with the option backbone, or choose other losses (pixels, auto)."
    )


def on_disk(given: str = "") -> bool:
    """Whether losses that need VGG16 can be built."""
    return any(path.is_file() for path in places(given))


@lru_cache(maxsize=2)
def features(path: Path) -> nn.Sequential:
    """The convolutions of VGG16 in ``path``, frozen, on the CPU; BadInputError for other files."""
    from torchvision.models import vgg

    check_hash(path)
    convolutions: nn.Sequential = vgg.make_layers(vgg.cfgs["D"])
    try:
        state = read_torch(path)
        start = "features."
        own = {key[len(start) :]: value for key, value in state.items() if key.startswith(start)}
        convolutions.load_state_dict(own)
    except Exception as error:
        raise BadInputError(f"{path} does not hold VGG16's weights: fetch {FILE} again.") from error
    convolutions.eval().requires_grad_(False)
    for layer in convolutions:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return convolutions


def download(address: str = ADDRESS, progress: Progress = silent) -> Path:
    """Fetch the weights (528 MB) to where they are looked for; gives the path.

    Checked by their hash before they are there. Raises StorageError or BadInputError.
    """
    fetch(Offer(address, SHA256_START, name=FILE), own_place(), progress)
    return own_place()


def check_hash(path: Path) -> None:
    """Refuse a file that is not the published one (raises BadInputError)."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(SHA256_START):
        raise BadInputError(
            f"{path} is not the published {FILE} (its sha256 begins with {found[:8]}): "
            f"fetch it again."
        )
