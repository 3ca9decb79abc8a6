"""Reading and writing picture files: every kind a person may have, and what is no picture."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from latentfu.cli.pictures import (
    PictureFile,
    check_target,
    read_mask,
    read_picture_file,
    write_picture,
)
from latentfu.core.errors import BadInputError, LatentFuError
from PIL import Image, ImageCms

RAMP = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (24, 1))
COLOR = np.stack([RAMP, RAMP[:, ::-1], 255 - RAMP], axis=2)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("L", 1), ("1", 1), ("LA", 4), ("P", 3), ("RGB", 3), ("RGBA", 4), ("CMYK", 3), ("I;16", 1)],
)
def test_every_mode_becomes_eight_bits(tmp_path: Path, mode: str, channels: int) -> None:
    ramp = Image.fromarray(RAMP.astype(np.uint16) * 257)
    image = ramp if mode == "I;16" else Image.fromarray(COLOR).convert(mode)
    ending = "tif" if mode == "CMYK" else "png"
    pixels = read_picture_file(saved(tmp_path / f"a.{ending}", image)).pixels
    assert pixels.shape == (24, 32, channels)
    assert pixels.dtype == np.uint8
    assert np.ptp(pixels[:, :, 0].astype(int)) > 90


def test_sixteen_bits_keep_their_range(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(RAMP.astype(np.uint16) * 257))
    assert np.array_equal(read_picture_file(path).pixels[:, :, 0], RAMP)


def test_a_transparent_palette_color_is_alpha(tmp_path: Path) -> None:
    image = Image.fromarray(RAMP // 128 * 3).convert("P")
    path = saved(tmp_path / "a.png", image, transparency=int(np.asarray(image)[0, 0]))
    pixels = read_picture_file(path).pixels
    assert pixels.shape[2] == 4
    assert set(np.unique(pixels[:, :, 3])) == {0, 255}


def test_the_camera_s_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    path = saved(tmp_path / "a.png", Image.fromarray(COLOR), exif=exif)
    assert np.array_equal(read_picture_file(path).pixels, np.rot90(COLOR, k=-1))


def test_the_color_profile_stays(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = saved(tmp_path / "a.png", Image.fromarray(COLOR), icc_profile=profile)
    write_picture(tmp_path / "b.png", read_picture_file(path))
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["icc_profile"] == profile


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(8, 40), st.integers(8, 40), st.sampled_from([1, 3, 4]), st.integers(0, 99))
def test_what_is_written_is_read_again(
    tmp_path: Path, width: int, height: int, channels: int, seed: int
) -> None:
    shape = (height, width, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    write_picture(tmp_path / "a.png", PictureFile(pixels))
    assert np.array_equal(read_picture_file(tmp_path / "a.png").pixels, pixels)


def big_png(width: int, height: int) -> bytes:
    """The header of a PNG of that size, and next to no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def truncated() -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()[:5000]


def one_pixel() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"This is a text.\n", "not a picture"),
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (truncated(), "damaged or cut off"),
        (one_pixel(), "1 x 1"),
        (big_png(20_000, 20_000), "large"),
        (big_png(16_000, 10_000), "megapixels"),
        (big_png(20_000, 10), "20000 x 10"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=word) as caught:
        read_picture_file(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no file"):
        read_picture_file(tmp_path / "nowhere.png")
    with pytest.raises(LatentFuError, match="Could not read"):
        read_picture_file(tmp_path)


def test_masks(tmp_path: Path) -> None:
    picture = PictureFile(COLOR)
    white_on_clear = np.zeros((24, 32, 4), np.uint8)
    white_on_clear[5:9, :, :] = 255
    white_on_clear[20:, :, :3] = 255
    mask = read_mask(saved(tmp_path / "m.png", Image.fromarray(white_on_clear)), picture)
    assert mask.shape == (24, 32)
    assert set(np.flatnonzero(mask.any(axis=1))) == {5, 6, 7, 8}
    with pytest.raises(BadInputError, match="must be 32 x 24"):
        read_mask(saved(tmp_path / "n.png", Image.new("L", (31, 24), 255)), picture)
    with pytest.raises(BadInputError, match="black everywhere"):
        read_mask(saved(tmp_path / "o.png", Image.new("L", (32, 24))), picture)


@pytest.mark.parametrize(
    ("name", "alpha", "word"),
    [
        ("out.gif", False, "ending"),
        ("out", False, "ending"),
        ("out.jpg", True, "transparency"),
        ("nowhere/out.png", False, "not there"),
    ],
)
def test_output_names_are_checked_first(tmp_path: Path, name: str, alpha: bool, word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        check_target(tmp_path / name, alpha)


def test_a_failed_write_leaves_the_old_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    write_picture(path, PictureFile(COLOR))
    before = path.read_bytes()

    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(LatentFuError, match="No space left"):
        write_picture(path, PictureFile(COLOR[::-1]))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]
