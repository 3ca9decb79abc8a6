"""``python -m latentfu.demo.farewell [--purge]``: stop the server, take the plug-in out."""

from __future__ import annotations

import shutil
import sys

from latentfu.errors import LatentFuError, ServerError
from latentfu.gimp.install import uninstall
from latentfu.store.paths import cache_dir, config_dir, data_dir, server_path


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 after one sentence."""
    try:
        _stop_server()
        for folder in uninstall():
            print(f"Removed {folder}.")
    except LatentFuError as error:
        print(error, file=sys.stderr)
        return 1
    server_path().unlink(missing_ok=True)
    for folder in (config_dir(), data_dir(), cache_dir()):
        if not folder.is_dir():
            continue
        if "--purge" in arguments:
            shutil.rmtree(folder)
            print(f"Removed {folder}.")
        else:
            print(f"Kept {folder} (--purge removes it).")
    return 0


def _stop_server() -> None:
    from latentfu.demo.server import stop
    from latentfu.web.client import Client

    try:
        stop(Client.connect())
    except ServerError:
        return
    print("Stopped the server.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
