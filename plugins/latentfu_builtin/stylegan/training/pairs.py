"""A cache of rendered pairs (z, picture) on disk, so that rendering is paid for once.

A folder with memory-mapped arrays and a small index:
    z.npy [N, z_dim] float32, images.npy [N, R, R, 3] uint8, normals.npy [N, F] float32,
    landmarks.npy [N, L, 2] float32, index.json {count, capacity, resolution, ...}
and regions.npy [N, R, R] uint8 where they were asked for.
One process may fill the cache while another trains on what is there. The first `HOLDOUT` pairs
are never drawn: they measure the quality.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from latentfu import (
    BatchTask,
    Engine,
    LocalEngine,
    Resources,
    WorkerPlace,
    map_batches,
    write_whole,
)
from torch import Tensor

from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.stylegan.training.source import (
    Batch,
    RegionTeacher,
    Teacher,
    teacher_normals,
    to_images,
    to_pixels,
)

HOLDOUT = 256
_LOOKED_AT = 256
"""So many pictures' regions are read at a time."""
ARRAYS = ("z", "images", "normals", "landmarks")


class PairCache:
    """Reading side of the cache: a `Source` over what has been rendered so far.

    `resolution`: smaller than the cache's own to train a smaller network on it first; the
    pictures are averaged down. `small_share`: how much of each batch is drawn from the pairs
    that show small things (landmarks after the first five), which are rare otherwise.
    `enlarge`: whether pictures that are smaller may be read enlarged; ValueError if not.
    `marked`: regions, by names of ``people.region_names``, that batches mark where the cache has
    regions; the pairs that show them are among those of `small_share`.
    """

    def __init__(
        self,
        folder: Path,
        resolution: int | None = None,
        small_share: float = 0.0,
        *,
        enlarge: bool = False,
        marked: Sequence[str] = (),
    ) -> None:
        self.folder, self.small_share = folder, small_share
        if not (folder / "index.json").is_file():
            raise ValueError(f"there is no cache of rendered pairs in {folder}")
        self.index = _read_index(folder)
        self.arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            for name in ARRAYS
        }
        self.checked = time.monotonic()
        side = int(self.index["resolution"])
        self.resolution = resolution or side
        self.times = self.resolution // side if enlarge and side < self.resolution else 1
        if side * self.times % self.resolution:
            raise ValueError(f"the cache's pictures have {side} px, not {self.resolution}")
        self.marked = [_find_region(name) for name in marked]
        if marked and (folder / "regions.npy").is_file():
            self.arrays["regions"] = np.load(
                folder / "regions.npy", mmap_mode="r", allow_pickle=False
            )
        self._showing = np.zeros(0, np.int64)
        self._looked_at = 0

    @property
    def count(self) -> int:
        """How many pairs there are; looked up again every few seconds while it is filled."""
        if not self.complete and time.monotonic() - self.checked > 5.0:
            self.index, self.checked = _read_index(self.folder), time.monotonic()
        return int(self.index["count"])

    @property
    def first(self) -> int:
        """Where the pairs to train on begin; those before measure, also while the cache fills."""
        return min(HOLDOUT, int(self.index["capacity"]) // 8)

    @property
    def complete(self) -> bool:
        """Whether the cache is full, so that drawing from it is reproducible."""
        return int(self.index["count"]) >= int(self.index["capacity"])

    @property
    def factor_count(self) -> int:
        """How many factors each picture was rendered from."""
        return int(self.arrays["normals"].shape[1])

    def rows(self, chosen: np.ndarray | slice) -> Batch:
        """The pairs at these places, in this order."""
        z = torch.from_numpy(np.array(self.arrays["z"][chosen]))
        landmarks = torch.from_numpy(np.array(self.arrays["landmarks"][chosen]))
        images = to_images(self.arrays["images"][chosen])
        marked = self._mark(chosen, len(z)) if self.marked else None
        if self.times > 1:
            whole = F.interpolate(images, scale_factor=self.times, mode="nearest")
            return Batch(whole, z, landmarks, torch.full((len(z),), self.times), marked)
        times = images.shape[-1] // self.resolution
        shrunk = F.avg_pool2d(images, times) if times > 1 else images
        return Batch(shrunk, z, landmarks, marked=marked)

    def _mark(self, chosen: np.ndarray | slice, count: int) -> Tensor:
        """Where the pairs show marked regions, and a pixel around, [N, R, R].

        Nowhere in pictures that were rendered smaller: what is small is lost there.
        """
        side = self.resolution
        if "regions" not in self.arrays or self.times > 1:
            return torch.zeros(count, side, side)
        shown = np.isin(self.arrays["regions"][chosen], self.marked)
        mask = torch.from_numpy(shown.astype(np.float32))[:, None]
        mask = F.adaptive_max_pool2d(mask, side)
        return F.max_pool2d(mask, 3, stride=1, padding=1)[:, 0]

    def normals(self, chosen: np.ndarray | slice) -> Tensor:
        """The normal numbers [N, F] that the pictures were rendered from."""
        return torch.from_numpy(np.array(self.arrays["normals"][chosen]))

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Random pairs, with replacement, from all but the held-out ones."""
        first = self.first
        if self.count <= first:
            raise ValueError(
                f"{self.folder} holds {self.count} pairs; training needs more than {first}"
            )
        chosen = torch.randint(first, self.count, (count,), generator=generator)
        wanted = round(count * self.small_share)
        if wanted and len(showing := self.with_small_things(first)):
            places = torch.randint(0, len(showing), (wanted,), generator=generator)
            chosen[:wanted] = torch.from_numpy(showing)[places]
        return self.rows(np.sort(chosen.numpy()))

    def with_small_things(self, first: int) -> np.ndarray:
        """The places, from `first` on, of the pairs that show small things that most lack."""
        small = self.arrays["landmarks"][first : self.count, 5:]  # [N, L - 5, 2]
        shown = ((small > 0) & (small < 1)).all(axis=2)  # [N, L - 5]
        rare = shown.mean(axis=0) < 0.5
        places = first + np.flatnonzero(shown[:, rare].any(axis=1))
        return np.union1d(places, self._list_marked(first)) if self.marked else places

    def _list_marked(self, first: int) -> np.ndarray:
        """The places, from `first` on, of the pairs that show marked regions."""
        if "regions" not in self.arrays or self.times > 1:
            return self._showing
        for start in range(max(first, self._looked_at), self.count, _LOOKED_AT):
            part = np.isin(self.arrays["regions"][start : start + _LOOKED_AT], self.marked)
            found = start + np.flatnonzero(part.any(axis=(1, 2)))
            self._showing = np.concatenate([self._showing, found])
        self._looked_at = self.count
        return self._showing

    def holdout(self, count: int = HOLDOUT) -> Batch:
        """Pairs that `draw` never gives."""
        return self.rows(slice(0, min(count, self.first, self.count)))


@dataclass(frozen=True)
class PairCaches:
    """Several caches as one `Source`: each gives its share of a batch by how many pairs it has.

    They may hold pictures of several sizes, as long as all read them at one resolution; smaller
    ones may be enlarged, and teach what they show. The first one's held-out pairs measure.
    ValueError when the pairs are not of one kind, or the first one's pictures are enlarged.
    """

    caches: tuple[PairCache, ...]

    def __post_init__(self) -> None:
        first = self.caches[0]
        if first.times > 1:
            raise ValueError(f"the first pairs measure: those in {first.folder} are too small")
        for other in self.caches[1:]:
            for name in ("z", "normals", "landmarks"):
                if other.arrays[name].shape[1:] != first.arrays[name].shape[1:]:
                    raise ValueError(
                        f"the pairs in {other.folder} have other {name} than those in "
                        f"{first.folder}: render both with one renderer and --z-dim"
                    )

    @property
    def factor_count(self) -> int:
        """How many factors each picture was rendered from."""
        return self.caches[0].factor_count

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Random pairs, with replacement, from all but the held-out ones of each cache."""
        room = torch.tensor([float(max(0, c.count - c.first)) for c in self.caches])
        if not room.any():
            raise ValueError("none of the folders of pairs holds more than the held-out ones")
        chosen = torch.multinomial(room, count, replacement=True, generator=generator)
        shares = chosen.bincount(minlength=len(self.caches)).tolist()
        drawn = [
            cache.draw(share, generator)
            for cache, share in zip(self.caches, shares, strict=True)
            if share
        ]
        return Batch.join(drawn)

    def holdout(self, count: int = HOLDOUT) -> Batch:
        """Pairs of the first cache that `draw` never gives."""
        return self.caches[0].holdout(count)


def _find_region(name: str) -> int:
    """The number of a region; ValueError for a name that is none."""
    if name not in REGIONS:
        raise ValueError(f"there is no region {name}; there are {', '.join(REGIONS)}")
    return REGIONS.index(name)


def _read_index(folder: Path) -> dict[str, int | str]:
    """The cache's index file."""
    values: dict[str, int | str] = json.loads((folder / "index.json").read_text())
    return values


def _open_arrays(folder: Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Create the cache's arrays, or open those that an interrupted run left."""
    arrays: dict[str, np.ndarray] = {}
    for name, shape in shapes.items():
        path = folder / f"{name}.npy"
        kind = np.uint8 if name in {"images", "regions"} else np.float32
        mode = "r+" if path.exists() else "w+"
        array = np.lib.format.open_memmap(path, mode=mode, dtype=kind, shape=shape)
        if array.shape != shape:
            raise ValueError(f"{folder} holds a cache of another size")
        arrays[name] = array
    return arrays


def render_pairs(
    teacher: Teacher,
    folder: Path,
    *,
    count: int,
    resolution: int,
    z_dim: int,
    seed: int = 0,
    batch: int = 64,
    regions: bool = False,
    engine: Engine | None = None,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PairCache:
    """Render `count` pairs into `folder`; an interrupted run is continued.

    Each batch has its own random generator, made from `seed` and its place, so that the result
    does not depend on interruptions, nor on who renders (`engine`; this process by default); each
    worker has `threads`, whose number may change how it rounds. `regions` stores the number of
    the region at each pixel too, if the teacher knows it (ValueError if not).
    """
    if regions and not isinstance(teacher, RegionTeacher):
        raise ValueError("this renderer does not tell the regions of its pictures")
    folder.mkdir(parents=True, exist_ok=True)
    index = {"count": 0, "capacity": count, "resolution": resolution, "seed": seed, "batch": batch}
    index |= {"regions": 1} if regions else {}
    index_file = folder / "index.json"
    done = 0
    if index_file.exists():
        found = _read_index(folder)
        if {**found, "count": 0} != index:
            raise ValueError(f"{folder} holds a cache made with other settings")
        done = int(found["count"])
    arrays = _open_arrays(folder, _list_shapes(teacher, index, z_dim))
    painter = _PairPainter(teacher, index, z_dim)
    task = BatchTask(partial(_send_painter, painter), _render_batch, at_hand=painter)
    drawn = map_batches(
        task, range(done, count), Resources(batch, threads=threads), engine=engine or LocalEngine(1)
    )
    for start, values in drawn:
        end = done + start + len(values["z"])
        for name, value in values.items():
            arrays[name][done + start : end] = value
        write_whole(index_file, json.dumps(index | {"count": end}).encode())
        progress(end, count)
    return PairCache(folder)


def _list_shapes(teacher: Teacher, index: dict[str, int], z_dim: int) -> dict[str, tuple[int, ...]]:
    """The shape of each array of a cache."""
    count, side = index["capacity"], index["resolution"]
    shapes: dict[str, tuple[int, ...]] = {
        "z": (count, z_dim),
        "images": (count, side, side, 3),
        "normals": (count, teacher.factor_count),
        "landmarks": (count, teacher.landmark_count, 2),
    }
    return shapes | ({"regions": (count, side, side)} if "regions" in index else {})


@dataclass(frozen=True)
class _PairPainter:
    """What a worker renders with; `index`: the cache's."""

    teacher: Teacher
    index: dict[str, int]
    z_dim: int


def _send_painter(painter: _PairPainter, place: WorkerPlace) -> _PairPainter:
    """What a worker sets up: teachers open what they need with the first picture."""
    return painter


def _render_batch(painter: _PairPainter, places: Sequence[int]) -> dict[str, np.ndarray]:
    """The pairs of these places in the cache, by the names of its arrays."""
    teacher, index = painter.teacher, painter.index
    resolution = index["resolution"]
    generator = torch.Generator().manual_seed(index["seed"] * 1_000_003 + places[0])
    z = torch.randn(len(places), painter.z_dim, generator=generator)
    normals = teacher_normals(z, teacher)
    values = {"z": z.numpy(), "normals": normals.numpy()}
    if "regions" in index:
        assert isinstance(teacher, RegionTeacher)
        images, landmarks, regions = teacher.render_regions(normals, resolution, generator)
        values["regions"] = regions.numpy()
    else:
        images, landmarks = teacher.render(normals, resolution, generator)
    return values | {"images": to_pixels(images), "landmarks": landmarks.numpy()}
