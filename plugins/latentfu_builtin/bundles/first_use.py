"""Hashes of files whose authors state none: what came first is held to from then on."""

from __future__ import annotations

import json
from pathlib import Path

from latentfu import config_dir, write_whole


def _hashes_file() -> Path:
    return config_dir() / "hashes.json"


def held_hash(name: str) -> str:
    """The sha256 (hex) that a file had when it came first; "" for one that never came."""
    return _read_hashes().get(name, "")


def hold_hash(name: str, sha256: str) -> None:
    """Hold a file to its hash from now on; StorageError where it cannot be written."""
    hashes = _read_hashes()
    if hashes.setdefault(name, sha256) == sha256:
        write_whole(_hashes_file(), json.dumps(hashes, indent=2, sort_keys=True).encode())


def _read_hashes() -> dict[str, str]:
    """Hashes by the names of their files; a damaged file is none."""
    try:
        content = json.loads(_hashes_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}
