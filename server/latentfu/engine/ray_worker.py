"""What runs in a worker of a Ray cluster; the workers import it, so both ends have one version."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from latentfu.core.errors import NotInstalledError
from latentfu.engine.batch_task import Resources, WorkerPlace


@dataclass(frozen=True)
class SentFile:
    """A file on its way: its bytes lie in Ray's store under ``reference``."""

    path: str
    sha256: str
    reference: Any


@dataclass(frozen=True)
class SentTask:
    """A task on its way; ``key``: workers keep what they have set up under it.

    ``version``: of the Latent-Fu that sends it, without which the bytes may differ.
    """

    key: str
    version: str
    set_up: Callable[[WorkerPlace], Any]
    run: Callable[[Any, Sequence[Any]], Any]
    files: tuple[SentFile, ...]
    resources: Resources


_ready: dict[str, Any] = {}
"""What this worker has set up, for the last task alone."""


def work_on_node(task: SentTask, batch: Sequence[Any]) -> Any:
    """A batch's result; the first one of a task sets this worker up."""
    import torch

    if task.key not in _ready:
        _ready.clear()
        _check_version(task.version)
        torch.set_num_threads(task.resources.threads)
        _ready[task.key] = task.set_up(WorkerPlace(task.resources.device, _keep_files(task.files)))
    return task.run(_ready[task.key], batch)


def _check_version(version: str) -> None:
    """Raise NotInstalledError where this machine has another Latent-Fu."""
    import socket

    import latentfu

    if latentfu.__version__ != version:
        raise NotInstalledError(
            f"{socket.gethostname()} has Latent-Fu {latentfu.__version__} and this machine "
            f"{version}: install the same one on every machine of the cluster."
        )


def _keep_files(files: Sequence[SentFile]) -> dict[str, Path]:
    """Where the task's files lie on this machine."""
    from latentfu.engine.node_files import keep_node_file

    return {
        sent.path: keep_node_file(sent.sha256, PurePath(sent.path).name, partial(_fetch, sent))
        for sent in files
    }


def _fetch(sent: SentFile) -> memoryview:
    """The bytes of a file, from the store of this machine or of another one."""
    ray: Any = importlib.import_module("ray")  # optional: nobody's type checker looks for it
    return memoryview(ray.get(sent.reference))
