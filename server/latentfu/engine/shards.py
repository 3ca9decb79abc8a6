"""Results of many batches, kept in files of a folder: what is whole stays, what is missing is made.

A shard is a safetensors file with the rows of some batches. It is written whole or not at all,
and says the sha256 of its numbers, so that a disk's fault is found as well. The manifest is
written last: a folder that has one is complete. Each batch is a full one, so the rows do not
depend on how many were asked for first.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.progress import Progress, silent
from latentfu.engine.batch_task import BatchTask, Resources
from latentfu.engine.map_batches import Engine, run_batches
from latentfu.storage.atomic import whole_file, write_whole
from latentfu.storage.safetensors_file import (
    file_sha256,
    read_arrays,
    read_metadata,
    write_arrays,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rows = dict[str, npt.NDArray[np.generic]]

MANIFEST = "manifest.json"
_FORMAT = "latentfu-shards-1"
_ENTRY = "shard"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardedRows:
    """A folder of shards.

    Attributes:
        folder: where they lie.
        key: what must agree for rows to be the same ones: the network's id, the seed, ...
        batch: rows of a batch.
        batches: of a shard.
    """

    folder: Path
    key: Mapping[str, str | int]
    batch: int
    batches: int = 16

    @property
    def rows(self) -> int:
        """Of a full shard."""
        return self.batch * self.batches

    def shard(self, number: int) -> Path:
        """The file of a shard, whether it is there or not."""
        return self.folder / f"shard-{number:05}.safetensors"

    def read(self, name: str, count: int, *, mapped: bool = False) -> Any:
        """The first ``count`` rows of an array.

        Args:
            name: of the array.
            count: rows.
            mapped: from a file beside the shards, made for it, instead of in memory.

        Returns:
            A numpy array ``[count, ...]``; a mapped one is not to be written to.

        Raises:
            StorageError: they are not all there, or the disk is full.
        """
        import numpy as np

        parts = (self._find_rows(number, name) for number in range(-(-count // self.rows)))
        first = next(parts)
        if not mapped:
            whole = np.concatenate([first, *parts])[:count]
            return self._expect(whole, count)
        path = self.folder / f"{name}.npy"
        with whole_file(path) as temporary:
            shape = (count, *first.shape[1:])
            # Without .npy at its end: numpy would add it.
            table = np.lib.format.open_memmap(temporary, "w+", first.dtype, shape)
            done = 0
            for part in itertools.chain([first], parts):
                rows = part[: count - done]
                table[done : done + len(rows)] = rows
                done += len(rows)
            self._expect(table[:done], count)
            table.flush()
        return np.load(path, mmap_mode="r", allow_pickle=False)

    def _find_rows(self, number: int, name: str) -> npt.NDArray[np.generic]:
        """An array of one shard; raises StorageError where there is none."""
        rows = self._read_shard(number)
        if rows is None or name not in rows:
            raise StorageError(
                f"{self.shard(number)} is not there or has no {name}: make it again."
            )
        return rows[name]

    def _expect(self, rows: npt.NDArray[np.generic], count: int) -> npt.NDArray[np.generic]:
        if len(rows) < count:
            raise StorageError(f"{self.folder} has {len(rows)} rows, not {count}: make the others.")
        return rows

    def draw(
        self,
        count: int,
        task: BatchTask[Any, int, Rows],
        resources: Resources,
        *,
        engine: Engine,
        progress: Progress = silent,
    ) -> int:
        """Make those of the first ``count`` rows that are not there yet.

        Args:
            count: rows; what is there beyond them stays.
            task: gives, for numbers of rows, arrays ``[numbers, ...]`` by name.
            resources: what a worker takes; ``batch`` must be the folder's.
            engine: from ``open_engine``.
            progress: of the whole, what is there already included.

        Returns:
            How many rows had to be made.

        Raises:
            BadInputError: the folder holds other rows than these.
            StorageError: the disk is full; what is whole stays, and the same call goes on.
            CancelledError: ``progress`` raised it; likewise.
        """
        self._check_manifest()
        missing = self._list_missing(count)
        made = _Assembly(self, missing)
        numbers = [start for starts in missing.values() for start in starts.todo]
        batches = [range(start, start + self.batch) for start in numbers]
        done = 1 - len(batches) / max(1, -(-count // self.batch))

        def tell(fraction: float, message: str = "") -> None:
            told = round(count * (done + (1 - done) * fraction))
            progress(told / count, f"{told} of {count}")

        if batches:
            with engine.hire(task, resources, len(batches)) as crew:
                for place, rows in run_batches(crew, batches, "finished", tell):
                    made.put(numbers[place], rows)
        self._write_manifest()
        return len(batches) * self.batch

    def _list_missing(self, count: int) -> dict[int, _ShardState]:
        """The shards that lack rows, each with those that it has and where batches are missing."""
        found = {}
        wanted = -(-count // self.batch) * self.batch
        for number in range(-(-wanted // self.rows)):
            first, last = number * self.rows, min((number + 1) * self.rows, wanted)
            there = self._read_shard(number)
            begin = first + (_count_rows(there) if there is not None else 0)
            if begin < last:
                found[number] = _ShardState(there, range(begin, last, self.batch))
        return found

    def _read_shard(self, number: int) -> Rows | None:
        """The rows of a shard; None where it is not there or not whole.

        Raises BadInputError for one of another key.
        """
        path = self.shard(number)
        if not path.is_file():
            return None
        try:
            rows = read_arrays(path)
            told = json.loads(read_metadata(path)[_ENTRY])
            if told["sha256"] != _digest(rows) or _count_rows(rows) % self.batch:
                raise BadInputError(f"{path} has other numbers than it was written with.")
        except (BadInputError, KeyError, TypeError, ValueError) as error:
            _log.warning("%s is made again: %s", path, error)
            return None
        self._check_key(told.get("key"))
        return rows

    def write_shard(self, number: int, rows: Rows) -> None:
        """Write one, whole or not at all; raises StorageError."""
        told = {"format": _FORMAT, "key": dict(self.key), "sha256": _digest(rows)}
        write_arrays(self.shard(number), rows, {_ENTRY: json.dumps(told, sort_keys=True)})

    def _check_key(self, key: object) -> None:
        if key != dict(self.key):
            raise BadInputError(
                f"{self.folder} holds what was made of another network, seed or scorer: name "
                "another folder, or remove this one."
            )

    def _check_manifest(self) -> None:
        """Raise where the folder is of another key, before anything is made."""
        try:
            told = json.loads((self.folder / MANIFEST).read_text("utf-8"))
        except (OSError, ValueError):
            return
        if isinstance(told, dict):
            if told.get("format") != _FORMAT:
                raise BadInputError(
                    f"{self.folder} was made by a newer version: update Latent-Fu, or name another "
                    "folder."
                )
            self._check_key(told.get("key"))

    def _write_manifest(self) -> None:
        """What is there, with sizes and hashes; raises StorageError."""
        files = sorted(self.folder.glob("shard-*.safetensors"))
        told = {
            "format": _FORMAT,
            "key": dict(self.key),
            "batch": self.batch,
            "shards": [
                {"file": path.name, "bytes": path.stat().st_size, "sha256": file_sha256(path)}
                for path in files
            ],
        }
        text = json.dumps(told, indent=1, sort_keys=True)
        write_whole(self.folder / MANIFEST, text.encode(), durable=True)


@dataclass(frozen=True)
class _ShardState:
    """``there``: rows that a shard has; ``todo``: where the batches begin that it lacks."""

    there: Rows | None
    todo: range


@dataclass(frozen=True)
class _Assembly:
    """Batches that wait until their shard is complete."""

    store: ShardedRows
    missing: Mapping[int, _ShardState]
    waiting: dict[int, dict[int, Rows]] = field(default_factory=dict)

    def put(self, start: int, rows: Rows) -> None:
        """Take the batch that begins at a row, and write its shard if it was the last."""
        number = start // self.store.rows
        waiting = self.waiting.setdefault(number, {})
        waiting[start] = rows
        state = self.missing[number]
        if len(waiting) == len(state.todo):
            del self.waiting[number]
            parts = [waiting[each] for each in state.todo]
            self.store.write_shard(number, _join(([state.there] if state.there else []) + parts))


def _join(parts: Sequence[Rows]) -> Rows:
    import numpy as np

    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _count_rows(rows: Rows) -> int:
    return min((len(array) for array in rows.values()), default=0)


def _digest(rows: Rows) -> str:
    """sha256 over the arrays in the order of their names, with types and shapes."""
    digest = hashlib.sha256()
    for name, array in sorted(rows.items()):
        digest.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
