"""Real GIMP 3: layers of more than 8 bits, of other colors, and brighter than white."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gimp.gimp import Gimp
from tests.gimp.steps import SETUP

STEPS = """
import struct

def values(layer, form):
    there = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    return bytes(layer.get_buffer().get(there, 1.0, form, Gegl.AbyssPolicy.NONE))

def brighten(layer, x, y, width, height, color):
    # A patch of one color, given in linear light of the layer's own space.
    data = struct.pack("<3f", *color) * (width * height)
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(x, y, width, height), "RGB float", data); buffer.flush()

"""


@pytest.fixture(scope="module")
def gimp_here(gimp: Gimp, portrait: Path) -> Gimp:
    gimp.run(SETUP + STEPS + f'PORTRAIT = "{portrait}"')
    return gimp


@pytest.mark.parametrize("precision", ["U16_NON_LINEAR", "U16_LINEAR"])
def test_sixteen_bits_come_back_in_sixteen(gimp_here: Gimp, precision: str) -> None:
    """B5: the change is finer than a level of 8 bits."""
    seen = gimp_here.run(f"""
        image = load(PORTRAIT); image.convert_precision(Gimp.Precision.{precision})
        layer = image.get_layers()[0]
        new = made("latentfu-edit", image, layer, edits="red=0.5")
        old, now = (struct.unpack(f"<{{480 * 600 * 3}}H", whole(l)) for l in (layer, new))
        moved = [b for a, b in zip(old, now) if a != b]
        value = [len(moved), sum(b % 257 != 0 for b in moved), image.get_resolution()[1:]]
    """)
    assert seen[0] > 100_000 and seen[1] > 0.9 * seen[0]


def test_brighter_than_white_stays_so(gimp_here: Gimp) -> None:
    """B5: highlights of 3.0 are changed and not cut; what is not edited is the same bits."""
    seen = gimp_here.run("""
        image = load(PORTRAIT); image.convert_precision(Gimp.Precision.FLOAT_LINEAR)
        layer = image.get_layers()[0]
        brighten(layer, 200, 250, 20, 20, (3.0, 2.5, 2.0))
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 150, 150, 200, 250)
        new = made("latentfu-edit", image, layer, edits="red=0.2")
        pick = lambda l: struct.unpack("<3f", native(l, 210, 260, 1, 1))
        value = [pick(layer), pick(new), changed(layer, new)["box"]]
    """)
    old, new, box = seen
    assert all(a > 1.5 for a in new), new
    assert all(abs(a - b) < 0.6 for a, b in zip(old, new, strict=True))
    assert old != new
    assert box[0] >= 150 and box[1] >= 150 and box[2] <= 350 and box[3] <= 400


@pytest.mark.parametrize("precision", ["U8_NON_LINEAR", "U16_NON_LINEAR", "FLOAT_NON_LINEAR"])
def test_colors_outside_of_srgb_do_not_jump(gimp_here: Gimp, precision: str) -> None:
    """B5: in Adobe RGB, a very small edit of a saturated color is a very small change."""
    seen = gimp_here.run(f"""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        buffer = layer.get_buffer()
        buffer.set(Gegl.Rectangle.new(200, 250, 20, 20), "R'G'B' u8", bytes([0, 255, 0]) * 400)
        buffer.flush()
        image.convert_precision(Gimp.Precision.{precision})
        image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())  # The numbers stay.
        size = len(native(layer, 0, 0, 1, 1))
        kind = {{3: "<3B", 6: "<3H", 12: "<3f"}}[size]
        largest = {{3: 255, 6: 65535, 12: 1.0}}[size]
        new = made("latentfu-edit", image, layer, edits="red=0.05")
        pick = lambda l: [v / largest for v in struct.unpack(kind, native(l, 210, 260, 1, 1))]
        value = [pick(layer), pick(new), changed(layer, new)["count"]]
    """)
    old, new, count = seen
    assert old == pytest.approx([0.0, 1.0, 0.0], abs=1e-4) and count > 1000
    # The green of sRGB, which a way through it would leave, is (0.56, 1.0, 0.24) here.
    assert max(abs(a - b) for a, b in zip(old, new, strict=True)) < 0.1, new


def test_the_resolution_in_print_is_kept(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); image.set_resolution(300.0, 300.0)
        made("latentfu-edit", image, image.get_layers()[0], edits="red=1")
        value = list(image.get_resolution()[1:])
    """)
    assert seen == [300.0, 300.0]


def test_soft_proofing_is_for_the_screen_alone(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        plain = whole(made("latentfu-edit", image, layer, edits="red=2"))
        image.set_simulation_profile(Gimp.ColorProfile.new_rgb_adobe())
        image.set_simulation_bpc(True)
        proofed = made("latentfu-edit", image, layer, edits="red=2")
        value = [image.get_simulation_profile() is not None, changed(layer, proofed)["count"],
                 whole(proofed) == plain]
    """)
    assert seen[0] and seen[1] > 1000 and seen[2]


def test_alpha_is_the_same_in_every_precision(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        value = []
        for precision in (Gimp.Precision.U16_NON_LINEAR, Gimp.Precision.FLOAT_LINEAR):
            image = load(PORTRAIT); image.convert_precision(precision)
            layer = image.get_layers()[0]; layer.add_alpha()
            image.select_ellipse(Gimp.ChannelOps.REPLACE, 100, 100, 150, 150)
            image.select_rectangle(Gimp.ChannelOps.ADD, 0, 0, 40, 600)
            Gimp.Selection.feather(image, 30.0); layer.edit_clear(); Gimp.Selection.none(image)
            new = made("latentfu-edit", image, layer, edits="red=2")
            value.append([values(layer, "A float") == values(new, "A float"),
                          changed(layer, new)["count"]])
    """)
    for same, count in seen:
        assert same and count > 1000


def test_the_same_change_at_every_depth(gimp_here: Gimp) -> None:
    """An edit looks the same whatever the image's precision: to one level of 8 bits."""
    seen = gimp_here.run("""
        shown = []
        for precision in ("U8_NON_LINEAR", "U16_NON_LINEAR", "HALF_LINEAR", "DOUBLE_LINEAR"):
            image = load(PORTRAIT)
            if precision != "U8_NON_LINEAR":
                image.convert_precision(getattr(Gimp.Precision, precision))
            new = made("latentfu-edit", image, image.get_layers()[0], edits="red=1")
            shown.append(values(new, "R'G'B' u8"))
        value = [max(abs(a - b) for a, b in zip(shown[0], other)) for other in shown[1:]]
    """)
    assert max(seen) <= 1, seen
