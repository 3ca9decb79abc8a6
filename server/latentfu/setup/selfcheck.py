"""``python -m latentfu.setup.selfcheck``: does this installation work?"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module

from latentfu.core.errors import LatentFuError

NEEDED = ("torch", "torchvision", "lpips", "cv2", "numpy", "PIL", "aiohttp", "sklearn")


def check_imports() -> None:
    """Import what everything rests on; raises LatentFuError naming the first that fails."""
    for name in NEEDED:
        try:
            import_module(name)
        except Exception as error:
            raise LatentFuError(
                f"The package {name} can not be imported ({error}): run install.py again with "
                "another --venv."
            ) from error


def check_server() -> None:
    """Start a server with a home of its own and ask for its health."""
    from latentfu.demo.server import lent_server

    # Its own home, so that a server which is at work for you is left alone.
    with tempfile.TemporaryDirectory(prefix="latentfu-check-", ignore_cleanup_errors=True) as home:
        os.environ["LATENTFU_HOME"] = home
        with lent_server() as client:
            client.health()


def main() -> int:
    """Exit code 0, or 1 after one sentence."""
    try:
        print("Checking: packages", end="", flush=True)
        check_imports()
        print(", server", end="", flush=True)
        check_server()
    except LatentFuError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(". All is well.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
