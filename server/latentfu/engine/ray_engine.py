"""Workers of a Ray cluster, or of a Ray that is started on this machine and ended again.

Ray gives a batch to another worker when a worker or a whole machine is lost. It unpickles what it
is sent, on both ends: so whoever can speak to it can run programs, and its token is always on.
"""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import latentfu
from latentfu.core.errors import (
    BadInputError,
    LatentFuError,
    NotInstalledError,
    OutOfMemoryError,
    PluginFailedError,
    ServerError,
)
from latentfu.engine.batch_task import BatchTask, Resources, fixed_threads
from latentfu.engine.map_batches import WorkerCrew
from latentfu.engine.ray_security import ray_environment
from latentfu.engine.ray_worker import SentFile, SentTask, work_on_node
from latentfu.storage.safetensors_file import file_sha256

_PORT = 10001
_KNOCK_S = 5.0
_DEATHS_OF_A_BATCH = 4
_COUNT_AGAIN_S = 5.0
_LATE_S, _LATE_FIRST_S = 30.0, 600.0
"""So long nothing may come, at least, and before the first result; batches may take long."""


class RayEngine:
    """A cluster that this process is connected to; ``jobs``: batches at once, None for all."""

    def __init__(self, ray: Any, jobs: int | None) -> None:
        self._ray, self.jobs = ray, jobs

    def choose_device(self, here: str) -> str:
        """Graphics cards where the cluster has any, whatever this machine has."""
        return "cuda" if self._ray.cluster_resources().get("GPU", 0) >= 1 else "cpu"

    def list_nodes(self) -> list[dict[str, Any]]:
        """The cluster's machines: ``address``, ``alive``, ``cpus`` and ``gpus`` of each."""
        return [
            {
                "address": node["NodeManagerAddress"],
                "alive": bool(node["Alive"]),
                "cpus": int(node["Resources"].get("CPU", 0)),
                "gpus": int(node["Resources"].get("GPU", 0)),
            }
            for node in self._ray.nodes()
        ]

    @contextmanager
    def hire(
        self, task: BatchTask[Any, Any, Any], resources: Resources, batches: int
    ) -> Iterator[WorkerCrew]:
        """Workers for a task; what is under way at the end is cancelled."""
        crew = _RayCrew(self._ray, task, resources, self.jobs)
        try:
            with fixed_threads(resources.threads):
                yield crew
        finally:
            crew.cancel()


@contextmanager
def connect_ray(address: str | None, jobs: int | None = None) -> Iterator[RayEngine]:
    """A context that gives an engine, and lets go of the cluster at its end.

    Args:
        address: "ray://HOST:PORT" of a cluster's door for clients; None starts a Ray on this
            machine, with ``jobs`` workers (None: one for each core).
        jobs: the most batches at once.

    Yields:
        The engine.

    Raises:
        NotInstalledError: Ray is not installed.
        ServerError: nobody listens there, or whoever does refuses the token.
        BadInputError: the address is none.
    """
    if address is not None:
        _knock(address)
    os.environ.update(ray_environment())
    ray = _import_ray()
    try:
        _connect(ray, address, jobs)
        yield RayEngine(ray, jobs)
    finally:
        with suppress(Exception):  # a cluster that is gone cannot be told
            ray.shutdown()


def _import_ray() -> Any:
    try:  # optional: nobody's type checker looks for it
        return importlib.import_module("ray")
    except ImportError as error:
        raise NotInstalledError(
            "Ray is not installed: pip install 'latentfu[ray]', or leave --engine out."
        ) from error


def _knock(address: str) -> None:
    """Raise where nobody listens: Ray itself would try for half a minute."""
    parts = urllib.parse.urlsplit(address)
    try:
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        host = None
    if not host or parts.scheme != "ray":
        raise BadInputError(
            f"{address!r} is no address of a Ray cluster, like ray://10.0.0.5:10001."
        )
    try:
        socket.create_connection((host, port), _KNOCK_S).close()
    except OSError as error:
        raise ServerError(
            f"No Ray cluster listens at {address} ({error.strerror or error}): start one with "
            "`latentfu cluster up`, or correct the address."
        ) from error


