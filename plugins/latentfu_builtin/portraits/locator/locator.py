"""The locator: a small network from a picture to five landmarks, and the standard crop from them.

The crop has no rotation: roll belongs to the generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from latentfu import read_tensors_and_metadata, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import check_tensors

_ARCHITECTURE = "portrait-locator"
LOCATOR_SIZE = 128
_HEAT = 32
_WIDTHS = (16, 32, 64, 96, 128)
_POINTS = 5
_WEIGHTS = Path(__file__).parent.parent / "weights" / "locator.safetensors"


@dataclass(frozen=True)
class LocatedPortrait:
    """What was found: landmarks [5, 2] in pixels, how surely (0..1), and the standard crop.

    crop: (x0, y0, x1, y1) in pixels, a square that may reach beyond the picture.
    """

    landmarks: np.ndarray
    presence: float
    crop: tuple[float, float, float, float]


def letterbox(picture: Tensor, size: int = LOCATOR_SIZE) -> tuple[Tensor, float, float, float]:
    """picture [3, H, W] in -1..1 -> [1, 3, size, size], centered, the rest gray.

    Also the zoom and the offsets: x in the box = x in the picture * zoom + offset.
    """
    height, width = picture.shape[1:]
    zoom = size / max(height, width)
    small_h, small_w = max(1, round(height * zoom)), max(1, round(width * zoom))
    small = F.interpolate(picture[None], (small_h, small_w), mode="bilinear", antialias=True)
    top, left = (size - small_h) // 2, (size - small_w) // 2
    box = picture.new_zeros(1, 3, size, size)
    box[:, :, top : top + small_h, left : left + small_w] = small
    return box, zoom, float(left), float(top)


@torch.no_grad()
def locate_portrait(locator: Locator, pixels: np.ndarray, refine: bool = True) -> LocatedPortrait:
    """Find the portrait in pixels, uint8 [H, W, 3].

    With `refine` the locator looks a second time, at the surroundings of what it found first,
    which makes small heads in large pictures as exact as large ones.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError("a picture to search must be uint8 with the shape [H, W, 3]")
    picture = torch.from_numpy(np.array(pixels)).permute(2, 0, 1) / 127.5 - 1.0
    points, presence = _look(locator, picture)
    fit = locator.crop_fit
    if refine and presence > 0.5:
        left, top, side = (float(v) for v in fit.crop(points[None])[0])
        x0, y0 = max(0, int(left - 0.15 * side)), max(0, int(top - 0.15 * side))
        x1, y1 = int(left + 1.15 * side), int(top + 1.15 * side)
        part = picture[:, y0:y1, x0:x1]
        if min(part.shape[1:]) >= 16:
            again, _ = _look(locator, part)
            points = again + torch.tensor([x0, y0])
    left, top, side = (float(v) for v in fit.crop(points[None])[0])
    return LocatedPortrait(points.numpy(), presence, (left, top, left + side, top + side))


def _look(locator: Locator, picture: Tensor) -> tuple[Tensor, float]:
    """One look at picture [3, H, W]: landmarks [5, 2] in its pixels, presence 0..1."""
    box, zoom, left, top = letterbox(picture)
    points, present = locator(box)
    places = (points[0] * LOCATOR_SIZE - torch.tensor([left, top])) / zoom
    return places, float(present[0].sigmoid())


def _make_conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalization, activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


class Locator(nn.Module):
    """Picture [N, 3, 128, 128] in -1..1 -> landmarks by heatmaps and soft-argmax, presence.

    Landmarks: eye on the left, eye on the right, nose tip, mouth corners on the left and right.
    """

    crop_mean: Tensor
    crop_correction: Tensor

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = _WIDTHS
        self.stem = nn.Sequential(_make_conv(3, a, 2), _make_conv(a, b, 2))  # 64, 32 px
        self.down1 = nn.Sequential(_make_conv(b, b), _make_conv(b, c, 2))  # 16 px
        self.down2 = nn.Sequential(_make_conv(c, c), _make_conv(c, d, 2))  # 8 px
        self.down3 = nn.Sequential(_make_conv(d, d), _make_conv(d, e, 2), _make_conv(e, e))  # 4 px
        self.up3 = _make_conv(e + d, d)
        self.up2 = _make_conv(d + c, c)
        self.up1 = _make_conv(c + b, 48)
        self.heat = nn.Conv2d(48, _POINTS, 3, padding=1)
        self.present = nn.Linear(e, 1)
        self.register_buffer("crop_mean", torch.zeros(_POINTS, 2))
        self.register_buffer("crop_correction", torch.zeros(66, 3))

    @property
    def crop_fit(self) -> CropFit:
        """How the standard crop follows from the landmarks."""
        return CropFit(self.crop_mean, self.crop_correction)

    def heatmaps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [N, 3, 128, 128] -> heat logits [N, 5, 32, 32], presence logits [N]."""
        x32 = self.stem(x)  # [N, 32, 32, 32]
        x16 = self.down1(x32)
        x8 = self.down2(x16)
        x4 = self.down3(x8)
        y = self.up3(torch.cat([F.interpolate(x4, scale_factor=2.0), x8], dim=1))
        y = self.up2(torch.cat([F.interpolate(y, scale_factor=2.0), x16], dim=1))
        y = self.up1(torch.cat([F.interpolate(y, scale_factor=2.0), x32], dim=1))
        present: Tensor = self.present(x4.float().mean(dim=(2, 3)))
        return self.heat(y).float(), present[:, 0].float()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x [N, 3, 128, 128] -> landmarks [N, 5, 2] (x, y in 0..1), presence logits [N]."""
        heat, present = self.heatmaps(x)
        return soft_argmax(heat), present


