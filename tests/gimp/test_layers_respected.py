"""Real GIMP 3: what the user made of a layer stays, whatever is edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gimp.gimp import Gimp
from tests.gimp.steps import SETUP


@pytest.fixture(scope="module")
def gimp_here(gimp: Gimp, portrait: Path) -> Gimp:
    gimp.run(SETUP + f'PORTRAIT = "{portrait}"')
    return gimp


def run_on_portrait(gimp: Gimp, source: str) -> Any:
    """Open the portrait as ``image`` and ``layer``, then run ``source``."""
    gimp.run("image = load(PORTRAIT); layer = image.get_layers()[0]")
    return gimp.run(source)


def test_locked_pixels_are_no_obstacle(gimp_here: Gimp) -> None:
    """A3: the usual way to guard an original; the result can be painted on."""
    seen = run_on_portrait(
        gimp_here,
        """
        layer.set_lock_content(True); layer.set_lock_position(True); before = whole(layer)
        new = made("latentfu-edit", image, layer, edits="red=3")
        value = [layer.get_lock_content(), new.get_lock_content(), whole(layer) == before,
                 changed(layer, new)["count"]]
    """,
    )
    assert seen[:3] == [True, False, True] and seen[3] > 1000


@pytest.mark.parametrize(
    ("change", "hidden"),
    [
        ("pass", False),
        ("layer.set_mode(Gimp.LayerMode.MULTIPLY)", True),
        ("layer.set_opacity(50.0)", True),
        ("layer.add_mask(layer.create_mask(Gimp.AddMaskType.WHITE))", True),
        ("layer.add_alpha()", False),
        (
            "layer.add_alpha(); image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 9, 9);"
            " layer.edit_clear(); Gimp.Selection.none(image)",
            True,
        ),
    ],
    ids=["plain", "multiply", "half", "mask", "alpha", "hole"],
)
def test_a_source_that_shows_through_is_not_doubled(
    gimp_here: Gimp, change: str, hidden: bool
) -> None:
    """B2: what lies below the result is hidden unless it is covered wholly; undo shows it."""
    seen = run_on_portrait(
        gimp_here,
        f"""
        paper = Gimp.Layer.new(image, "paper", image.get_width(), image.get_height(), 0, 100.0,
                               Gimp.LayerMode.NORMAL)
        image.insert_layer(paper, None, 1); paper.fill(Gimp.FillType.WHITE)
        {change}
        def shown(image):
            flat = image.duplicate(); merged = flat.flatten()
            pixels = whole(merged); mean = sum(pixels) / len(pixels); flat.delete(); return mean
        before = shown(image)
        new = made("latentfu-edit", image, layer, edits="red=0.3")
        value = [before, shown(image), layer.get_visible(), new.get_visible()]
    """,
    )
    before, after, visible, new_visible = seen
    assert abs(after - before) < 8, "the picture is as light as it was"
    assert visible is not hidden and new_visible


def test_a_layers_mask_means_its_layer(gimp_here: Gimp) -> None:
    """B6: after Add Layer Mask the mask is active, and the user still means the layer."""
    seen = run_on_portrait(
        gimp_here,
        """
        mask = layer.create_mask(Gimp.AddMaskType.WHITE); layer.add_mask(mask)
        new = made("latentfu-edit", image, mask, edits="red=3")
        value = [about(new), changed(layer, new)["count"]]
    """,
    )
    assert seen[0]["mask"] and seen[1] > 1000


def test_nothing_changed_adds_no_layer(gimp_here: Gimp) -> None:
    """A2: an edit that changes no pixel is said to be one."""
    seen = run_on_portrait(
        gimp_here,
        """
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 4, 4)
        value = attempt("latentfu-edit", image, layer, edits="red=0.0001")
    """,
    )
    assert seen[0] == "execution-error" and seen[1].startswith("No pixel changed") and seen[2] == 1


def test_a_selection_of_no_face_is_taken_as_one(gimp_here: Gimp) -> None:
    """C6: where no detector finds a face, the selection says where it is."""
    seen = run_on_portrait(
        gimp_here,
        """
        missing = attempt("latentfu-edit", image, layer, edits="red=3", generator="blind")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 140, 150, 160, 200)
        new = made("latentfu-edit", image, layer, edits="red=3", generator="blind")
        value = [missing, changed(layer, new)["box"], about(new)["state"]["quad"]]
    """,
    )
    assert "select the face" in seen[0][1] and seen[0][2] == 1
    x0, y0, x1, y1 = seen[1]
    assert x0 >= 140 and y0 >= 150 and x1 <= 300 and y1 <= 350
    assert seen[2][0] == pytest.approx([100, 130], abs=2)


def test_the_selection_chooses_the_face(gimp_here: Gimp) -> None:
    """A2: of two portraits side by side, the one that is selected."""
    seen = gimp_here.run(
        """
        first = load(PORTRAIT); one = first.get_layers()[0]
        image = Gimp.Image.new(960, 600, Gimp.ImageBaseType.RGB)
        layer = Gimp.Layer.new(image, "two", 960, 600, 0, 100.0, Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        there = Gegl.Rectangle.new(0, 0, 480, 600)
        for x in (0, 480):
            one.get_buffer().copy(there, 0, layer.get_buffer(), Gegl.Rectangle.new(x, 0, 480, 600))
        value = []
        for generator in ("several", "portraits"):
            for x in (0, 480):
                image.select_rectangle(Gimp.ChannelOps.REPLACE, x + 60, 60, 330, 400)
                inverter = "instant" if generator == "several" else "encoder"
                edits = "red=3" if generator == "several" else "smile=2"
                new = made("latentfu-edit", image, layer, edits=edits, generator=generator,
                           inverter=inverter)
                value.append([changed(layer, new)["box"], about(new)["state"]["quad"]])
                image.remove_layer(new)
    """,
        300,
    )
    for number, (box, quad) in enumerate(seen):
        left = 480 * (number % 2)
        assert left + 60 <= box[0] < box[2] <= left + 390, (number, box)
        middle = sum(point[0] for point in quad) / 4
        assert left < middle < left + 480, (number, quad)
