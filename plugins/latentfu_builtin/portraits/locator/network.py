"""The locator: a small convolutional network from a picture to five landmarks."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import read_tensors_and_metadata, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import check_tensors
from latentfu_builtin.portraits.locator.crop import CropFit

ARCHITECTURE = "portrait-locator"
SIZE = 128
HEAT = 32
WIDTHS = (16, 32, 64, 96, 128)
POINTS = 5
WEIGHTS = Path(__file__).parent.parent / "weights" / "locator.safetensors"


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, activation."""
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
        a, b, c, d, e = WIDTHS
        self.stem = nn.Sequential(conv(3, a, 2), conv(a, b, 2))  # 64, 32 px
        self.down1 = nn.Sequential(conv(b, b), conv(b, c, 2))  # 16 px
        self.down2 = nn.Sequential(conv(c, c), conv(c, d, 2))  # 8 px
        self.down3 = nn.Sequential(conv(d, d), conv(d, e, 2), conv(e, e))  # 4 px
        self.up3 = conv(e + d, d)
        self.up2 = conv(d + c, c)
        self.up1 = conv(c + b, 48)
        self.heat = nn.Conv2d(48, POINTS, 3, padding=1)
        self.present = nn.Linear(e, 1)
        self.register_buffer("crop_mean", torch.zeros(POINTS, 2))
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
    write_tensors(path, tensors, {"architecture": ARCHITECTURE, **metadata})


def load_locator(path: Path | None = None, device: torch.device | str = "cpu") -> Locator:
    """The locator of a file (the shipped one when None), in evaluation mode, gradients off."""
    path = path or WEIGHTS
    stored, metadata = read_tensors_and_metadata(path)
    if metadata.get("architecture") != ARCHITECTURE:
        raise ValueError(f"{path} holds no {ARCHITECTURE}")
    locator = Locator()
    expected = {k: v for k, v in locator.state_dict().items() if v.is_floating_point()}
    tensors = {name: value.float() for name, value in stored.items()}
    check_tensors(path, expected, tensors)
    locator.load_state_dict(tensors, strict=False)
    locator = locator.to(device).to(memory_format=torch.channels_last)
    return locator.eval().requires_grad_(False)
