"""VGG16: its weights on this disk, and distances in its features (one layer, LPIPS).

The weights are never fetched behind a person's back, never trusted without their hash.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from latentfu import BadInputError, NotInstalledError, Offer, Progress, data_dir, read_torch, silent
from latentfu import download as fetch
from torch import Tensor, nn

Distance = Callable[[Tensor, Tensor], Tensor]
_LARGEST = 256
"""Larger pictures are averaged down first, as in all three projects that the presets follow."""
_LAYERS = 30
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FILE = "vgg16-397923af.pth"
VGG16_ADDRESS = f"https://download.pytorch.org/models/{_FILE}"
_SHA256 = "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"
"""Its authors state the first 8 digits, in the name; everybody who has the file has the rest."""
_VARIABLE = "LATENTFU_VGG16"


def vgg16_distance(device: str, layer: int = 12, path: str = "") -> Distance:
    """Mean squared difference after the first ``layer`` modules of VGG16's convolutions.

    12 ends with relu3_1. Raises BadInputError for a layer outside 1..30 and NotInstalledError
    when the weights are not on this disk.
    """
    if not 1 <= layer <= _LAYERS:
        raise BadInputError(f"VGG16 has the layers 1 to {_LAYERS}, not {layer}.")
    network = _load_vgg16(_find_vgg16(path))[:layer].to(device)
    mean = torch.tensor(_MEAN, device=device).view(1, 3, 1, 1)
    spread = torch.tensor(_SPREAD, device=device).view(1, 3, 1, 1)

    def seen(image: Tensor) -> Tensor:
        image = ((_fit_size(image) + 1.0) / 2.0 - mean) / spread  # [N, 3, <= 256, <= 256]
        features: Tensor = network(image)
        return features

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return (seen(a) - seen(b)).square().mean(dim=(1, 2, 3))

    return distance


def lpips_distance(device: str, path: str = "") -> Distance:
    """LPIPS with VGG16 (Zhang et al. 2018); NotInstalledError without the backbone's weights."""
    file = _find_vgg16(path)
    network = _build_lpips(file).to(device)

    def distance(a: Tensor, b: Tensor) -> Tensor:
        value: Tensor = network(_fit_size(a), _fit_size(b))
        return value.flatten()

    return distance


def _build_lpips(file: Path) -> nn.Module:
    """The network of the package lpips over the backbone in ``file``, frozen."""
    import lpips

    convolutions = _load_vgg16(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision's words about an old argument
        network: Any = lpips.LPIPS(net="vgg", pnet_rand=True, verbose=False)
    own = [layer for part in _lpips_slices(network) for layer in part]
    for mine, loaded in zip(own, convolutions, strict=False):
        if isinstance(mine, nn.Conv2d):
            mine.load_state_dict(loaded.state_dict())
    frozen: nn.Module = network.eval().requires_grad_(False)
    return frozen


def _lpips_slices(network: Any) -> list[nn.Sequential]:
    """The five stretches of convolutions after which LPIPS compares."""
    return [getattr(network.net, f"slice{number}") for number in range(1, 6)]


def _fit_size(image: Tensor) -> Tensor:
    """At most 256 px (averaged) and at least 64 (VGG halves pictures four times)."""
    side = image.shape[-1]
    if side > _LARGEST:
        return F.interpolate(image, size=_LARGEST, mode="area")
    if side < 64:
        return F.interpolate(image, size=64, mode="bilinear", align_corners=False)
    return image


def _weight_paths(given: str = "") -> list[Path]:
    """Where the weights may lie, in the order in which they are looked for."""
    named = [given, os.environ.get(_VARIABLE, "")]
    paths = [Path(name).expanduser() for name in named if name]
    return [*paths, _downloaded_vgg16_path(), Path(torch.hub.get_dir()) / "checkpoints" / _FILE]


def _downloaded_vgg16_path() -> Path:
    """Where ``latentfu backbones download vgg16`` puts them."""
    return data_dir() / "backbones" / _FILE


def _find_vgg16(given: str = "") -> Path:
    """The file with the weights; NotInstalledError when there is none on this disk."""
    if given and not Path(given).expanduser().is_file():
        raise BadInputError(f"There is no file {given} with VGG16's weights.")
    for path in _weight_paths(given):
        if path.is_file():
            return path
    raise NotInstalledError(
        "VGG16's weights are not on this disk: fetch them with latentfu backbones download vgg16, "
        f"or name the file {_FILE} with the option backbone, or choose other losses (pixels, auto)."
    )


def has_vgg16(given: str = "") -> bool:
    """Whether losses that need VGG16 can be built."""
    return any(path.is_file() for path in _weight_paths(given))


@lru_cache(maxsize=2)
def _load_vgg16(path: Path) -> nn.Sequential:
    """The convolutions of VGG16 in ``path``, frozen, on the CPU; BadInputError for other files."""
    from torchvision.models import vgg

    _check_vgg16(path)
    convolutions: nn.Sequential = vgg.make_layers(vgg.cfgs["D"])
    try:
        state = read_torch(path)
        start = "features."
        own = {key[len(start) :]: value for key, value in state.items() if key.startswith(start)}
        convolutions.load_state_dict(own)
    except Exception as error:
        raise BadInputError(
            f"{path} does not hold VGG16's weights: fetch {_FILE} again."
        ) from error
    convolutions.eval().requires_grad_(False)
    for layer in convolutions:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return convolutions


def download_vgg16(address: str = VGG16_ADDRESS, progress: Progress = silent) -> Path:
    """Fetch the weights (528 MB) to where they are looked for; gives the path.

    Checked by their hash before they are there. Raises StorageError or BadInputError.
    """
    fetch(Offer(address, _SHA256, name=_FILE), _downloaded_vgg16_path(), progress)
    return _downloaded_vgg16_path()


def _check_vgg16(path: Path) -> None:
    """Refuse a file that is not the published one (raises BadInputError)."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise BadInputError(
            f"{path} is not the published {_FILE} (its sha256 begins with {found[:8]}): "
            f"fetch it again."
        )
