"""The one reader of safetensors files: what it gives back, and every file that it refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, StorageError

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([7], dtype=torch.int64)}
METADATA = {"format": "test-1", "words": "ä, ö"}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.safetensors"
    latentfu.write_tensors(path, TENSORS, METADATA)
    return path


def crafted(header: object, body: bytes, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def entry(first: int, last: int, shape: tuple[int, ...] = (2,), dtype: str = "F32") -> object:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


REFUSED = {
    "empty": b"",
    "shorter than its length": b"\x08",
    "another kind of file": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "a pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "a header longer than the file": crafted({}, b"", length=1 << 40),
    "a header that is not a JSON": crafted(b"{" * 64, b""),
    "a header that is a list": crafted([1, 2], b""),
    "offsets behind the end": crafted({"a": entry(0, 8)}, bytes(4)),
    "offsets that lie about the shape": crafted({"a": entry(0, 8, (1000, 1000))}, bytes(8)),
    "offsets that run backwards": crafted({"a": entry(8, 0)}, bytes(8)),
    "two tensors in one place": crafted({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)),
    "the same bytes twice": crafted({"a": entry(0, 8), "b": entry(0, 8)}, bytes(8)),
    "a gap between tensors": crafted({"a": entry(0, 8), "b": entry(16, 24)}, bytes(24)),
    "bytes of no tensor": crafted({"a": entry(0, 8)}, bytes(64)),
    "a shape that overflows": crafted({"a": entry(0, 8, (1 << 62, 1 << 62))}, bytes(8)),
    "a negative size": crafted({"a": entry(0, 8, (-2,))}, bytes(8)),
    "an unknown type": crafted({"a": entry(0, 8, (2,), "OBJECT")}, bytes(8)),
    "metadata that is not text": crafted({"__metadata__": {"n": 1}, "a": entry(0, 8)}, bytes(8)),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(
    "read",
    [latentfu.read_metadata, latentfu.read_tensors, latentfu.read_arrays],
    ids=lambda read: read.__name__,
)
def test_a_file_that_is_not_whole_is_one_sentence(tmp_path: Path, name: str, read) -> None:
    path = tmp_path / "crafted.safetensors"
    path.write_bytes(REFUSED[name])
    with pytest.raises(BadInputError, match="cannot be read as a safetensors file") as caught:
        read(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert latentfu.find_metadata(path) == {}


def test_what_was_written_comes_back(whole: Path) -> None:
    tensors, metadata = latentfu.read_tensors_and_metadata(whole)
    assert metadata == latentfu.read_metadata(whole) == latentfu.find_metadata(whole) == METADATA
    assert set(tensors) == set(TENSORS)
    for name, tensor in latentfu.read_tensors(whole).items():
        assert torch.equal(tensor, TENSORS[name]) and tensor.dtype == TENSORS[name].dtype
    assert np.array_equal(latentfu.read_arrays(whole)["a"], TENSORS["a"].numpy())


def test_every_cut_of_a_file_is_refused(whole: Path, tmp_path: Path) -> None:
    data = whole.read_bytes()
    for length in range(0, len(data), 5):
        cut = tmp_path / "cut.safetensors"
        cut.write_bytes(data[:length])
        with pytest.raises(BadInputError):
            latentfu.read_tensors(cut)


def test_a_missing_file_and_a_folder_are_the_systems_fault(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        for read in (latentfu.read_metadata, latentfu.read_tensors, latentfu.file_sha256):
            with pytest.raises(StorageError):
                read(path)
        assert latentfu.find_metadata(path) == {}


def test_a_file_larger_than_wanted_is_not_opened(whole: Path) -> None:
    with pytest.raises(BadInputError, match="at most 10"):
        latentfu.read_arrays(whole, largest=10)


def test_the_hash_follows_the_file(whole: Path) -> None:
    first = latentfu.file_sha256(whole)
    assert first == hashlib.sha256(whole.read_bytes()).hexdigest()
    latentfu.write_tensors(whole, {"a": torch.zeros(1)}, {})
    assert latentfu.file_sha256(whole) == hashlib.sha256(whole.read_bytes()).hexdigest() != first


def test_a_failed_write_leaves_the_old_file(whole: Path) -> None:
    before = whole.read_bytes()
    with pytest.raises(StorageError), latentfu.whole_file(whole, durable=True) as temporary:
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert whole.read_bytes() == before
    assert [path.name for path in whole.parent.iterdir()] == [whole.name]
