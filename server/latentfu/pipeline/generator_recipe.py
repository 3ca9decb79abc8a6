"""How a generator that is open here is opened by a worker, in another process or on a machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latentfu.core.errors import WrongGeneratorError
from latentfu.core.generator import Generator
from latentfu.core.paths import data_dir
from latentfu.engine.batch_task import Resources, WorkerPlace
from latentfu.pipeline.generator_pool import open_generator
from latentfu.pipeline.network_memory import measure_network
from latentfu.plugin_manager import get_registry
from latentfu.plugin_objects import GeneratorSpec

_PROGRAM = 600 << 20
"""Bytes of Python and torch, before anything is computed."""
_MAPS = 64
"""Maps of the picture's size that rendering holds at once, about."""


@dataclass(frozen=True)
class GeneratorRecipe:
    """Which generator a worker opens.

    Attributes:
        name: of an installed one; where it is shipped with a plug-in, each machine has it.
        id: of its weights; another network of the same name is refused.
        file: of one that lies among this user's data, or was opened from a file: it is sent.
    """

    name: str
    id: str
    file: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """What is to be sent, for ``BatchTask``."""
        return () if self.file is None else (self.file,)

    def open(self, place: WorkerPlace) -> Generator:
        """The generator, on the worker's device.

        Args:
            place: of the worker.

        Returns:
            It, with its weights loaded.

        Raises:
            NotInstalledError: it is not installed there.
            WrongGeneratorError: the one of that name there has other weights.
        """
        source = self.name if self.file is None else place.find(self.file)
        generator = open_generator(source, place.device)
        if self.file is not None:
            generator.name, generator.id = self.name, self.id  # a file's name may be its sha256
        if generator.id != self.id:
            raise WrongGeneratorError(
                f"A worker has another generator {self.name} than this machine: install the same "
                "plug-ins on every machine of the cluster."
            )
        return generator


def describe_generator(generator: Generator, given: str | None = None) -> GeneratorRecipe:
    """How a worker opens a generator.

    Args:
        generator: as it is open here.
        given: the name or file by which it was opened, if a person gave one.

    Returns:
        The recipe; a worker says where it cannot be opened by it.
    """
    spec = get_registry().installed(GeneratorSpec).get(generator.name)
    if spec is not None and spec.id == generator.id:
        own = spec.file is not None and spec.file.is_relative_to(data_dir())
        return GeneratorRecipe(spec.name, spec.id, spec.file if own else None)
    file = Path(given).absolute() if given is not None and Path(given).is_file() else None
    return GeneratorRecipe(generator.name, generator.id, file)


def measure_worker(generator: Generator, batch: int, device: str) -> Resources:
    """What a worker takes that renders batches of a generator.

    Args:
        generator: of any size; it must be open.
        batch: pictures of a batch.
        device: "cpu" or "cuda".

    Returns:
        With the memory that it needs, roughly.
    """
    picture = 4 * _MAPS * generator.resolution**2
    memory = _PROGRAM + 2 * measure_network(generator) + batch * picture
    return Resources(batch, device, memory=memory)


def choose_render_batch(resolution: int, most: int) -> int:
    """Pictures that are rendered at once: as many as make ``most`` of 512 px, and no more.

    It depends on the network alone, since a batch of another size may round otherwise.

    >>> [choose_render_batch(side, 16) for side in (256, 512, 1024)]
    [16, 16, 4]
    """
    return max(1, min(most, most * 512 * 512 // (resolution * resolution)))
