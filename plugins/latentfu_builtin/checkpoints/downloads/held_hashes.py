"""Hashes of files whose authors state none: held from the first download on (trust on first use).

They lie in ``CONFIG/hashes.json``, by the names of the networks and files.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from latentfu import FileCheck, PublicNetwork, config_dir, write_whole


def with_held_hash(network: PublicNetwork) -> PublicNetwork:
    """The network; where nobody states its hash, with the one that its file had before."""
    return replace(network, sha256=network.sha256 or held_hash(network.name))


def held_hash(name: str) -> str:
    """The sha256 (hex) that a file had when it came first; "" for one that never came."""
    return _read_hashes().get(name, "")


def hold_hash(name: str, sha256: str) -> None:
    """Hold a file to its hash from now on; StorageError where it cannot be written."""
    hashes = _read_hashes()
    if hashes.setdefault(name, sha256) == sha256:
        write_whole(_hashes_file(), json.dumps(hashes, indent=2, sort_keys=True).encode())


def find_check(stated: str, name: str) -> FileCheck:
    """How a file is checked; ``stated`` and ``name`` as for :func:`describe_check`."""
    if stated:
        return "stated"
    return "held" if held_hash(name) else "none"


def describe_check(stated: str, name: str) -> str:
    """How a file is checked, in words that go on after its size.

    ``stated``: the hash that is known of it, or none; ``name``: under which one is held.
    """
    match find_check(stated, name):
        case "stated":
            return f"checked by its sha256 {stated[:12]}"
        case "held":
            return f"held to the sha256 {held_hash(name)[:12]} that it had when it came first"
        case "none":
            return "no hash is known: what comes first is trusted, and held to from then on"


def _hashes_file() -> Path:
    return config_dir() / "hashes.json"


def _read_hashes() -> dict[str, str]:
    """Hashes by the names of their files; a damaged file is none."""
    try:
        content = json.loads(_hashes_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}
