"""``python -m latentfu.setup.selfcheck``: does this installation work, and what is it made of?"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from typing import TYPE_CHECKING

import latentfu
from latentfu.core.errors import LatentFuError, ServerError
from latentfu.core.progress import Progress, silent

if TYPE_CHECKING:
    from latentfu.client.client import Client


_NEEDED = ("torch", "torchvision", "lpips", "cv2", "numpy", "PIL", "aiohttp", "sklearn")


_PACKAGES = ("torch", "torchvision", "numpy", "pillow", "aiohttp")


_STOP_SECONDS = 15.0


def _check_imports() -> None:
    """Import what everything rests on; raises LatentFuError naming the first that fails."""
    for name in _NEEDED:
        try:
            import_module(name)
        except Exception as error:
            raise LatentFuError(
                f"The package {name} cannot be imported ({error}): run install.py again with "
                "another --venv."
            ) from error


def _check_server() -> None:
    """Start a server with a home of its own and ask for its health."""
    # Its own home, so that a server which is at work for you is left alone.
    with tempfile.TemporaryDirectory(prefix="latentfu-check-", ignore_cleanup_errors=True) as home:
        os.environ["LATENTFU_HOME"] = home
        with borrow_server() as client:
            client.health()


def package_versions() -> dict[str, str]:
    """latentfu, Python and the packages that matter, without importing them."""
    found = {"latentfu": latentfu.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def describe_machine() -> dict[str, str | int]:
    """System, processor and its number of cores; no names of people or hosts."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": os.cpu_count() or 0,
    }


@contextmanager
def borrow_server(progress: Progress = silent) -> Iterator[Client]:
    """The running server, left running; or a new one, stopped at the end."""
    from latentfu.client.client import Client

    try:
        client = Client.connect()
    except ServerError:
        client = Client.ensure_running(progress)
    else:
        yield client
        return
    try:
        yield client
    finally:
        stop_server(client)


def stop_server(client: Client) -> None:
    """Stop the server and wait until it no longer answers."""
    try:
        client.shutdown()
        end = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end:
            client.health()
            time.sleep(0.05)
    except ServerError:
        return


def main() -> int:
    """Exit code 0, or 1 after one sentence."""
    try:
        print("Checking: packages", end="", flush=True)
        _check_imports()
        print(", server", end="", flush=True)
        _check_server()
    except LatentFuError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(". All is well.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
