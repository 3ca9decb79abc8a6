"""Terms are shown before anything is fetched, and agreed to once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from latentfu import PublicNetwork, config_dir, write_whole

from latentfu_builtin.checkpoints.downloads.known import terms


def place() -> Path:
    """The file that remembers what was agreed to, and when."""
    return config_dir() / "agreed.json"


def announcement(network: PublicNetwork) -> str:
    """The terms for people, in one line."""
    where = f": {network.page}" if network.page else ""
    return f"Terms of {network.name}: {terms(network)}{where}"


def agreed(network: PublicNetwork) -> bool:
    """Whether a person has agreed to these terms before."""
    return key(network) in remembered()


def agree(network: PublicNetwork) -> None:
    """Remember the agreement; StorageError where it can not be written."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    content = remembered() | {key(network): now}
    write_whole(place(), json.dumps(content, indent=2).encode())


def key(network: PublicNetwork) -> str:
    """What is agreed to: other terms, or another page with them, are asked for again."""
    use = "non-commercial" if network.non_commercial else "any use"
    return f"{network.licence}; {use}; {network.page}"


def remembered() -> dict[str, str]:
    """Agreements by their terms; a damaged file is none."""
    try:
        content = json.loads(place().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
