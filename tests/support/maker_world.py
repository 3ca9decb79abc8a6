"""A scorer of the small network's pictures and a maker with options, as an author's one file."""

from __future__ import annotations

import time
from pathlib import Path

import latentfu
import numpy as np
import torch

ATTRIBUTES = ("light", "warmth")
OPTIONS: dict[str, float | int | str | bool] = {
    "axis": 3,
    "length": 1.0,
    "manner": "plain",
    "pause_ms": 0,
}


def read_pictures(images: torch.Tensor) -> torch.Tensor:
    """How light and how warm pictures are: [N, 3, R, R] -> [N, 2]."""
    red, _, blue = images.mean(dim=(2, 3)).unbind(dim=1)  # [N] each
    return torch.stack([images.mean(dim=(1, 2, 3)), red - blue], dim=1)


def make_axis(request: latentfu.ControlRequest, out: Path) -> list[Path]:
    """One axis of w; it stops for ``pause_ms`` at each of the samples."""
    path = out / "axis.safetensors"
    path.write_bytes(b"begun")  # what a maker leaves behind when it is cancelled
    for number in range(request.samples):
        request.progress(number / request.samples, f"Sample {number} of {request.samples}")
        time.sleep(float(request.options["pause_ms"]) / 1000)
    vector = np.zeros(16, np.float32)
    vector[int(request.options["axis"])] = float(request.options["length"])
    direction = latentfu.Direction(
        vector=vector,
        space="w",
        name="axis",
        generator_id=request.generator.id,
        plus="along the axis",
        method=f"{request.options['manner']} at {time.monotonic_ns()}",
        samples=request.samples,
        accuracy=0.875,
    )
    return [latentfu.write_direction(path, direction)]


@latentfu.hookimpl
def latentfu_scorers() -> list[latentfu.Scorer]:
    return [
        latentfu.Scorer("eye", "Eye", "test", ATTRIBUTES, lambda device: read_pictures),
        latentfu.Scorer("other", "Other", "cars", ("wheels",), lambda device: read_pictures),
    ]


@latentfu.hookimpl
def latentfu_control_makers() -> list[latentfu.ControlMaker]:
    return [latentfu.ControlMaker("axis", "One axis", make_axis, options=OPTIONS)]
