"""The queue on disk: one sqlite file that survives the sudden end of any process.

Everything here blocks; :class:`latentfu.jobs.queue.JobQueue` calls it from a thread of its own.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from latentfu.core.errors import StorageError
from latentfu.core.paths import make_private
from latentfu.protocol.errors import ConflictError, QueueFullError
from latentfu.protocol.replies import Failure

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Lane = Literal["edit", "install"]
"""Networks are fetched beside the work on layers, by a process of its own."""
SURELY_OLD_S = 900.0
"""Seconds for which a job must have been too old before it is forgotten: less than the half hour
after which an unused server ends."""
Fits = Callable[[str, str, Mapping[str, Any]], bool]
"""Whether a worker can do a job, by its id, kind and body."""
ENDED: tuple[JobState, ...] = ("done", "failed", "cancelled")


def job_key(owner: str, public_id: str) -> str:
    """Under which a user's job is kept: with the id of another user's job nobody gets there."""
    return f"{owner}.{public_id}" if owner else public_id


def name_network(body: Mapping[str, object]) -> str:
    """The network that a request names; "" for the default one."""
    return str(body.get("generator") or "")


@dataclass(frozen=True)
class Job:
    """One piece of work.

    ``id``: what :func:`job_key` makes of its owner and the id that he gave it.
    ``body``: the checked request. ``fraction``: 0..1. ``attempts``: how often a worker has
    begun it. ``created``: seconds since 1970. ``report``: what the finished work says of itself.
    """

    id: str
    kind: str
    body: Mapping[str, object]
    created: float
    state: JobState = "queued"
    fraction: float = 0.0
    message: str = ""
    error: Failure | None = None
    report: Mapping[str, object] | None = None
    attempts: int = 0
    bytes_done: int | None = None
    bytes_total: int | None = None

    @property
    def owner(self) -> str:
        """The id of the user whose job it is; empty: of the person whose machine this is."""
        return self.id.rpartition(".")[0]

    @property
    def public_id(self) -> str:
        """The id that its owner gave it."""
        return self.id.rpartition(".")[2]

    @property
    def lane(self) -> Lane:
        """Who does it."""
        return "install" if self.kind == "install" else "edit"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    @property
    def interactive(self) -> bool:
        """Whether it is dropped when nobody waits for it any more."""
        return bool(self.body.get("interactive"))


@dataclass(frozen=True)
class Limits:
    """All quotas. Seconds end in ``_s``, bytes in ``_bytes``.

    ``body_grace_s`` and ``body_rate``: a body must come within the grace plus its bytes at that
    rate (bytes a second). ``orphan_s``: how long an interactive job lives after its last
    listener; ``first_listener_s``: how long it waits for the first one. ``import_s``: how long a
    worker that starts may be at one plug-in. ``installer_s``: how long a listing or a removal of
    networks may take; ``installer_idle_s``: when their process ends after its last use.

    What begins with ``user_`` is for each user of a studio's server: jobs that wait, previews at
    once, bytes of layers, of latents and of results, requests a second and how many at once.
    ``address_``: connections of one address, and wrong tokens a minute.
    """

    max_queued: int = 200
    max_ended: int = 500
    max_previews: int = 256
    max_connections: int = 600
    json_bytes: int = 64 << 10
    layer_quota_bytes: int = 8 << 30
    result_quota_bytes: int = 8 << 30
    header_s: float = 15.0
    body_grace_s: float = 15.0
    body_rate: float = 256 << 10
    job_s: float = 3600.0
    preview_s: float = 300.0
    catalog_s: float = 60.0
    import_s: float = 40.0
    cancel_s: float = 5.0
    installer_s: float = 60.0
    installer_idle_s: float = 60.0
    orphan_s: float = 5.0
    first_listener_s: float = 30.0
    keep_alive_s: float = 2.0
    result_age_s: float = 7 * 86_400.0
    layer_age_s: float = 86_400.0
    tidy_every_s: float = 600.0
    user_queued: int = 50
    user_previews: int = 4
    user_layer_bytes: int = 2 << 30
    user_latent_bytes: int = 128 << 20
    user_result_bytes: int = 2 << 30
    user_requests_s: float = 50.0
    user_burst: int = 200
    address_connections: int = 64
    address_failures: int = 20


_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    error TEXT,
    report TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL,
    ended REAL
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, number);
"""
_OWNER = "substr(id, 1, max(0, instr(id, '.') - 1))"
_COLUMNS = "id, kind, body, state, error, report, attempts, created"
_LOOK_AHEAD, _MOST_PASSED, _MOST_SEEN = 16, 8, 200
MAX_ATTEMPTS = 2
DIED_TWICE: dict[Lane, Failure] = {
    "edit": Failure(
        code="worker",
        message="The worker process died twice over this job (often too little memory): "
        "try a smaller layer, and see the server's log.",
    ),
    "install": Failure(
        code="worker",
        message="The process that installs networks died twice over this one (often too little "
        "memory): close other programs and try again; what has come is kept.",
    ),
}

