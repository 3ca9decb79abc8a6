"""The outside of a head as a map by direction, and the sizes that hair and things are fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from latentfu_builtin.people.mesh import Array

_ROWS, _COLUMNS = 72, 144
_CACHED = 8192


class HeadField:
    """How far the skin lies from the middle of the head, by direction: a map that hair asks."""

    def __init__(self, skin: Array, center: Array) -> None:
        self.center = center
        angle, height, radius = self._polar(skin - center)
        grid = np.zeros((_ROWS, _COLUMNS), np.float32)
        row, column = self._cell(angle, height)
        at = (np.clip(row.round().astype(int), 0, _ROWS - 1), column.round().astype(int) % _COLUMNS)
        np.maximum.at(grid, at, radius)
        mode = ("nearest", "wrap")
        for spread in (0.8, 1.6, 4.0, 12.0):  # directions that no point lies in: from around
            seen = (grid > 0).astype(np.float32)
            weight = ndimage.gaussian_filter(seen, spread, mode=mode)
            mean = ndimage.gaussian_filter(grid, spread, mode=mode) / (weight + 1e-6)
            grid = np.where((grid > 0) | (weight < 0.02), grid, mean)
        grid[-3:] = grid[-4:-3].mean()  # around the pole the columns fall together
        self.grid = ndimage.gaussian_filter(grid, 0.6, mode=mode)
        # one more column and row, so that each cell has its neighbors beside it
        ringed = np.concatenate([self.grid, self.grid[:, :1]], 1)
        self._cells = np.concatenate([ringed, ringed[-1:]]).astype(np.float32).ravel()

    @staticmethod
    def _polar(rel: Array) -> tuple[Array, Array, Array]:
        x, y, z = (torch.from_numpy(np.array(rel[..., k], np.float32)) for k in range(3))
        radius = torch.sqrt(x * x + y * y + z * z) + 1e-9
        height = torch.asin(torch.clamp(z / radius, -1, 1))  # torch's are far quicker than numpy's
        return torch.atan2(x, -y).numpy(), height.numpy(), radius.numpy()

    @staticmethod
    def _cell(angle: Array, height: Array) -> tuple[Array, Array]:
        row = (height / np.pi + 0.5) * (_ROWS - 1)
        return row, (angle / (2 * np.pi) + 0.5) * _COLUMNS

    def radius(self, rel: Array) -> Array:
        """The skin's distance ``[...]`` in the direction of ``rel`` ``[..., 3]``."""
        return self._look_up(*self._polar(rel)[:2])

    def _look_up(self, angle: Array, height: Array) -> Array:
        """The map between its cells, linearly, by direction."""
        row, column = self._cell(angle, height)
        top, left = row.astype(np.int32), np.minimum(column.astype(np.int32), _COLUMNS - 1)
        down, right = row - top, column - left
        first = top * (_COLUMNS + 1) + left
        cells = self._cells
        upper = cells[first] * (1 - right) + cells[first + 1] * right
        first = first + (_COLUMNS + 1)
        lower = cells[first] * (1 - right) + cells[first + 1] * right
        return np.asarray(upper * (1 - down) + lower * down)

    def push_out(self, points: Array, margin: Array | float) -> Array:
        """Points moved outwards until they lie ``margin`` above the skin."""
        rel = points - self.center
        angle, height, far = self._polar(rel)
        scale = np.maximum(1.0, (self._look_up(angle, height) + margin) / far)
        return np.asarray(self.center + rel * scale[..., None], np.float32)


@dataclass(frozen=True)
class HeadFrame:
    """Sizes of one head that hair and things are fitted to; meters, eyes' height in ``eye``."""

    field: HeadField
    chest: HeadField
    eye: float
    front: float
    top: float
    half: float

    def push_out(self, points: Array, margin: Array | float) -> Array:
        """Points moved out of head, neck and shoulders, some thousand at a time.

        So all that is computed of them stays in the processor's cache.
        """
        flat = np.asarray(points, np.float32).reshape(-1, 3)
        far = np.broadcast_to(np.asarray(margin, np.float32), points.shape[:-1]).reshape(-1)
        parts = [
            self._push_out(flat[i : i + _CACHED], far[i : i + _CACHED])
            for i in range(0, len(flat), _CACHED)
        ]
        return np.concatenate(parts).reshape(points.shape)

    def _push_out(self, points: Array, margin: Array) -> Array:
        points = self.field.push_out(points, margin)
        below = np.flatnonzero(points[:, 2] < self.eye - 0.09)
        low = np.clip((self.eye - 0.09 - points[below, 2]) / 0.03, 0, 1)
        middle, size = np.array([0, self.front + 0.118]), np.array([0.068, 0.072])
        rel = (points[below, :2] - middle) / size
        far = np.sqrt((rel * rel).sum(-1, keepdims=True)) + 1e-9
        points[below, :2] = middle + rel * np.maximum(1, low[:, None] / far) * size
        shoulder = points[..., 2] < self.eye - 0.15
        points[shoulder] = self.chest.push_out(points[shoulder], 0.009)
        return points


def measure_frame(skin: Array, eyes: Array, gap: float) -> HeadFrame:
    """The frame of a head's skin points ``[v, 3]``.

    ``eyes`` ``[3]`` is the middle between the eyeballs, which no expression moves; the face
    begins ``gap`` before it.
    """
    eye_height, front = float(eyes[2]), float(eyes[1]) - gap
    head = skin[skin[:, 2] > eye_height - 0.02]
    center = np.array([0, (front + head[:, 1].max()) / 2, eye_height + 0.012], np.float32)
    field = HeadField(skin[skin[:, 2] > eye_height - 0.125], center)
    low = center - np.array([0, 0, 0.42], np.float32)
    chest = HeadField(skin[skin[:, 2] < eye_height - 0.165], low)
    half = float(head[head[:, 2] > eye_height + 0.03][:, 0].max())
    return HeadFrame(field, chest, eye_height, front, float(head[:, 2].max()), half)
