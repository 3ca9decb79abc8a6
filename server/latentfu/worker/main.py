"""The worker process: ``python -m latentfu.worker.main``, started by the front and by nobody else.

It speaks frames on the pipe it was started with; whatever a plug-in prints goes to the log.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from latentfu.core.process_memory import SHARE, limit_memory, measure_machine
from latentfu.pipeline.spare_memory import MemoryReserve
from latentfu.plugin_manager.network_access import forbid_network_if_unwanted
from latentfu.storage.layer_store import LayerStore
from latentfu.worker.loop import WorkerLoop
from latentfu.worker.mailbox import Mailbox
from latentfu.worker.pictures import StoredPictures
from latentfu.worker.startup import run_startup_tasks
from latentfu.worker.talk import Send, claim_stdout, make_sender


def main() -> None:
    """Serve the front until it closes the pipe."""
    limit_memory(None)  # the front's is not for networks
    forbid_network_if_unwanted()
    options = _options()
    send = make_sender(claim_stdout())
    mailbox = Mailbox(sys.stdin.buffer)
    mailbox.start()
    catalog = _catalog_sender(options.catalog, send)
    catalog({})
    try:
        device = _choose_device(options.device)
        make = importlib.import_module(options.editing).Editor  # Slow: imports torch.
        if device == "cpu":
            limit_memory(int(SHARE * measure_machine()))
        editor = make(device)
        run_startup_tasks(device)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        send({"event": "start_failed", "message": f"{type(error).__name__}: {error}"[:300]})
        sys.exit(1)
    pictures = StoredPictures(LayerStore(options.layers))
    send({"event": "ready", "device": device})
    reserve = MemoryReserve(device, lambda: make("cpu"))
    WorkerLoop(editor, pictures, mailbox, send, catalog, reserve=reserve).work()


def _choose_device(wanted: str) -> str:
    """``auto`` is the first CUDA device if torch sees one, else the processor."""
    if wanted != "auto":
        return wanted
    from latentfu.pipeline.generator_pool import best_device

    return best_device()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Latent-Fu worker (started by latentfu serve)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--layers", type=Path, required=True)
    parser.add_argument("--editing", default="latentfu.pipeline.editor")
    parser.add_argument("--catalog", default="latentfu.worker.catalog")
    return parser.parse_args()


def _catalog_sender(module: str, send: Send) -> Send:
    def catalog(_: Mapping[str, object]) -> None:
        try:
            found = importlib.import_module(module).read_catalog()
            send({"event": "catalog", "catalog": found})
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            send({"event": "catalog_failed", "message": f"{type(error).__name__}: {error}"})

    return catalog


if __name__ == "__main__":
    main()