P = ParamSpec("P")
R = TypeVar("R")


def _storage(
    method: Callable[Concatenate[JobStore, P], R],
) -> Callable[Concatenate[JobStore, P], R]:
    @wraps(method)
    def guarded(self: JobStore, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except sqlite3.Error as error:
            raise StorageError(f"The job queue could not be read or written: {error}.") from error

    return guarded


class JobStore:
    """Jobs in sqlite. ``max_queued``: how many may wait; ``user_queued``: of one user."""

    def __init__(self, path: Path, max_queued: int = 200, user_queued: int = 200) -> None:
        self._max_queued = max_queued
        self._user_queued = user_queued
        self._turns: dict[str, int] = {}
        self._passed: dict[int, int] = {}
        """How often the oldest job was passed over for one whose network was loaded."""
        self._old: dict[str, float] = {}
        """Since when, by a clock that nobody sets, ended jobs have been seen to be too old."""
        try:
            # sqlite gives its other files the permissions of this one.
            make_private(path.parent)
            path.touch(0o600)
            path.chmod(0o600)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"Could not open the job queue {path}: {error}.") from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @_storage
    def put(self, job: Job) -> tuple[Job, bool]:
        """Queue ``job``; with its id already there and the same body, that one and False.

        Raises ConflictError for another body, QueueFullError when too many wait.
        """
        with self._transaction():
            known = self._find(job.id)
            if known is not None:
                if (known.kind, dict(known.body)) != (job.kind, dict(job.body)):
                    raise ConflictError(
                        "This id is taken by another request: make a new UUID for each job."
                    )
                return known, False
            self._check_room(job.owner)
            self._db.execute(
                "INSERT INTO jobs (id, kind, body, created) VALUES (?, ?, ?, ?)",
                (job.id, job.kind, json.dumps(dict(job.body)), job.created),
            )
            return job, True

    @_storage
    def get(self, job_id: str) -> Job | None:
        """The job of that id."""
        return self._find(job_id)

    @_storage
    def newest(self, owner: str = "", limit: int = 100) -> list[Job]:
        """The newest jobs of ``owner``, newest first."""
        return self._select(f"WHERE {_OWNER} = ? ORDER BY number DESC LIMIT ?", owner, limit)

    @_storage
    def count_by_owner(self) -> dict[tuple[str, JobState], int]:
        """How many jobs each owner has in each state."""
        rows = self._db.execute(f"SELECT {_OWNER}, state, count(*) FROM jobs GROUP BY 1, 2")
        return {(owner, state): int(count) for owner, state, count in rows}

    @_storage
    def has_reported(self, owner: str, word: str) -> bool:
        """Whether the report of a job of ``owner`` holds ``word``, a key of an inversion."""
        query = f"SELECT 1 FROM jobs WHERE {_OWNER} = ? AND instr(report, ?) > 0 LIMIT 1"
        return self._db.execute(query, (owner, word)).fetchone() is not None

    @_storage
    def unfinished(self) -> list[Job]:
        """All jobs that wait or run, oldest first."""
        return self._select("WHERE state IN ('queued', 'running') ORDER BY number")

    @_storage
    def claim(
        self,
        lane: Lane = "edit",
        near: Collection[str] = (),
        elsewhere: Collection[str] = (),
        fits: Fits | None = None,
    ) -> Job | None:
        """A waiting job, now running and with one attempt more; None if none is for this worker.

        The oldest of that owner who has waited longest for a turn: however many jobs somebody puts,
        each of the others is next after one of them. Of his oldest jobs one with a network that the
        worker has loaded comes first; the very oldest is passed over a few times only.

        Args:
            lane: Who asks.
            near: The networks (as requests name them, "" the default one) that he has loaded.
            elsewhere: Those that another worker who is free has loaded: their job is left to him.
            fits: Of a worker who cannot do everything: what is not for him is passed over.
        """
        which = "=" if lane == "install" else "!="
        with self._transaction():
            first = self._db.execute(
                f"SELECT {_OWNER}, min(number) FROM jobs "
                f"WHERE state = 'queued' AND kind {which} 'install' GROUP BY 1"
            ).fetchall()
            if not first:
                return None
            owner, oldest = min(first, key=lambda one: (self._turns.get(one[0], 0), one[1]))
            number = oldest
            if fits is not None:
                number, owner = self._choose_fitting(which, near, fits)
            elif near or elsewhere:
                number = self._choose_near(owner, which, near, elsewhere)
            if number is None:
                return None
            if fits is None:
                passed = {oldest: self._passed.get(oldest, 0) + 1}
                self._passed = passed if number != oldest else {}
            self._turns[owner] = max(self._turns.values(), default=0) + 1
            self._db.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE number = ?",
                (number,),
            )
            return self._select("WHERE number = ?", number)[0]

    def _choose_fitting(
        self, which: str, near: Collection[str], fits: Fits
    ) -> tuple[int | None, str]:
        """The number and the owner of the job that a worker takes who cannot do everything."""
        rows = self._db.execute(
            f"SELECT number, id, kind, body, {_OWNER} FROM jobs "
            f"WHERE state = 'queued' AND kind {which} 'install' ORDER BY number LIMIT {_MOST_SEEN}"
        ).fetchall()
        best: tuple[tuple[int, bool, int], int, str] | None = None
        for number, job_id, kind, body, owner in rows:
            content = json.loads(body)
            if fits(str(job_id), str(kind), content):
                turn = self._turns.get(owner, 0)
                rank = (turn, name_network(content) not in near, int(number))
                if best is None or rank < best[0]:
                    best = rank, int(number), str(owner)
        return (best[1], best[2]) if best is not None else (None, "")

    def _choose_near(
        self, owner: str, which: str, near: Collection[str], elsewhere: Collection[str]
    ) -> int | None:
        """The number of the job that ``claim`` takes of this owner's; None to leave it."""
        rows = self._db.execute(
            f"SELECT number, body FROM jobs WHERE state = 'queued' AND kind {which} 'install' "
            f"AND {_OWNER} = ? ORDER BY number LIMIT {_LOOK_AHEAD}",
            (owner,),
        ).fetchall()
        networks = {int(number): name_network(json.loads(body)) for number, body in rows}
        oldest = next(iter(networks))
        fitting = (number for number, network in networks.items() if network in near)
        if self._passed.get(oldest, 0) >= _MOST_PASSED:
            return oldest
        found = next(fitting, None)
        if found is None and networks[oldest] in elsewhere:
            return None
        return oldest if found is None else found

    @_storage
    def end(
        self,
        job_id: str,
        state: JobState,
        error: Failure | None = None,
        report: Mapping[str, object] | None = None,
    ) -> bool:
        """Write down how a job ended; False when it had ended before (nothing changes then)."""
        changed = self._db.execute(
            "UPDATE jobs SET state = ?, error = ?, report = ?, ended = ? "
            "WHERE id = ? AND state IN ('queued', 'running')",
            (
                state,
                error.model_dump_json() if error else None,
                json.dumps(dict(report)) if report is not None else None,
                time.time(),
                job_id,
            ),
        )
        return changed.rowcount > 0

    @_storage
    def put_back(self, job_id: str, count_attempt: bool = True) -> None:
        """A running job waits again (its worker is gone)."""
        self._db.execute(
            "UPDATE jobs SET state = 'queued', attempts = attempts - ? "
            "WHERE id = ? AND state = 'running'",
            (0 if count_attempt else 1, job_id),
        )

    @_storage
    def recover(self) -> None:
        """After a sudden end of the front: what was running waits again, or has had its chances."""
        for job in self._select("WHERE state = 'running'"):
            if job.attempts >= MAX_ATTEMPTS:
                self.end(job.id, "failed", DIED_TWICE[job.lane])
            else:
                self.put_back(job.id)

    @_storage
    def prune(self, max_age_s: float, max_ended: int) -> list[str]:
        """Forget jobs that ended long ago, or of which an owner has too many; returns their ids.

        A clock can be wrong for a while. So a job goes by its age only once it has been too old for
        :data:`SURELY_OLD_S`, and how many are kept goes by the order in which they came.
        """
        with self._transaction():
            rows = self._db.execute(
                "SELECT id, ended < ?, place > ? FROM (SELECT id, ended, row_number() OVER "
                f"(PARTITION BY {_OWNER} ORDER BY number DESC) AS place "
                "FROM jobs WHERE ended IS NOT NULL)",
                (time.time() - max_age_s, max_ended),
            ).fetchall()
            now = time.monotonic()
            old = {str(row[0]): self._old.get(str(row[0]), now) for row in rows if row[1]}
            too_many = {str(job_id) for job_id, _, is_beyond in rows if is_beyond}
            surely = {job_id for job_id, since in old.items() if now - since >= SURELY_OLD_S}
            gone = sorted(too_many | surely)
            self._db.executemany("DELETE FROM jobs WHERE id = ?", [(job_id,) for job_id in gone])
        self._old = old
        return gone

    def _find(self, job_id: str) -> Job | None:
        found = self._select("WHERE id = ?", job_id)
        return found[0] if found else None

    def _check_room(self, owner: str) -> None:
        """Raises QueueFullError when too many jobs wait, of this owner or of all."""
        query = f"SELECT count(*), sum({_OWNER} = ?) FROM jobs WHERE state = 'queued'"
        waiting, own = self._db.execute(query, (owner,)).fetchone()
        if waiting >= self._max_queued:
            raise QueueFullError(
                f"{self._max_queued} jobs are waiting already: try again when some are done."
            )
        if owner and (own or 0) >= self._user_queued:
            raise QueueFullError(
                f"{own} of your jobs are waiting already: try again when some are done."
            )

    def _select(self, rest: str, *values: object) -> list[Job]:
        with closing(self._db.execute(f"SELECT {_COLUMNS} FROM jobs {rest}", values)) as rows:
            return [_job(row) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _job(row: tuple[str, str, str, JobState, str | None, str | None, int, float]) -> Job:
    job_id, kind, body, state, error, report, attempts, created = row
    return Job(
        id=job_id,
        kind=kind,
        body=json.loads(body),
        created=created,
        state=state,
        fraction=1.0 if state == "done" else 0.0,
        error=Failure.model_validate_json(error) if error else None,
        report=json.loads(report) if report else None,
        attempts=attempts,
    )
