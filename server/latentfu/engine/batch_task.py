"""What an engine is given: a function of batches, what a worker needs for it, and how much.

The same batches give the same bytes, wherever and in whatever order they are worked on. So a batch
holds the same items however many workers there are, what is random in it depends on its items
alone, and torch works with one and the same number of threads: another rounds in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

BatchState = TypeVar("BatchState")
BatchItem = TypeVar("BatchItem")
BatchResult = TypeVar("BatchResult")


@dataclass(frozen=True)
class WorkerPlace:
    """Where a worker works.

    Attributes:
        device: what its networks are put on: "cpu", "cuda", "cuda:1".
        files: where the task's files lie here, by their paths where the work was asked for.
    """

    device: str = "cpu"
    files: Mapping[str, Path] = field(default_factory=dict)

    def find(self, path: Path) -> Path:
        """Where a file of the task lies on this machine.

        Args:
            path: as it is in the task's ``files``.

        Returns:
            The file; ``path`` itself where the work was asked for on this machine.
        """
        return self.files.get(str(path), path)


@dataclass(frozen=True)
class BatchTask(Generic[BatchState, BatchItem, BatchResult]):
    """Work on batches, each for itself.

    Attributes:
        set_up: called once in each worker, and makes what all its batches need (an open network):
            a function of a module, or ``functools.partial`` of one with what can be pickled.
        run: a function of a module: from that and a batch to the batch's result.
        files: networks that ``set_up`` reads, and finds by ``WorkerPlace.find``; each is brought
            to a machine once, and checked there.
        at_hand: what ``set_up`` would make, where it is there already: taken when the work is
            done in this process.
    """

    set_up: Callable[[WorkerPlace], BatchState]
    run: Callable[[BatchState, Sequence[BatchItem]], BatchResult]
    files: tuple[Path, ...] = ()
    at_hand: BatchState | None = None


@dataclass(frozen=True)
class Resources:
    """What a worker takes.

    Attributes:
        batch: items of a batch; it belongs to the results, so it never depends on the machine's
            size or the number of workers.
        device: "cpu", or "cuda" for a graphics card of its own for each worker.
        threads: of torch in a worker; belongs to the results, too.
        memory: bytes that a worker needs at most; 0 where that is not known.
    """

    batch: int
    device: str = "cpu"
    threads: int = 1
    memory: int = 0

    @property
    def uses_card(self) -> bool:
        """Whether a worker needs a graphics card."""
        return self.device != "cpu"


def split_items(items: Sequence[BatchItem], batch: int) -> list[Sequence[BatchItem]]:
    """The items in batches of ``batch``, the last of what is left.

    >>> split_items(range(5), 2)
    [range(0, 2), range(2, 4), range(4, 5)]
    """
    return [items[start : start + batch] for start in range(0, len(items), batch)]


@contextmanager
def fixed_threads(threads: int) -> Iterator[None]:
    """torch in this process with so many threads, and afterwards as before.

    While workers work too: what is computed between their batches must not round by the machine.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
