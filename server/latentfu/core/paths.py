"""Where things lie: settings and token, data, cache.

``LATENTFU_HOME`` puts all of them under one folder (``config``, ``data``, ``cache`` inside it);
otherwise they are ``~/.config/latentfu`` (on every system, so that the GIMP plug-in finds them
without help) and the platform's own data and cache folders.
"""

from __future__ import annotations

import os
from pathlib import Path


def config_dir() -> Path:
    """Settings, token, the running server's address, and the folder of single-file plug-ins.

    Returns:
        ``$LATENTFU_HOME/config`` or ``~/.config/latentfu``; it may not exist yet.
    """
    home = os.environ.get("LATENTFU_HOME")
    return Path(home) / "config" if home else Path.home() / ".config" / "latentfu"


def data_dir() -> Path:
    """Generators, directions and the job queue with its results.

    Returns:
        ``$LATENTFU_HOME/data`` or the platform's folder for data; it may not exist yet.
    """
    import platformdirs

    home = os.environ.get("LATENTFU_HOME")
    return Path(home) / "data" if home else Path(platformdirs.user_data_dir("latentfu", False))


def cache_dir() -> Path:
    """Inversions and uploaded layers: may be deleted at any time."""
    import platformdirs

    home = os.environ.get("LATENTFU_HOME")
    return Path(home) / "cache" if home else Path(platformdirs.user_cache_dir("latentfu", False))


def plugin_dir() -> Path:
    """Single-file plug-ins (``*.py``)."""
    return config_dir() / "plugins"


def settings_path() -> Path:
    """What people have chosen about plug-ins and workers."""
    return config_dir() / "settings.json"


def token_path() -> Path:
    """The secret that every request must carry; mode 0600."""
    return config_dir() / "token"


def server_path() -> Path:
    """JSON with host, port and pid of the running server; mode 0600."""
    return config_dir() / "server.json"


def make_private(folder: Path) -> Path:
    """Create ``folder`` (0700) if it is missing, close it to others, and return it."""
    own = [root for root in (config_dir(), data_dir(), cache_dir()) if folder.is_relative_to(root)]
    for place in (*own, folder):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix" and place.stat().st_mode & 0o077:  # an older version's, or mkdir -p
            place.chmod(0o700)
    return folder
