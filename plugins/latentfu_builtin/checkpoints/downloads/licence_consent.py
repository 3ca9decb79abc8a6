"""Terms are shown before anything is fetched, and agreed to once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from latentfu import PublicNetwork, config_dir, write_whole

from latentfu_builtin.checkpoints.downloads.catalogue import describe_terms


def _agreements_file() -> Path:
    """The file that remembers what was agreed to, and when."""
    return config_dir() / "agreed.json"


def announce_terms(network: PublicNetwork) -> str:
    """The terms for people, in one line."""
    where = f": {network.page}" if network.page else ""
    return f"Terms of {network.name}: {describe_terms(network)}{where}"


def has_agreed(network: PublicNetwork) -> bool:
    """Whether a person has agreed to these terms before."""
    return _key_of(network) in _read_agreements()


def remember_agreement(network: PublicNetwork) -> None:
    """Remember the agreement; StorageError where it cannot be written."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    content = _read_agreements() | {_key_of(network): now}
    write_whole(_agreements_file(), json.dumps(content, indent=2).encode())


def _key_of(network: PublicNetwork) -> str:
    """What is agreed to: other terms, or another page with them, are asked for again."""
    use = "non-commercial" if network.non_commercial else "any use"
    return f"{network.licence}; {use}; {network.page}"


def _read_agreements() -> dict[str, str]:
    """Agreements by their terms; a damaged file is none."""
    try:
        content = json.loads(_agreements_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
