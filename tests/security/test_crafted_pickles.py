"""Pickles that use only allowed names, and still want more than a network does.

Each is written opcode by opcode: no pickler would write it.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from latentfu import BadInputError, read_foreign
from latentfu.core.progress import silent
from latentfu.sandbox import child, parent
from latentfu.sandbox.child import Writer
from latentfu.sandbox.stand_ins import Storage, TensorNode

PROTOCOL, END = b"\x80\x02", b"."


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def text(words: str) -> bytes:
    return b"X" + struct.pack("<I", len(words)) + words.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def group(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


def state(**parts: bytes) -> bytes:
    """A BUILD that sets attributes, as for an object without ``__setstate__``."""
    return b"}" + b"".join(text(key) + value + b"s" for key, value in parts.items()) + b"b"


BLOCK = group(text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(4))
BLOCK += b"Q"  # BINPERSID


def tensor(size: bytes, stride: bytes) -> bytes:
    words = group(BLOCK, number(0), size, stride, b"\x89", b"N")
    return name("torch._utils", "_rebuild_tensor_v2") + words + b"R"


FOUR = tensor(group(number(4)), group(number(1)))


def torch_file(folder: Path, content: bytes) -> Path:
    """A torch file of one block of four numbers."""
    path = folder / "crafted.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", PROTOCOL + content + END)
        archive.writestr("x/byteorder", "little")
        archive.writestr("x/data/0", np.arange(4, dtype="<f4").tobytes())
    return path


def test_what_is_written_here_is_read_when_it_is_honest(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_foreign(torch_file(tmp_path, FOUR)).content, range(4))


CHANGED = {
    "a tensor larger than its block": FOUR + state(size=group(number(1000))),
    "a tensor that begins elsewhere": FOUR + state(offset=number(100_000)),
    "a block with more numbers": BLOCK + state(count=number(1_000_000)),
    "a type of another width": name("torch", "FloatStorage") + state(dtype=text("<f8")),
    "a function": name("_codecs", "encode") + state(__defaults__=group(number(1))),
}


@pytest.mark.parametrize("content", CHANGED.values(), ids=CHANGED)
def test_nothing_is_changed_after_it_was_checked(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="was not read: something in it is changed after"):
        read_foreign(torch_file(tmp_path, content))


def test_one_number_is_not_taken_for_gigabytes(tmp_path: Path) -> None:
    huge = tensor(group(number(60_000), number(60_000)), group(number(0), number(0)))
    with pytest.raises(BadInputError, match="more memory than it is given"):
        read_foreign(torch_file(tmp_path, huge))


def test_the_room_is_for_all_arrays_together_and_counted_before_they_are_made() -> None:
    made: list[int] = []

    def block(place: int) -> TensorNode:
        def read() -> bytes:
            made.append(place)
            return bytes(400)

        return TensorNode(Storage("<f4", 100, read), 0, (100,), (1,))

    first, second, third = (block(place) for place in range(3))
    writer = Writer(room=900)
    writer.node([first, second, first])
    with pytest.raises(BadInputError, match="more memory"):
        writer.node(third)
    assert made == [0, 1]


def array(kind: bytes, data: bytes) -> bytes:
    """A numpy array of one dimension and one number."""
    made = name("numpy.core.multiarray", "_reconstruct") + group() + b"R"
    return made + group(number(1), group(number(1)), kind, b"\x89", data) + b"b"


def kind(code: str) -> bytes:
    return name("numpy", "dtype") + group(text(code)) + b"R"


ODD = {
    "bytes that are a count": array(kind("f4"), number(2**30)),
    "a type that is text": array(text("f4"), text("abcd")),
    "a type that there is not": array(kind("f99"), text("abcd")),
    "a type of objects": array(kind("O8"), text("abcdefgh")),
    "too few bytes": array(kind("f8"), text("abcd")),
}


def test_an_honest_array_is_read(tmp_path: Path) -> None:
    path = tmp_path / "array.pkl"
    path.write_bytes(PROTOCOL + array(kind("i4"), text("\1\0\0\0")) + END)
    assert read_foreign(path).content.tolist() == [1]


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_arrays_put_together_wrongly_are_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.pkl"
    path.write_bytes(PROTOCOL + content + END)
    with pytest.raises(BadInputError, match=r"odd.pkl was not read: (an array|it is damaged).*\.$"):
        read_foreign(path)


def test_the_child_says_in_a_sentence_what_it_did_not_expect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(source: Path, out: Path, room: int) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr(child, "convert", fails)
    monkeypatch.setattr(child, "limit", lambda memory, seconds: None)
    assert child.main([str(tmp_path / "a"), str(tmp_path), "1", "1"]) == 3
    assert (tmp_path / "error.txt").read_text() == "it is damaged (AttributeError: no such thing)"


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "slow.pkl"
    mark = tmp_path / "alive"
    forever = (
        f"import time, pathlib\nwhile True: pathlib.Path({str(mark)!r}).touch(); time.sleep(.01)"
    )
    with pytest.raises(BadInputError, match=r"^slow.pkl was not read: it took more than 2 seconds"):
        parent._run([sys.executable, "-c", forever], 2.0, file, silent)
    mark.unlink()
    time.sleep(0.5)
    assert not mark.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="these limits are kept by Linux")
@pytest.mark.parametrize(
    ("memory", "work", "ends"),
    [
        (600 << 20, "bytes(2**30)", "MemoryError"),
        (2**32, "while True: pass", ""),
    ],
)
def test_the_system_keeps_the_limits_of_the_child(
    memory: int, work: str, ends: str, tmp_path: Path
) -> None:
    code = f"from latentfu.sandbox.child import limit\nlimit({memory}, 2)\n{work}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode != 0 and ends in done.stderr