def soft_argmax(heat: Tensor) -> Tensor:
    """Heat logits [N, P, S, S] -> mean places [N, P, 2] as x and y in 0..1."""
    weights = heat.flatten(2).softmax(dim=2).view_as(heat)
    places = (torch.arange(heat.shape[-1], device=heat.device) + 0.5) / heat.shape[-1]
    x = (weights.sum(dim=2) * places).sum(dim=2)
    y = (weights.sum(dim=3) * places).sum(dim=2)
    return torch.stack([x, y], dim=2)


def save_locator(path: Path, locator: Locator, metadata: dict[str, str]) -> None:
    """Write the weights as float16 safetensors; the crop fit keeps float32."""
    tensors = {
        name: value.detach().cpu().to(torch.float32 if "crop" in name else torch.float16)
        for name, value in locator.state_dict().items()
        if value.is_floating_point()
    }
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    write_tensors(path, tensors, {"architecture": _ARCHITECTURE, **metadata})


def load_locator(path: Path | None = None, device: torch.device | str = "cpu") -> Locator:
    """The locator of a file (the shipped one when None), in evaluation mode, gradients off."""
    path = path or _WEIGHTS
    stored, metadata = read_tensors_and_metadata(path)
    if metadata.get("architecture") != _ARCHITECTURE:
        raise ValueError(f"{path} holds no {_ARCHITECTURE}")
    locator = Locator()
    expected = {k: v for k, v in locator.state_dict().items() if v.is_floating_point()}
    tensors = {name: value.float() for name, value in stored.items()}
    check_tensors(path, expected, tensors)
    locator.load_state_dict(tensors, strict=False)
    locator = locator.to(device).to(memory_format=torch.channels_last)
    return locator.eval().requires_grad_(False)


def fit_scale_and_shift(points: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """The least-squares scale [N] and shift [N, 2] with points ~ scale * mean + shift.

    points: [N, 5, 2]; mean: [5, 2], the mean landmarks in the standard crop, 0..1.
    The shift is the crop's upper left corner and the scale its side, in the units of points.
    """
    center, middle = points.mean(dim=1), mean.mean(dim=0)
    spread = (mean - middle).square().sum()
    scale = ((points - center[:, None]) * (mean - middle)).sum(dim=(1, 2)) / spread
    scale = scale.clamp_min(1e-6)
    return scale, center - scale[:, None] * middle


@dataclass(frozen=True)
class CropFit:
    """The fit to the mean landmarks [5, 2], and a correction [K, 3] for turned heads.

    The mean fits a head that looks straight ahead. When it turns, the landmarks wander in the
    crop, in a way that their arrangement tells; the correction is a quadratic function of it,
    fitted by ridge regression to renders whose crop is known.
    """

    mean: Tensor
    correction: Tensor

    def crop(self, points: Tensor) -> Tensor:
        """points [N, 5, 2] -> the crops' left, top and side [N, 3], in the units of points."""
        scale, shift = fit_scale_and_shift(points, self.mean)
        moves = (
            _describe_arrangement(points) @ self.correction
        )  # [N, 3], in sides of the fitted crop
        side = scale * (1.0 + moves[:, 2])
        middle = shift + scale[:, None] * (0.5 + moves[:, :2])
        return torch.cat([middle - side[:, None] / 2, side[:, None]], dim=1)


def _describe_arrangement(points: Tensor) -> Tensor:
    """A constant, the landmarks without place and size, and their products: [N, 66]."""
    flat = points - points.mean(dim=1, keepdim=True)
    size = flat.square().sum(dim=2).mean(dim=1).sqrt().clamp_min(1e-6)
    flat = (flat / size[:, None, None]).flatten(1)  # [N, 10]
    rows, columns = torch.triu_indices(10, 10)
    one = torch.ones_like(flat[:, :1])
    return torch.cat([one, flat, flat[:, rows] * flat[:, columns]], dim=1)


def learn_crop_fit(landmarks: Tensor, noise: float = 0.006, seed: int = 0) -> CropFit:
    """The fit from landmarks [M, 5, 2] of portraits in their standard crop, 0..1.

    noise: how wrong found landmarks are expected to be, in sides of the crop.
    """
    mean = landmarks.mean(dim=0)
    random = torch.Generator().manual_seed(seed)
    seen = landmarks.repeat(2, 1, 1)
    seen = seen + noise * torch.randn(seen.shape, generator=random)
    scale, shift = fit_scale_and_shift(seen, mean)
    wanted_shift = (0.5 - shift) / scale[:, None] - 0.5
    wanted = torch.cat([wanted_shift, (1.0 / scale - 1.0)[:, None]], dim=1).double()
    inputs = _describe_arrangement(seen).double()
    ridge = 1e-3 * len(inputs) * torch.eye(inputs.shape[1], dtype=torch.float64)
    solution = torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ wanted)
    return CropFit(mean, solution.float())