def _connect(ray: Any, address: str | None, jobs: int | None) -> None:
    try:
        if address is None:
            ray.init(
                "local",  # never one that happens to run
                num_cpus=jobs,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        else:
            _join(ray, address)
    except LatentFuError:
        raise
    except Exception as error:
        where = "on this machine" if address is None else f"at {address}"
        raise ServerError(
            f"Ray {where} cannot be used ({_first_line(error)}): give both ends the same version "
            "of Ray and the same token (RAY_AUTH_TOKEN_PATH)."
        ) from error


def _join(ray: Any, address: str) -> None:
    """Connect; once more where the head's process for this client died as it was forked.

    That happens to Ray's door now and then: gRPC does not always outlive a fork.
    """
    for last in (False, True):
        try:
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        except ConnectionError as error:
            if last or "Initialization failure" not in str(error):
                raise
            with suppress(Exception):
                ray.shutdown()
        else:
            return


class _GivenBatch(NamedTuple):
    """A batch under way, and since when."""

    number: int
    batch: Sequence[Any]
    since: float


class _RayCrew:
    """Batches as tasks of Ray, as many at once as the cluster has room for, and once more."""

    def __init__(
        self,
        ray: Any,
        task: BatchTask[Any, Any, Any],
        resources: Resources,
        jobs: int | None,
    ) -> None:
        self._ray, self._resources, self._jobs = ray, resources, jobs
        options: dict[str, Any] = {
            "num_cpus": resources.threads,
            "max_retries": 0,  # counted here: a batch that kills each worker must not go on
            "max_calls": 0,  # a worker with a card too stays for the next batch
        }
        if resources.uses_card:
            options["num_gpus"] = 1
        if resources.memory:
            options["memory"] = resources.memory
        self._function = ray.remote(**options)(work_on_node)
        self._task = ray.put(_send(ray, task, resources))
        self._under_way: dict[Any, _GivenBatch] = {}
        self._deaths: dict[int, int] = {}
        self._room, self._counted = 0, 0.0
        self._heard, self._longest = time.monotonic(), 0.0

    @property
    def slots(self) -> int:
        """Twice what can be done at once, so that no worker waits for this process."""
        if self._jobs is not None:
            return self._jobs
        if time.monotonic() - self._counted > _COUNT_AGAIN_S or not self._room:
            self._room = self._count_room()
            self._counted = time.monotonic()
        return 2 * self._room

    def _count_room(self) -> int:
        """How many workers fit into the cluster; raises where there can be none."""
        found = self._ray.cluster_resources()
        wanted = {"CPU": self._resources.threads}
        if self._resources.uses_card:
            wanted["GPU"] = 1
        if self._resources.memory:
            wanted["memory"] = self._resources.memory
        room = min(int(found.get(name, 0) // each) for name, each in wanted.items())
        if room < 1:
            asked = ", ".join(f"{each} {name}" for name, each in wanted.items())
            raise BadInputError(
                f"No machine of the cluster has what a worker needs ({asked}): start one that has, "
                "or leave --engine out."
            )
        return room

    def submit(self, number: int, batch: Sequence[Any]) -> None:
        with _cluster_errors():
            reference = self._function.remote(self._task, batch)
        if not self._under_way:
            self._heard = time.monotonic()
        self._under_way[reference] = _GivenBatch(number, batch, time.monotonic())

    def collect(self, seconds: float) -> list[tuple[int, Any]]:
        if not self._under_way:
            return []
        with _cluster_errors():
            ready, _ = self._ray.wait(
                list(self._under_way), num_returns=len(self._under_way), timeout=0
            )
            if not ready:
                ready, _ = self._ray.wait(list(self._under_way), timeout=seconds)
        found = []
        for reference in ready:
            given = self._under_way.pop(reference, None)
            if given is None:  # the same batch came from elsewhere, just now
                continue
            self._heard = time.monotonic()
            self._longest = max(self._longest, self._heard - given.since)
            copies = [each for each, one in self._under_way.items() if one.number == given.number]
            try:
                with _cluster_errors():
                    found.append((given.number, self._ray.get(reference)))
            except _LostBatchError as error:
                if not copies:
                    self._give_again(given.number, given.batch, error)
            else:
                self._cancel(copies)
        if not ready:
            self._give_late_again()
        return found

    def _give_late_again(self) -> None:
        """Where nothing comes for long, what is under way is begun a second time.

        A machine that no packet comes from any more would keep its batches for minutes: Ray waits
        for an answer. Whoever is ready first counts; both give the same bytes.
        """
        patience = max(_LATE_S, 3 * self._longest) if self._longest else _LATE_FIRST_S
        if time.monotonic() - self._heard < patience:
            return
        counted = Counter(given.number for given in self._under_way.values())
        for given in list(self._under_way.values()):
            if counted[given.number] == 1:
                self.submit(given.number, given.batch)
        self._heard = time.monotonic()

    def _give_again(self, number: int, batch: Sequence[Any], error: Exception) -> None:
        """To another worker; raises where the batch has cost too many."""
        self._deaths[number] = self._deaths.get(number, 0) + 1
        if self._deaths[number] >= _DEATHS_OF_A_BATCH:
            raise OutOfMemoryError(
                f"{self._deaths[number]} workers in a row died of the same batch "
                f"({_first_line(error)}), most likely for want of memory: give machines fewer "
                "workers (--num-cpus of ray start), and the work goes on."
            ) from error
        self.submit(number, batch)

    def cancel(self) -> None:
        """End what is under way, in the middle of it."""
        self._cancel(list(self._under_way))

    def _cancel(self, references: Sequence[Any]) -> None:
        for reference in references:
            self._under_way.pop(reference)
            with suppress(Exception):  # a cluster that is gone has ended it
                self._ray.cancel(reference, force=True)


def _send(ray: Any, task: BatchTask[Any, Any, Any], resources: Resources) -> SentTask:
    """The task with its files put into the cluster's store, from where each machine takes them."""
    import numpy as np

    def put(path: Path) -> SentFile:
        content = np.fromfile(path, dtype=np.uint8)
        return SentFile(str(path), file_sha256(path), ray.put(content))

    files = tuple(put(path) for path in task.files)
    return SentTask(
        secrets.token_hex(8), latentfu.__version__, task.set_up, task.run, files, resources
    )


class _LostBatchError(Exception):
    """A worker or a machine has died over a batch, or its result is gone with one."""


@contextmanager
def _cluster_errors() -> Iterator[None]:
    """What Ray raises, as what it means."""
    faults: Any = importlib.import_module("ray.exceptions")
    try:
        yield
    except faults.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, LatentFuError):
            raise cause from None
        raise PluginFailedError(
            f"A worker of the cluster failed ({_last_line(error)}): the same work without --engine "
            "shows where, with --debug."
        ) from error
    except (
        faults.WorkerCrashedError,
        faults.NodeDiedError,
        faults.ObjectLostError,
        faults.OutOfMemoryError,
        faults.ActorDiedError,
    ) as error:
        raise _LostBatchError(_first_line(error)) from error
    except (faults.RayError, ConnectionError) as error:
        raise ServerError(
            f"The Ray cluster went away ({_first_line(error)}): start it again and run the same "
            "command; what is done stays done."
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".:") if lines else type(error).__name__


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].rstrip(".:") if lines else type(error).__name__
