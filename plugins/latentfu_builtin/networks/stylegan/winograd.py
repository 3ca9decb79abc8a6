"""3 x 3 convolution by tiles of 4 x 4 pixels, with a quarter of the multiplications.

Winograd's minimal filtering F(4 x 4, 3 x 3) (Lavin and Gray 2015, arXiv 1509.09308): tiles of
6 x 6 numbers and the kernel are transformed by small fixed matrices, multiplied number by number
(36 matrix products over the channels instead of 9 for each of 16 pixels), and transformed back.
With many channels on a processor that is twice to three times as fast as the direct way; its
rounding errors are about four times as large, 1e-5 of the features' range in float32.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 4
READ_SIDE = SIDE + 2
"""Pixels of a side that a tile gives, and that it reads."""
LEAST_CHANNELS, LEAST_SIDE, LEAST_SIDE_CACHED = 256, 64, 32
"""Below these the transforms cost more than the multiplications they save; where the kernel's is
kept, smaller features gain too."""
ROOM = 16 << 20
"""Bytes of one step's tiles: as many rows of tiles are done at once as stay in a cache."""
OUTPUTS = 256
"""So many outputs are done at once where the kernel is not kept."""
PART = 128
"""So many outputs of a kernel are transformed at once."""

INPUT_TRANSFORM = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
KERNEL_TRANSFORM = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUT_TRANSFORM = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -2, 0),
    (0, 1, 1, 4, 4, 0),
    (0, 1, -1, 8, -8, 1),
)
"""The paper's B^T, G and A^T: a tile is A^T ((G g G^T) * (B^T d B)) A."""


@cache
def _in_2d(rows: tuple[tuple[float, ...], ...]) -> Tensor:
    """Make of a transform of one dimension [a, b] that of two, [a * a, b * b], float32."""
    one = torch.tensor(rows, dtype=torch.float64)
    return torch.kron(one, one).float()


def convolve(x: Tensor, kernel: Tensor, result: Tensor | None = None) -> Tensor:
    """``F.conv2d(x, weight, padding=1)`` of x [N, I, H, W], kernel as ``transform_kernel(weight)``.

    float32, H and W divisible by 4; no gradients. -> [N, O, H, W], channels last; written to
    result [N, H, W, O] when given.
    """
    around = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).contiguous()  # [N, H + 2, W + 2, I]
    if result is None:
        result = x.new_empty(len(x), *x.shape[2:], kernel.shape[2])  # [N, H, W, O]
    for picture, place in zip(around, result, strict=True):
        _fill(place, picture, kernel)
    return result.permute(0, 3, 1, 2)


def convolve_once(x: Tensor, weight: Tensor) -> Tensor:
    """`convolve` for weight [O, I, 3, 3], whose kernel is not kept: a few outputs at a time."""
    parts = torch.split(weight, OUTPUTS)
    if len(parts) == 1:
        return convolve(x, transform_kernel(weight))
    result = x.new_empty(len(x), *x.shape[2:], len(weight))  # [N, H, W, O]
    for place, part in zip(torch.split(result, OUTPUTS, dim=3), parts, strict=True):
        convolve(x, transform_kernel(part), place)
    return result.permute(0, 3, 1, 2)


def transform_kernel(weight: Tensor) -> Tensor:
    """Weights [O, I, 3, 3] -> the kernel [36, I, O]: four times the memory."""
    outputs, inputs = weight.shape[:2]
    kernel = weight.new_empty(READ_SIDE**2, inputs, outputs)
    for first in range(0, outputs, PART):  # what lies beside the kernel meanwhile stays small
        part = weight[first : first + PART].permute(2, 3, 1, 0).reshape(9, -1)
        kernel[:, :, first : first + PART] = (_in_2d(KERNEL_TRANSFORM) @ part).view(
            READ_SIDE**2, inputs, -1
        )
    return kernel


def _fill(result: Tensor, around: Tensor, kernel: Tensor) -> None:
    """Write the convolution of around [H + 2, W + 2, I] into result [H, W, O]."""
    inputs, outputs = kernel.shape[1:]
    down, across = result.shape[0] // SIDE, result.shape[1] // SIDE
    step = max(1, ROOM // (4 * READ_SIDE**2 * across * max(inputs, outputs)))
    for first in range(0, down, step):
        rows = min(step, down - first)
        tiles = _tiles_of(around, first, rows, across)  # [36, rows * across * I]
        tiles = (_in_2d(INPUT_TRANSFORM) @ tiles).view(READ_SIDE**2, rows * across, inputs)
        tiles = torch.bmm(tiles, kernel).view(READ_SIDE**2, rows * across * outputs)
        done = (_in_2d(OUTPUT_TRANSFORM) @ tiles).view(SIDE, SIDE, rows, across, outputs)
        place = result[SIDE * first : SIDE * (first + rows)]
        place = place.view(rows, SIDE, across, SIDE, outputs)
        place.copy_(done.permute(2, 0, 3, 1, 4))


def _tiles_of(around: Tensor, first: int, rows: int, across: int) -> Tensor:
    """The tiles of ``rows`` rows from ``first`` on, of around [H + 2, W + 2, C].

    -> [36, rows * across * C], a number of the tile in each row.
    """
    down, right, _ = around.stride()
    channels = around.shape[2]
    overlapping = around[SIDE * first :].as_strided(
        (READ_SIDE, READ_SIDE, rows, across, channels),
        (down, right, SIDE * down, SIDE * right, 1),
    )
    return overlapping.reshape(READ_SIDE**2, rows * across * channels)
