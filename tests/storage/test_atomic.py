"""Files written whole: who may read them afterwards."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from latentfu.core.errors import BadInputError, StorageError
from latentfu.storage.atomic import whole_file, write_image, write_whole
from PIL import Image

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o077, 0o022, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_new_file_has_what_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    write_whole(tmp_path / "a", b"1")
    assert mode_of(tmp_path / "a") == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    path.chmod(mode)
    write_whole(path, b"2")
    assert mode_of(path) == mode
    assert path.read_bytes() == b"2"


def test_a_mode_that_is_asked_for_is_given(tmp_path: Path, umask: int) -> None:
    write_whole(tmp_path / "a", b"1", mode=0o600)
    assert mode_of(tmp_path / "a") == 0o600


def test_a_half_written_file_is_private_and_goes_away(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="No space"),
        whole_file(tmp_path / "a") as temporary,
    ):
        assert mode_of(temporary) == 0o600
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """One that still writes keeps its file, however old."""
    code = f"""if True:
        import os, sys
        from pathlib import Path
        from latentfu.storage.atomic import whole_file
        with whole_file(Path({str(tmp_path)!r}) / sys.argv[1]) as temporary:
            temporary.write_bytes(b"half")
            os.utime(temporary, (1e9, 1e9))
            print("written", flush=True)
            sys.stdin.readline()
            os.kill(os.getpid(), 9) if sys.argv[2] == "dies" else None
    """
    writers = []
    for name, end in (("gone", "dies"), ("slow", "lives")):
        command = [sys.executable, "-c", code, name, end]
        writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None and writer.stdout.readline() == "written\n"
        writers.append(writer)
    writers[0].communicate("\n")
    assert writers[0].returncode == -9
    assert len(list(tmp_path.glob(".gone.*.part"))) == 1
    write_whole(tmp_path / "new", b"1")
    assert list(tmp_path.glob(".gone.*.part")) == []
    writers[1].communicate("\n")
    assert (tmp_path / "slow").read_bytes() == b"half"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "slow"]


@pytest.mark.parametrize(
    ("ending", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("JPEG", "JPEG"), ("webp", "WEBP")]
)
def test_a_picture_is_of_the_kind_that_its_name_says(
    ending: str, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "new" / f"sheet.{ending}"
    write_image(path, Image.new("RGB", (6, 4), "teal"), quality=90)
    with Image.open(path, formats=[kind]) as written:
        assert written.size == (6, 4)
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_picture_of_no_known_kind_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "sheet.doc"
    path.write_bytes(b"mine")
    with pytest.raises(BadInputError, match=r"sheet.doc must end in .*\.png"):
        write_image(path, Image.new("RGB", (6, 4)))
    assert path.read_bytes() == b"mine" and len(list(tmp_path.iterdir())) == 1


def test_a_picture_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "sheet.jpg"
    path.write_bytes(b"mine")
    with pytest.raises(StorageError, match=r"sheet\.jpg"):
        write_image(path, Image.new("RGBA", (6, 4)))  # JPEG has no transparency
    assert path.read_bytes() == b"mine" and len(list(tmp_path.iterdir())) == 1
