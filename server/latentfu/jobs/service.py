"""The job service: queue, workers, previews, catalogue and tidying, opened and closed together."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from latentfu.core.errors import StorageError
from latentfu.core.paths import cache_dir, data_dir, make_private
from latentfu.jobs.device_worker import DeviceWorker
from latentfu.jobs.frames import Message
from latentfu.jobs.network_installer import NetworkInstaller
from latentfu.jobs.previews import Previews
from latentfu.jobs.queue import JobQueue
from latentfu.jobs.remote_worker import RemoteWorker
from latentfu.jobs.store import JobStore, Limits
from latentfu.protocol.errors import WorkerUnavailableError
from latentfu.protocol.remote_server import KnownServer
from latentfu.protocol.replies import Failure
from latentfu.storage.held_store import HeldStore, forget_lost
from latentfu.storage.layer_store import LatentStore, LayerStore, latents_folder

log = logging.getLogger(__name__)
_FRESH_S = 2.0


class JobService:
    """Everything behind the routes.

    ``worker_arguments`` are handed on to the worker (tests name a stand-in editor there).
    ``machines``: servers on others that work for this one.
    """

    def __init__(
        self,
        devices: Sequence[str] = ("auto",),
        limits: Limits | None = None,
        worker_arguments: Sequence[str] = (),
        machines: Sequence[KnownServer] = (),
    ) -> None:
        self.limits = limits or Limits()
        self.layers = LayerStore(cache_dir() / "layers", self.limits.layer_quota_bytes)
        self.latents = LatentStore()
        results = make_private(data_dir() / "results")
        self._previews_folder = make_private(cache_dir() / "previews")
        path = data_dir() / "jobs.sqlite"
        store = JobStore(path, self.limits.max_queued, self.limits.user_queued)
        self.queue = JobQueue(store, results, self.limits)
        self.layers.in_use = self.latents.in_use = self._layers_in_use
        here = [
            DeviceWorker(
                ["--device", device, "--layers", str(cache_dir() / "layers"), *worker_arguments],
                self.queue,
                self.limits,
                self._hear_catalog,
            )
            for device in devices
        ]
        there = [
            RemoteWorker(
                machine,
                self.queue,
                self.limits,
                layers=self.layers,
                latents=self.latents,
                read_catalog=self._known_catalog,
            )
            for machine in machines
        ]
        self.first_worker = here[0]
        self.workers: list[DeviceWorker | RemoteWorker] = [*here, *there]
        for worker in self.workers:
            worker.peers = [other for other in self.workers if other is not worker]
        self.installer = NetworkInstaller(self.queue, self.limits)
        self.previews = Previews(
            self._previews_folder,
            self.workers,
            self.limits.max_previews,
            self.limits.user_previews,
            self.limits.preview_s,
        )
        self._catalog: dict[str, Any] | None = None
        self._catalog_error = ""
        self._catalog_time = 0.0
        self._catalog_heard = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Take up the work that an earlier server left, and start the workers."""
        make_private(cache_dir() / "layers")
        make_private(latents_folder())
        await self.queue.open()
        self.queue.on_cancel = self._cancel_everywhere
        self._start(self._watch_over_jobs())
        self._start(self._tidy())
        for worker in self.workers:
            self._start(worker.run())
        self._start(self.installer.run())

    async def close(self) -> None:
        """Stop the workers and put away the table."""
        await asyncio.gather(self.installer.stop(), *(worker.stop() for worker in self.workers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.queue.close()

    async def catalog(self) -> dict[str, Any]:
        """What is installed; waits while the worker starts, raises WorkerUnavailableError."""
        worker = self.first_worker
        if self._catalog is None or (
            time.monotonic() - self._catalog_time > _FRESH_S and worker.state == "ready"
        ):
            self._catalog_heard.clear()
            await worker.ask_catalog()
            patience = self.limits.catalog_s if self._catalog is None else 5.0
            try:
                await asyncio.wait_for(self._catalog_heard.wait(), patience)
            except TimeoutError:
                log.warning("the worker did not send its catalogue in %s s", patience)
        if self._catalog is None:
            raise WorkerUnavailableError(
                f"What is installed is not known: {self._catalog_error or worker.message}"
            )
        return self._catalog

    def layers_of(self, owner: str) -> LayerStore | HeldStore:
        """The layers that ``owner`` has sent; all of them for the one whose machine this is."""
        return self._held(self.layers, owner, self.limits.user_layer_bytes)

    def latents_of(self, owner: str) -> LayerStore | HeldStore:
        """The same for latents."""
        return self._held(self.latents, owner, self.limits.user_latent_bytes)

    def count_layer_bytes(self, owner: str) -> int:
        """How much a user of a shared server has sent."""
        return HeldStore(self.layers, owner, 0).size_bytes

    def _held(self, store: LayerStore, owner: str, quota: int) -> LayerStore | HeldStore:
        return HeldStore(store, owner, quota) if owner else store

    def _known_catalog(self) -> dict[str, Any]:
        """What is installed, as far as it is known; asked from any thread."""
        return self._catalog or {}

    def _hear_catalog(self, message: Message) -> None:
        if message["event"] == "catalog":
            found: Any = message["catalog"]
            self._catalog, self._catalog_time = found, time.monotonic()
        else:
            self._catalog_error = str(message["message"])
        self._catalog_heard.set()

    def _cancel_everywhere(self, job_id: str) -> None:
        for worker in self.workers:
            worker.cancel(job_id)
        self.installer.cancel(job_id)

    def _layers_in_use(self) -> set[str]:
        """The layers that waiting and running jobs name."""
        bodies = [job.body for job in self.queue.unfinished()]
        keys = ("layer", "mask", "source", "latent")
        named = {str(body[key]) for body in bodies for key in keys if body.get(key)}
        for body in bodies:
            exemplars: Any = body.get("exemplars", {})
            named.update(exemplars.values())
        return named

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _watch_over_jobs(self) -> None:
        pause = min(1.0, self.limits.orphan_s / 5)
        while True:
            await asyncio.sleep(pause)
            try:
                await self.queue.cancel_orphans()
                if all(worker.is_hopeless for worker in self.workers):
                    await self.queue.give_up(
                        Failure(code="worker", message=self.first_worker.message)
                    )
            except StorageError as error:
                log.error("%s", error)

    async def _tidy(self) -> None:
        while True:
            try:
                await self.queue.prune(self.limits.result_age_s, self.limits.max_ended)
                keep = self._layers_in_use()
                await asyncio.to_thread(self.layers.prune, keep, self.limits.layer_age_s)
                await asyncio.to_thread(self.latents.prune, keep, self.limits.layer_age_s)
                await asyncio.to_thread(forget_lost, (self.layers, self.latents))
                await asyncio.to_thread(_remove_old, self._previews_folder)
            except (StorageError, OSError) as error:
                log.error("tidying up failed: %s", error)
            await asyncio.sleep(self.limits.tidy_every_s)


def _remove_old(folder: Path) -> None:
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > 3600.0:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
