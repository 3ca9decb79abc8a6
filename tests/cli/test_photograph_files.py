"""Photographs stay what they are as files: profile, depth, resolution, pixels nobody edited."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from latentfu.cli import pictures
from latentfu.cli.color_profiles import srgb_profile
from latentfu.cli.pictures import PictureFile, read_mask, read_picture_file, write_picture
from latentfu.core.errors import BadInputError
from PIL import Image, PngImagePlugin

from tests.support.icc_profiles import cmyk_profile, gray_profile, rgb_profile
from tests.support.program import Program

TINY = ("--generator", "tiny", "--inverter", "guess")
WIDE = rgb_profile("wide", primaries=((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), gamma=2.2)
GRAY = gray_profile(gamma=1.8)
Y, X = np.mgrid[0:70, 0:90]
COLOR = np.stack([X * 2, Y * 3, (X + Y) % 256], axis=2).astype(np.uint8)
DEEP = (np.stack([X * 600, Y * 800, (X + Y) * 300, 65535 - X * 90], axis=2) + 7).astype(np.uint16)


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


def profile_of(path: Path) -> bytes | None:
    with Image.open(path) as image:
        return image.info.get("icc_profile")


def deep_pixels(path: Path) -> np.ndarray:
    values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    return values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]


def save_deep(path: Path, values: np.ndarray, profile: bytes | None = None) -> Path:
    if path.suffix == ".tif":
        kind = "minisblack" if values.ndim == 2 else "rgb"
        extra = ["unassalpha"] if values.ndim == 3 and values.shape[2] == 4 else None
        tifffile.imwrite(path, values, photometric=kind, extrasamples=extra, iccprofile=profile)
    else:
        order = values if values.ndim == 2 else values[..., [2, 1, 0, 3][: values.shape[2]]]
        path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(order))[1].tobytes())
    return path


@pytest.fixture
def half_mask(tmp_path: Path) -> Path:
    mask = np.zeros((70, 90), np.uint8)
    mask[:, :45] = 255
    path = tmp_path / "mask.png"
    Image.fromarray(mask).save(path)
    return path


def brighten_left(picture: PictureFile, by: int = 20) -> PictureFile:
    edited = picture.pixels.copy()
    edited[:, :45, :3] = np.minimum(edited[:, :45, :3].astype(int) + by, 255)
    return picture.edited(edited)


@pytest.mark.parametrize(("array", "profile"), [(COLOR, WIDE), (COLOR[:, :, 0], GRAY)])
def test_a_profile_is_applied_and_written_back(
    tmp_path: Path, array: np.ndarray, profile: bytes
) -> None:
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    Image.fromarray(array).save(source, icc_profile=profile)
    picture = read_picture_file(source)
    assert np.abs(picture.pixels.squeeze().astype(int) - array).max() > 10  # sRGB is another
    write_picture(out, brighten_left(picture))
    assert profile_of(out) == profile
    assert np.array_equal(pixels_of(out)[:, 45:], array[:, 45:])
    again = read_picture_file(out).pixels.astype(int)
    wanted = brighten_left(picture).pixels
    assert np.abs(again - wanted).mean() < 3
    write_picture(out, picture)
    assert np.array_equal(pixels_of(out), array)


def test_a_damaged_profile_or_one_for_other_colors_is_left_alone(tmp_path: Path) -> None:
    for place, profile in enumerate((b"not a profile" * 20, GRAY)):
        source = tmp_path / f"{place}.png"
        Image.fromarray(COLOR).save(source, icc_profile=profile)
        assert np.array_equal(read_picture_file(source).pixels, COLOR)


def test_gray_with_alpha_and_a_profile_becomes_srgb(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    Image.fromarray(COLOR[:, :, :2]).save(source, icc_profile=GRAY)
    picture = read_picture_file(source)
    write_picture(tmp_path / "b.png", picture)
    assert picture.pixels.shape[2] == 4
    assert np.array_equal(picture.pixels[:, :, 3], COLOR[:, :, 1])
    assert profile_of(tmp_path / "b.png") == srgb_profile()


@pytest.mark.parametrize("ending", ["jpg", "tif"])
def test_inks_become_the_colors_their_profile_means(tmp_path: Path, ending: str) -> None:
    inks = np.concatenate([COLOR, COLOR[:, :, :1] // 4], axis=2)
    image = Image.frombytes("CMYK", (90, 70), inks.tobytes())
    image.save(tmp_path / f"a.{ending}", icc_profile=cmyk_profile(), quality=100)
    image.save(tmp_path / f"plain.{ending}", quality=100)
    picture = read_picture_file(tmp_path / f"a.{ending}")
    # By the profile of the test every ink is gray; by formula they are colors.
    assert np.ptp(picture.pixels.astype(int), axis=2).max() <= 3
    assert np.ptp(picture.pixels[:, :, 0].astype(int)) > 90
    write_picture(tmp_path / "b.png", picture)
    assert profile_of(tmp_path / "b.png") == srgb_profile()
    plain = read_picture_file(tmp_path / f"plain.{ending}").pixels.astype(int)
    assert np.abs(plain - np.asarray(image.convert("RGB"))).mean() < 3


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_in_give_sixteen_bits_out(tmp_path: Path, ending: str, channels: int) -> None:
    values = DEEP[:, :, 0] if channels == 1 else DEEP[:, :, :channels]
    source = save_deep(tmp_path / f"a.{ending}", values)
    picture = read_picture_file(source)
    assert picture.pixels.shape == (70, 90, channels)
    for name in ("b.png", "b.tif"):
        write_picture(tmp_path / name, brighten_left(picture))
        out = deep_pixels(tmp_path / name)
        assert out.dtype == np.uint16
        assert out.shape == values.shape
        assert np.array_equal(out[:, 45:], values[:, 45:])
        moved = out[:, :45].astype(int) - values[:, :45]
        colors = moved if channels == 1 else moved[:, :, :3]
        assert colors.max() == 20 * 257
        assert colors.min() >= 0
    write_picture(tmp_path / "b.webp", picture)
    assert pixels_of(tmp_path / "b.webp").dtype == np.uint8


@pytest.mark.parametrize("name", ["b.png", "b.tif"])
def test_sixteen_bits_keep_profile_and_resolution(tmp_path: Path, name: str) -> None:
    source = tmp_path / "a.tif"
    tifffile.imwrite(
        source, DEEP[:, :, :3], photometric="rgb", iccprofile=WIDE,
        resolution=(300, 200), resolutionunit="INCH",
    )  # fmt: skip
    write_picture(tmp_path / name, read_picture_file(source))
    assert np.array_equal(deep_pixels(tmp_path / name), DEEP[:, :, :3])
    with Image.open(tmp_path / name) as image:
        assert image.info["icc_profile"] == WIDE
        assert image.info["dpi"] == pytest.approx((300, 200), abs=0.1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_sixteen_bit_files_stand_upright(tmp_path: Path, orientation: int) -> None:
    turned, eight = tmp_path / "a.tif", tmp_path / "e.tif"
    for path, values in ((turned, DEEP[:, :, :3]), (eight, (DEEP[:, :, :3] >> 8).astype(np.uint8))):
        tags = [(274, "H", 1, orientation, True)]
        tifffile.imwrite(path, values, photometric="rgb", extratags=tags, metadata=None)
    picture = read_picture_file(turned)
    assert picture.original is not None
    assert picture.original.values.dtype == np.uint16
    assert np.abs(picture.pixels.astype(int) - read_picture_file(eight).pixels).max() <= 1


@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.tif"])
def test_the_resolution_stays(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(COLOR).save(tmp_path / "a.jpg", dpi=(300, 150), exif=exif)
    write_picture(tmp_path / name, read_picture_file(tmp_path / "a.jpg"))
    with Image.open(tmp_path / name) as image:
        assert image.info["dpi"] == pytest.approx((150, 300), abs=0.1)


def with_text(path: Path, size: int) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * size, zip=True)
    Image.fromarray(COLOR).save(path, pnginfo=info)
    return path


def test_large_metadata_are_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = with_text(tmp_path / "text.png", 3 << 20)
    assert np.array_equal(read_picture_file(big).pixels, COLOR)
    profile = tmp_path / "profile.png"
    Image.fromarray(COLOR).save(profile, icc_profile=WIDE + bytes(2 << 20))
    assert read_picture_file(profile).pixels.shape == COLOR.shape
    monkeypatch.setattr(pictures, "_MAX_TEXT", 1 << 20)
    with pytest.raises(BadInputError, match="1 MB of text or profile"):
        read_picture_file(big)


def test_a_mask_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    Image.fromarray(COLOR[:, :, 0]).save(path, icc_profile=GRAY)
    assert np.array_equal(read_mask(path, PictureFile(COLOR)), COLOR[:, :, 0])


def test_an_edit_keeps_sixteen_bits_outside_the_mask(
    house: Path, latentfu_program: Program, half_mask: Path, tmp_path: Path
) -> None:
    source, out = save_deep(tmp_path / "a.tif", DEEP[:, :, :3], WIDE), tmp_path / "out.png"
    ran = latentfu_program("edit", source, "-o", out, "--set", "tilt=2", *TINY, "--mask", half_mask)
    assert ran.code == 0, ran.err
    after = deep_pixels(out)
    assert np.array_equal(after[:, 45:], DEEP[:, 45:, :3])
    assert not np.array_equal(after[:, :45], DEEP[:, :45, :3])
    assert profile_of(out) == WIDE


@pytest.mark.parametrize(("name", "lossy"), [("o.jpg", True), ("o.webp", False), ("o.png", False)])
def test_a_lossy_file_is_said_to_be_one(
    house: Path, latentfu_program: Program, half_mask: Path, tmp_path: Path, name: str, lossy: bool
) -> None:
    source, out = tmp_path / "a.png", tmp_path / name
    Image.fromarray(COLOR).save(source)
    base = ("edit", source, "-o", out, "--set", "tilt=2", *TINY, "--json")
    ran = latentfu_program(*base, "--mask", half_mask)
    assert ran.code == 0, ran.err
    assert ran.json["lossy"] is lossy
    assert ran.json["report"]["changed_outside_mask"] == 0
    assert ("cannot hold pixels outside the mask" in ran.err) is lossy
    if not lossy:
        assert np.array_equal(pixels_of(out)[:, 45:], COLOR[:, 45:])
    assert latentfu_program(*base).json["lossy"] is (name != "o.png")
    for command in ("edit", "mix"):
        shown = " ".join(latentfu_program(command, "--help").out.split())
        assert "cannot keep pixels outside the mask bit for bit" in shown


def test_jpeg_keeps_the_colors_at_full_size(tmp_path: Path) -> None:
    from PIL import JpegImagePlugin

    write_picture(tmp_path / "a.jpg", PictureFile(COLOR))
    with Image.open(io.BytesIO((tmp_path / "a.jpg").read_bytes())) as image:
        assert JpegImagePlugin.get_sampling(image) == 0
