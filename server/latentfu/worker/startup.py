"""What plug-ins do when a worker starts: one that fails costs nothing but itself."""

from __future__ import annotations

import logging

from latentfu.core.errors import LatentFuError
from latentfu.plugin_manager import get_registry
from latentfu.plugin_manager.deaths import DeathWatch
from latentfu.plugin_manager.isolation import hint_when_slow
from latentfu.plugin_manager.running import call_plugin
from latentfu.plugin_manager.sources import all_sources
from latentfu.plugin_manager.tracing import trace_hook
from latentfu.plugin_objects import StartupTask

_log = logging.getLogger(__name__)


def run_startup_tasks(device: str) -> None:
    """Run those of all plug-ins, in plug-in order; what fails is logged with its plug-in.

    One that ends the process, or hangs, is named and set aside as one that does so at import.
    """
    sources = {source.name: source for source in all_sources()}
    tasks = get_registry().installed(StartupTask).values()
    watch = DeathWatch() if tasks else None
    for task in tasks:
        if watch is None or task.plugin not in sources:
            continue
        with watch.watch(sources[task.plugin]), hint_when_slow(task.plugin):
            try:
                with trace_hook(task.plugin, f"startup task {task.name}"):
                    call_plugin(task, "started", lambda task=task: task.run(device))  # type: ignore[misc]
            except LatentFuError as error:
                _log.warning("%s The server starts without it.", error)
