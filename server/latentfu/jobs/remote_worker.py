"""A worker on another machine: a Latent-Fu server there that works for this one.

It is spoken to as by any client, over TLS and with a token, so the machines need no common disk:
layers go there, results come back. It takes work on layers by networks and controls that both have;
what only this machine can do is left to the workers here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from latentfu.client.client import Client
from latentfu.core.errors import (
    CancelledError,
    LatentFuError,
    NotInstalledError,
    ServerError,
    StorageError,
    WrongGeneratorError,
)
from latentfu.jobs.device_worker import WorkerState, insist_on
from latentfu.jobs.queue import JobQueue
from latentfu.jobs.store import MAX_ATTEMPTS, Job, Limits, name_network
from latentfu.plugin_manager.default_choice import default_first
from latentfu.protocol.errors import (
    DrainingError,
    QueueFullError,
    TooManyRequestsError,
    WorkerUnavailableError,
)
from latentfu.protocol.remote_server import KnownServer
from latentfu.protocol.replies import ControlReply, Failure
from latentfu.storage.atomic import whole_file
from latentfu.storage.layer_store import LatentStore, LayerStore, inversion_file

log = logging.getLogger(__name__)
T = TypeVar("T")
KINDS = ("edit", "mix", "transfer", "invert", "regions")
"""What is done there; directions are made where they are kept."""
_PICTURES = ("layer", "mask", "source")
_LOOK_EVERY_S = 10.0
_PAUSE_S = 0.3
_MOST_JOBS, _MOST_PREVIEWS = 16, 16
"""At once; each has a thread that waits for the other machine."""
_MOST_KNOWN = 500
_NOT_THERE = (NotInstalledError, WrongGeneratorError)
_LATER = (DrainingError, QueueFullError, TooManyRequestsError)


class RemoteWorker:
    """One server on another machine, with as many jobs at once as it has workers.

    Args:
        server: Its address, the token that counts there, and the certificate that is trusted.
        queue: Whose jobs it does.
        limits: Of this server.
        layers: Where the pictures of jobs lie here.
        latents: Where what clients brought lies.
        read_catalog: Gives what is installed here.
    """

    memory_mb = 0
    is_here = False

    def __init__(
        self,
        server: KnownServer,
        queue: JobQueue,
        limits: Limits,
        *,
        layers: LayerStore,
        latents: LatentStore,
        read_catalog: Callable[[], Any],
    ) -> None:
        self._server, self._queue, self._limits = server, queue, limits
        self._layers, self._latents, self._read_catalog = layers, latents, read_catalog
        self._client: Client | None = None
        self._jobs: dict[str, str] = {}  # the id there of each job at work
        self._refused: set[str] = set()  # jobs that cannot be done there
        self._known: dict[str, None] = {}  # layers that were worked on there, the newest last
        self._theirs: dict[str, tuple[str, list[ControlReply]]] = {}  # its networks: id, controls
        self._slots = 1
        self._threads = ThreadPoolExecutor(_MOST_JOBS + _MOST_PREVIEWS, "remote-worker")
        self._stopping = False
        self.networks: list[str] = []
        self.peers: Sequence[object] = ()
        self.device = server.address.url
        self.message = "It was not reached yet."

    @property
    def state(self) -> WorkerState:
        """What it is doing."""
        if self._client is None:
            return "starting" if self.message.startswith("It was not") else "restarting"
        return "busy" if len(self._jobs) >= self._slots else "ready"

    @property
    def is_hopeless(self) -> bool:
        """Whether no work can be given to it right now."""
        return self._client is None

    def knows(self, layer: str) -> bool:
        """Whether it has worked on a layer, so that a preview of it needs no new inversion."""
        return self._client is not None and layer in self._known

    async def run(self) -> None:
        """Look whether it is there, and give it work while it is."""
        feeding = [asyncio.create_task(self._feed(place)) for place in range(_MOST_JOBS)]
        try:
            while not self._stopping:
                await self._look()
                await asyncio.sleep(_LOOK_EVERY_S if self._client else _LOOK_EVERY_S / 5)
        finally:
            for task in feeding:
                task.cancel()
            await asyncio.gather(*feeding, return_exceptions=True)

    async def stop(self) -> None:
        """Take its jobs back; they wait for the next server."""
        self._stopping = True
        for job_id in list(self._jobs):
            job = await self._queue.get(job_id)
            await self._withdraw(job_id)
            await self._queue.put_back(job, count_attempt=False)

    def cancel(self, work_id: str) -> None:
        """Tell it to drop a job."""
        if work_id in self._jobs:
            withdrawing = asyncio.ensure_future(self._withdraw(work_id))
            withdrawing.add_done_callback(lambda task: task.exception())

    async def preview(
        self, preview_id: str, session: str, body: Mapping[str, object], out: Path
    ) -> None:
        """Have a preview made there and written to ``out``; raises LatentFuError."""
        client = self._client
        if client is None:
            raise WorkerUnavailableError(f"{self.device} does not answer: try again in a moment.")
        there = str(uuid.uuid5(uuid.NAMESPACE_URL, session))
        request = {**body, "generator": self._find_network(body)}
        try:
            await self._call(self._send_pictures, client, body)
            picture = await self._call(client.preview, there, request)
        except ServerError as error:
            self._lose(error)
            raise WorkerUnavailableError(str(error)) from error
        await asyncio.to_thread(out.write_bytes, picture)

    async def _look(self) -> None:
        """Whether it answers, what it has, and how much it can do at once."""
        try:
            client = await self._call(Client.connect_to, self._server)
            health = await self._call(client.health)
            if health.draining:
                raise ServerError("It is about to end.")
            self._theirs = await self._list_networks(client)
        except LatentFuError as error:
            self._lose(error)
            return
        self._slots = min(_MOST_JOBS, max(1, len(health.workers)))
        if self._client is None:
            log.info("%s works for this server, %s jobs at once", self.device, self._slots)
        self._client, self.message = client, ""
        self._queue.work["edit"].set()

    async def _list_networks(self, client: Client) -> dict[str, tuple[str, list[ControlReply]]]:
        """Its networks by name: the sha256 of their weights, and their controls."""
        found = {}
        for each in (await self._call(client.generators)).generators:
            controls = (await self._call(client.controls, each.name)).controls
            found[each.name] = each.id, list(controls)
        return found

    def _lose(self, error: LatentFuError) -> None:
        """It cannot work right now."""
        if self._client is not None or not self.message.endswith(str(error)):
            log.warning("%s does not work for this server: %s", self.device, error)
        self._client, self.message = None, str(error)

    # jobs

    async def _feed(self, place: int) -> None:
        while not self._stopping:
            client, job = self._client, None
            if client is not None and place < self._slots:
                job = await insist_on(self._claim)
            if client is None or job is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._queue.work["edit"].wait(), 1.0 + place)
                await asyncio.sleep(_PAUSE_S)  # what waits may be nothing for this machine
                continue
            try:
                await self._do(job, client)
            except (OSError, ValueError) as error:
                log.exception("a job that %s did went wrong: %s", self.device, error)
                await insist_on(partial(self._queue.worker_died, job))

    async def _claim(self) -> Job | None:
        """The next job that can be done there."""
        job = await self._queue.claim("edit", self.networks, fits=self._fits)
        if job is not None:
            used = name_network(job.body)
            self.networks = [used, *(name for name in self.networks if name != used)][:2]
        return job

    def _fits(self, job_id: str, kind: str, body: Mapping[str, Any]) -> bool:
        """Whether both have the network and the controls of a job; asked by the queue's thread."""
        if kind not in KINDS or job_id in self._refused:
            return False
        catalog, name = self._read_catalog(), self._find_network(body)
        ids = {each["name"]: each["id"] for each in catalog.get("generators", [])}
        there, controls = self._theirs.get(name, ("", []))
        if not there or ids.get(name) != there:
            return False
        own = {row["name"]: row for row in catalog.get("controls", {}).get(name, [])}
        theirs = {each.name: each for each in controls}
        wanted = {*body.get("edits", {}), *body.get("targets", {})}
        return all(
            each in own
            and each in theirs
            and ControlReply.model_validate(own[each]) == theirs[each]
            for each in wanted
        )

    def _find_network(self, body: Mapping[str, Any]) -> str:
        """The network of a request by name; of the default one what that is here."""
        installed = self._read_catalog().get("generators", [])
        first = default_first({str(each["name"]): each for each in installed})
        return name_network(body) or next(iter(first), "")

    async def _do(self, job: Job, client: Client) -> None:
        there = self._jobs[job.id] = str(uuid.uuid4())
        try:
            async with asyncio.timeout(self._limits.job_s):
                report = await self._call(self._work, job, there, client)
        except CancelledError:
            if self._stopping:
                return  # it waits for the next server
            await insist_on(partial(self._queue.finish, job.id, "cancelled"))
        except ServerError as error:
            self._lose(error)
            await self._give_back(job)
        except _LATER as error:
            log.info("%s takes no job now: %s", self.device, error)
            await self._give_back(job)
            await asyncio.sleep(1.0)
        except _NOT_THERE as error:
            log.info("%s cannot do a job that the workers here do: %s", self.device, error)
            self._refused.add(job.id)
            await self._give_back(job)
        except StorageError as error:
            await self._retry_with_room(job, error)
        except WorkerUnavailableError:
            await insist_on(partial(self._queue.worker_died, job))
        except TimeoutError:
            await self._withdraw(job.id)
            text = f"The job took longer than {self._limits.job_s / 60:.0f} minutes."
            await self._fail(job, "too_long", text)
        except LatentFuError as error:
            await self._fail(job, error.code, str(error))
        else:
            self._remember_layer(job)
            if not await insist_on(partial(self._queue.finish, job.id, "done", None, report)):
                self._queue.result_path(job.id).unlink(missing_ok=True)
        finally:
            self._jobs.pop(job.id, None)

    def _work(self, job: Job, there: str, client: Client) -> dict[str, Any]:
        """Send, wait, fetch; in a thread. The report, with the result where it belongs."""
        self._send_pictures(client, job.body)
        request = {**job.body, "kind": job.kind, "generator": self._find_network(job.body)}
        request["interactive"] = False  # who listens is known here
        client.put_job(request, there)
        done = client.wait(there, partial(self._queue.show_from_thread, job.id))
        _fetch(client, f"/v1/jobs/{there}/result", self._queue.result_path(job.id))
        report = dict(done.report or {})
        self._fetch_inversion(client, str(report.get("inversion_key") or ""))
        return report

    def _send_pictures(self, client: Client, body: Mapping[str, Any]) -> None:
        """Bring what a request names, unless it is there."""
        named = [body[field] for field in _PICTURES if body.get(field)]
        for name in {*named, *body.get("exemplars", {}).values()}:
            client.send_stored(str(name), "layers", self._layers.path(str(name)))
        latent = body.get("latent")
        if latent and (path := self._latents.find(str(latent))) is not None:
            client.send_stored(str(latent), "latents", path)

    def _fetch_inversion(self, client: Client, key: str) -> None:
        """Bring the inversion here, so that the workers here need not find it again."""
        path = inversion_file(key) if key else None
        if path is None or path.exists():
            return
        with contextlib.suppress(LatentFuError):  # it would be found again
            _fetch(client, f"/v1/latents/{key}", path)

    def _remember_layer(self, job: Job) -> None:
        layer = str(job.body.get("layer", ""))
        self._known.pop(layer, None)
        self._known[layer] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def _fail(self, job: Job, code: str, message: str) -> None:
        failure = Failure(code=code, message=message)
        await insist_on(partial(self._queue.finish, job.id, "failed", failure))

    async def _give_back(self, job: Job) -> None:
        await insist_on(partial(self._queue.put_back, job, count_attempt=False))

    async def _retry_with_room(self, job: Job, error: StorageError) -> None:
        """The disk was full: old results go, and the job is done once more."""
        if job.attempts < MAX_ATTEMPTS:
            await insist_on(self._queue.make_room)
            await insist_on(partial(self._queue.put_back, job))
        else:
            await self._fail(job, error.code, str(error))

    async def _withdraw(self, job_id: str) -> None:
        """Cancel a job there; where nobody answers it ends by itself."""
        client, there = self._client, self._jobs.get(job_id)
        if client is not None and there is not None:
            with contextlib.suppress(LatentFuError):
                await self._call(client.cancel, there)

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        """Wait in a thread of its own: there are few that all the server shares."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(work, *arguments))


def _fetch(client: Client, path: str, target: Path) -> None:
    """Write what the other machine answers, whole or not at all."""
    with whole_file(target, mode=0o600) as temporary, temporary.open("wb") as file:
        client.fetch_file(path, file)
