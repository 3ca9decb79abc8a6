"""What the report says about the program and the machine it ran on."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import latentfu

_PACKAGES = ("torch", "torchvision", "numpy", "pillow", "aiohttp")


def versions() -> dict[str, str]:
    """latentfu, Python and the packages that matter, without importing them."""
    found = {"latentfu": latentfu.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def machine() -> dict[str, str | int]:
    """System, processor and its number of cores; no names of people or hosts."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.machine(),
        "cores": os.cpu_count() or 0,
    }
