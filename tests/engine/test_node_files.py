"""Networks kept on a machine of a cluster: fetched once, checked, and within a limit."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from latentfu.core.errors import StorageError
from latentfu.engine import node_files
from latentfu.engine.node_files import keep_node_file


@pytest.fixture(autouse=True)
def home(isolated_home: Path) -> Path:
    return isolated_home


def keep(content: bytes, name: str, fetched: list[str]) -> Path:
    def fetch() -> memoryview:
        fetched.append(name)
        return memoryview(content)

    return keep_node_file(hashlib.sha256(content).hexdigest(), name, fetch)


def test_a_network_is_fetched_once_and_again_where_it_was_damaged() -> None:
    fetched: list[str] = []
    path = keep(b"network", "n.safetensors", fetched)
    assert keep(b"network", "n.safetensors", fetched) == path
    assert fetched == ["n.safetensors"] and path.read_bytes() == b"network"
    assert path.stat().st_mode & 0o77 == 0 or os.name == "nt"
    path.write_bytes(b"damaged")
    assert keep(b"network", "n.safetensors", fetched).read_bytes() == b"network"
    assert len(fetched) == 2


def test_other_bytes_than_were_sent_are_refused_and_not_kept() -> None:
    with pytest.raises(StorageError, match="run the same command again"):
        keep_node_file("0" * 64, "n.safetensors", lambda: memoryview(b"other"))


def test_the_networks_used_longest_ago_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_files, "MOST_BYTES", 250)
    fetched: list[str] = []
    first, second = (keep(bytes([n]) * 100, f"{n}.safetensors", fetched) for n in (1, 2))
    for age, path in ((20, first), (10, second)):
        used = path.stat().st_mtime - age
        os.utime(path, (used, used))
    keep(bytes([1]) * 100, "1.safetensors", fetched)  # used: now the second is the older one
    third = keep(bytes([3]) * 100, "3.safetensors", fetched)
    assert [path.exists() for path in (first, second, third)] == [True, False, True]
    assert fetched == ["1.safetensors", "2.safetensors", "3.safetensors"]
