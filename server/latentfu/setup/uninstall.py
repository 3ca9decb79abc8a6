"""``python -m latentfu.setup.uninstall [--purge]``: stop the server, take the plug-in out."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from latentfu.core.errors import LatentFuError, ServerError, StorageError
from latentfu.setup.gimp_placement import uninstall_plugin
from latentfu.storage.paths import cache_dir, config_dir, data_dir, server_path


def main(arguments: list[str]) -> int:
    """Exit code 0, or 1 after one sentence."""
    try:
        _stop_server()
        for folder in uninstall_plugin():
            print(f"Removed {folder}.")
        server_path().unlink(missing_ok=True)
        for folder in (config_dir(), data_dir(), cache_dir()):
            if not folder.is_dir():
                continue
            if "--purge" in arguments:
                _remove(folder)
                print(f"Removed {folder}.")
            else:
                print(f"Kept {folder} (--purge removes it).")
    except LatentFuError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _remove(folder: Path) -> None:
    """The folder and all in it; where it is a link to another disk, both ends."""
    try:
        shutil.rmtree(folder.resolve())
        if folder.is_symlink():
            folder.unlink()
    except OSError as error:
        told = f"Could not remove {error.filename or folder}: {error.strerror or error}"
        raise StorageError(f"{told}; remove it yourself, then run this again.") from error


def _stop_server() -> None:
    from latentfu.client.client import Client
    from latentfu.setup.selfcheck import stop_server

    try:
        stop_server(Client.connect())
    except ServerError:
        return
    print("Stopped the server.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
