"""Camera, date, copyright, place and resolution of a photograph are in what the program writes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from latentfu.cli.pictures import read_picture_file, write_picture
from PIL import Image, PngImagePlugin

from tests.support.program import Program

Y, X = np.mgrid[0:70, 0:90]
COLOR = np.stack([X * 2, Y * 3, (X + Y) % 256], axis=2).astype(np.uint8)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="6" '
    b'dc:rights="Mine"/></rdf:RDF></x:xmpmeta>'
)
UPRIGHT = XMP.replace(b'tiff:Orientation="6"', b"")
ENDINGS = ["jpg", "png", "webp", "tif"]


def photograph(path: Path, **more: Any) -> Path:
    """A JPEG of a camera that was held upright, with all that cameras and editors write."""
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "Maker", 0x0110: "Model 1", 0x013B: "Ann", 0x8298: "(c) Ann"})
    exif.update({0x0132: "2026:11:29 10:00:00"})
    exif.get_ifd(0x8769).update(
        {0x9003: "2026:11:28 09:00:00", 0x829A: (1, 250), 0xA002: 90, 0xA003: 70,
         0x927C: b"secret of the maker"}
    )  # fmt: skip
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    Image.fromarray(COLOR).save(path, exif=exif, xmp=XMP, dpi=(300, 150), **more)
    return path


def facts_of(path: Path) -> dict[str, Any]:
    with Image.open(path) as image:
        exif = image.getexif()
        below = dict(exif.get_ifd(0x8769))
        tags: Any = getattr(image, "tag_v2", {})
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or tags.get(700) or b""
        return {
            "size": image.size,
            "exif": dict(exif),
            "below": below,
            "gps": dict(exif.get_ifd(0x8825)),
            "xmp": xmp.encode() if isinstance(xmp, str) else xmp,
            "dpi": image.info.get("dpi"),
        }


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_camera_said_stays_and_the_orientation_is_reset(tmp_path: Path, ending: str) -> None:
    source, target = photograph(tmp_path / "a.jpg"), tmp_path / f"b.{ending}"
    write_picture(target, read_picture_file(source))
    facts = facts_of(target)
    assert facts["size"] == (70, 90), "upright"
    assert facts["exif"].get(0x0112, 1) == 1
    assert facts["exif"][0x8298] == "(c) Ann" and facts["exif"][0x0110] == "Model 1"
    assert b'dc:rights="Mine"' in facts["xmp"] and b'tiff:Orientation="1"' in facts["xmp"]
    assert facts["below"][0x9003] == "2026:11:28 09:00:00"
    assert (facts["below"][0xA002], facts["below"][0xA003]) == (70, 90)
    assert 0x927C not in facts["below"]
    assert facts["gps"][1] == "N"
    # and once more, from what was written
    write_picture(tmp_path / "c.jpg", read_picture_file(target))
    again = facts_of(tmp_path / "c.jpg")
    assert again["exif"][0x8298] == "(c) Ann" and again["size"] == (70, 90)
    assert again["below"][0x9003] == "2026:11:28 09:00:00"
    assert again["dpi"] == pytest.approx((150, 300), abs=0.1)


def test_a_webp_keeps_the_resolution_in_exif(tmp_path: Path) -> None:
    Image.fromarray(COLOR).save(tmp_path / "plain.jpg", dpi=(300, 150))
    write_picture(tmp_path / "b.webp", read_picture_file(tmp_path / "plain.jpg"))
    exif = facts_of(tmp_path / "b.webp")["exif"]
    assert (float(exif[0x011A]), float(exif[0x011B]), exif[0x0128]) == (300.0, 150.0, 2)
    write_picture(tmp_path / "c.png", read_picture_file(tmp_path / "b.webp"))
    assert facts_of(tmp_path / "c.png")["dpi"] == pytest.approx((300, 150), abs=0.1)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sixteen_bits_keep_what_was_said(tmp_path: Path, ending: str) -> None:
    import cv2

    deep = np.stack([X * 600, Y * 800, (X + Y) * 300], axis=2).astype(np.uint16)
    data = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    exif = Image.Exif()
    exif.update({0x8298: "(c) Ann", 0x010F: "Maker"})
    chunks = io.BytesIO()
    PngImagePlugin.putchunk(chunks, b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    PngImagePlugin.putchunk(chunks, b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + UPRIGHT)
    (tmp_path / "a.png").write_bytes(data[:33] + chunks.getvalue() + data[33:])
    picture = read_picture_file(tmp_path / "a.png")
    assert picture.original is not None and picture.original.values.dtype == np.uint16
    write_picture(tmp_path / f"b.{ending}", picture)
    facts = facts_of(tmp_path / f"b.{ending}")
    assert facts["exif"][0x8298] == "(c) Ann" and b'dc:rights="Mine"' in facts["xmp"]
    back = read_picture_file(tmp_path / f"b.{ending}")
    assert back.original is not None and np.array_equal(back.original.values, deep)


def test_texts_of_a_png_stay(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Ann")
    info.add_itxt("Copyright", "© Ann")
    info.add_text("Software", "something")
    Image.fromarray(COLOR).save(tmp_path / "a.png", pnginfo=info)
    write_picture(tmp_path / "b.png", read_picture_file(tmp_path / "a.png"))
    with Image.open(tmp_path / "b.png") as image:
        assert image.info["Author"] == "Ann" and image.info["Copyright"] == "© Ann"
        assert "Software" not in image.info


def test_a_file_without_any_gets_none(tmp_path: Path) -> None:
    Image.fromarray(COLOR).save(tmp_path / "a.png")
    for ending in ENDINGS:
        write_picture(tmp_path / f"b.{ending}", read_picture_file(tmp_path / "a.png"))
        facts = facts_of(tmp_path / f"b.{ending}")
        assert not facts["xmp"] and not facts["below"] and not facts["gps"]


@pytest.mark.parametrize("cut", [20, 40, 90, 150])
def test_damaged_metadata_are_left_out_and_refuse_nothing(tmp_path: Path, cut: int) -> None:
    data = bytearray(photograph(tmp_path / "a.jpg").read_bytes())
    data[cut : cut + 30] = b"\xff\x00" * 15
    at = data.index(b"http://ns.adobe.com") if b"http://ns.adobe.com" in data else 0
    assert at, "the picture itself is whole"
    (tmp_path / "b.jpg").write_bytes(data)
    try:
        picture = read_picture_file(tmp_path / "b.jpg")
    except Exception as error:
        assert "damaged" in str(error) or "not a picture" in str(error)
        return
    for ending in ENDINGS:
        write_picture(tmp_path / f"c.{ending}", picture)
        assert read_picture_file(tmp_path / f"c.{ending}").pixels.shape == picture.pixels.shape


def test_metadata_too_long_for_a_jpeg_are_left_out(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode() + " " * 100_000)
    Image.fromarray(COLOR).save(tmp_path / "a.png", pnginfo=info)
    write_picture(tmp_path / "b.jpg", read_picture_file(tmp_path / "a.png"))
    assert facts_of(tmp_path / "b.jpg")["xmp"] == b""
    write_picture(tmp_path / "b.webp", read_picture_file(tmp_path / "a.png"))
    assert b"dc:rights" in facts_of(tmp_path / "b.webp")["xmp"]


def test_an_edit_by_command_keeps_them(
    house: Path, tmp_path: Path, latentfu_program: Program
) -> None:
    source = photograph(tmp_path / "a.jpg", quality=95)
    words = ["edit", source, "-o", tmp_path / "b.jpg", "--generator", "tiny", "--set", "tilt=1"]
    done = latentfu_program(*words, "--inverter", "guess", "--corners", "5,5,65,5,65,65,5,65")
    assert done.code == 0, done.err
    facts = facts_of(tmp_path / "b.jpg")
    assert facts["exif"][0x8298] == "(c) Ann" and facts["below"][0x829A]
    assert b'dc:rights="Mine"' in facts["xmp"]
