"""Which engine a person means by ``--engine`` and ``--jobs``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from latentfu.core.errors import BadInputError
from latentfu.engine.local import LocalEngine
from latentfu.engine.map_batches import Engine


@contextmanager
def open_engine(name: str = "local", jobs: int | None = None) -> Iterator[Engine]:
    """A context that gives an engine; what it started ends with it.

    Args:
        name: "local" for processes of this machine; "ray" for a Ray that is started here;
            "ray://HOST:PORT" for a cluster.
        jobs: batches at once, 1 or more; on this machine 1 is this process itself, and None as
            many processes as are of use.

    Yields:
        What ``map_batches`` takes.

    Raises:
        BadInputError: there is no such engine.
        NotInstalledError: Ray is not installed.
        ServerError: nobody listens at that address, or the token is refused.

    >>> with open_engine("local", 1) as engine:
    ...     print(engine.jobs)
    1
    """
    if name == "local":
        yield LocalEngine(jobs)
    elif name == "ray" or name.startswith("ray://"):
        from latentfu.engine.ray_engine import connect_ray

        with connect_ray(None if name == "ray" else name, jobs) as engine:
            yield engine
    else:
        raise BadInputError(f"There is no engine {name!r}: give local, ray, or ray://HOST:PORT.")


@dataclass(frozen=True)
class EngineChoice:
    """What a person said with ``--engine`` and ``--jobs``.

    Attributes:
        name: as ``open_engine`` takes it.
        jobs: likewise.
    """

    name: str = "local"
    jobs: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether a person said anything."""
        return self != EngineChoice()

    def open(self) -> AbstractContextManager[Engine]:
        """A context that gives the engine; raises as ``open_engine``."""
        return open_engine(self.name, self.jobs)
