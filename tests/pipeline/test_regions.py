"""Edits kept to regions: what may show where, and what never changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import torch
from latentfu import Control, GeneratorSpec, RegionParser, hookimpl, measure_region_changes
from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.core.layer import Layer
from latentfu.pipeline.control_regions import choose_regions
from latentfu.pipeline.editor import Editor
from latentfu.pipeline.paste_back import Outcome
from latentfu.pipeline.region_map import fill_holes, soften_region
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from latentfu.protocol.pictures import PictureStore
from latentfu.protocol.replies import RegionsReply, ReportReply
from latentfu.protocol.requests import EditRequest, PreviewRequest, RegionsRequest, build_request

from tests.support import small_world
from tests.support.small_world import WORLD, picture

SURETY = {"value": 1.0}
SIDES = ("left", "right")


def load(device: str) -> Any:
    """The left and the right half of any picture, as surely as ``SURETY`` says."""

    def parse(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        left = torch.zeros(len(pictures), 64, 64)
        left[:, :, :32] = 1.0
        surety = torch.full((len(pictures),), SURETY["value"])
        return torch.stack([left, 1 - left], dim=1), surety

    return parse


@hookimpl
def latentfu_region_parsers() -> list[RegionParser]:
    return [
        RegionParser(
            "sides",
            "Left and right",
            ("test",),
            SIDES,
            load,
            changes=lambda: {"tall": {"left": 9.0}},
        )
    ]


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    red = small_world.control(small_world.DIRECTIONS[0])
    declared = replace(red, name="rightred", regions=("right",))
    return [red, small_world.control(small_world.DIRECTIONS[1]), declared]


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    plugin = SimpleNamespace(
        **{**vars(small_world.PLUGIN), "latentfu_controls": latentfu_controls},
        latentfu_region_parsers=latentfu_region_parsers,
    )
    world = Registry(
        [
            Source("small", "tests", "", lambda: plugin),
            Source("inversion", "tests", "", lambda: latentfu_builtin.inversion.plugin),
        ]
    )
    home: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, use_registry(world):
        patch.setenv("LATENTFU_HOME", str(home))
        yield Editor()


@pytest.fixture(autouse=True)
def sure() -> Iterator[None]:
    yield
    SURETY["value"] = 1.0


LAYER = picture(120, 120)


def edit(editor: Editor, edits: dict[str, float], layer: Layer = LAYER, **fields: Any) -> Outcome:
    pictures = PictureStore()
    request = build_request(EditRequest, layer=pictures.add(layer), edits=edits, **WORLD, **fields)
    return editor.edit(request, pictures)


def changed(out: Outcome) -> np.ndarray:
    return np.asarray((out.layer.pixels != LAYER.pixels).any(axis=2))


def regions(out: Outcome) -> list[str]:
    assert isinstance(out.report, ReportReply)
    return out.report.regions


def test_a_named_region_changes_and_the_rest_is_bit_for_bit_the_same(editor: Editor) -> None:
    everywhere = changed(edit(editor, {"red": 2.0}, regions="whole"))
    left = edit(editor, {"red": 2.0}, regions=["left"])
    assert regions(left) == ["left"]
    assert everywhere[20:100, 75:110].any() and everywhere[20:100, 10:45].any()
    assert changed(left)[20:100, 10:45].any()
    assert not changed(left)[:, 75:].any()


def test_the_change_fades_at_the_border_of_a_region(editor: Editor) -> None:
    whole = edit(editor, {"red": 3.0}, regions="whole").layer.pixels.astype(int) - LAYER.pixels
    left = edit(editor, {"red": 3.0}, regions=["left"]).layer.pixels.astype(int) - LAYER.pixels
    rows = slice(30, 90)
    parts = [
        np.abs(left[rows, x]).sum() / max(np.abs(whole[rows, x]).sum(), 1) for x in range(30, 80)
    ]
    assert parts[0] == 1.0 and parts[-1] == 0.0
    assert max(-np.diff(parts)) < 0.5


@pytest.mark.parametrize(("name", "expected"), [("rightred", ["right"]), ("tall", ["left"])])
def test_auto_takes_the_declared_regions_then_those_the_parser_knows(
    editor: Editor, name: str, expected: list[str]
) -> None:
    assert regions(edit(editor, {name: 2.0})) == expected
    both = edit(editor, {"rightred": 1.0, "tall": 1.0})
    assert regions(both) == ["left", "right"]


def test_what_nobody_says_is_measured_once_and_kept_on_disk(editor: Editor) -> None:
    from latentfu.core.paths import cache_dir

    assert regions(edit(editor, {"red": 2.0})) == ["left", "right"]
    (file,) = (cache_dir() / "regions").glob("*.json")
    file.write_text('{"left": 50.0, "right": 0.1}')
    assert regions(edit(Editor(), {"red": 2.0})) == ["left"]
    file.write_text("not json")
    assert regions(edit(Editor(), {"red": 2.0})) == ["left", "right"]
    file.unlink()


def test_an_unsure_parser_says_so_and_the_whole_picture_is_edited(editor: Editor) -> None:
    SURETY["value"] = 0.2
    unsure = Editor()
    out = edit(unsure, {"rightred": 2.0})
    assert isinstance(out.report, ReportReply)
    assert regions(out) == [] and "not found surely (0.20)" in out.report.regions_note
    assert changed(out)[20:100, 10:45].any()
    with pytest.raises(BadInputError, match="not found surely"):
        edit(unsure, {"rightred": 2.0}, regions=["left"])


def test_an_unknown_region_is_refused_with_those_there_are(editor: Editor) -> None:
    with pytest.raises(NotInstalledError, match="no region 'nose'; there are: left, right"):
        edit(editor, {"red": 1.0}, regions=["nose"])
    with pytest.raises(BadInputError, match="regions takes"):
        build_request(EditRequest, layer="0" * 64, regions=[])


def test_a_preview_shows_the_change_where_the_edit_does(editor: Editor) -> None:
    pictures = PictureStore()
    fields: dict[str, Any] = {"edits": {"red": 3.0}, "regions": ["left"], "side": 60, **WORLD}
    request = build_request(PreviewRequest, layer=pictures.add(LAYER), **fields)
    small = editor.preview(request, pictures).pixels.astype(int)
    still = build_request(PreviewRequest, layer=request.layer, **{**fields, "edits": {"red": 0.0}})
    change = np.abs(small - editor.preview(still, pictures).pixels).max(axis=2)
    assert change[10:50, 5:22].any() and not change[:, 38:].any()


def test_regions_of_a_layer_come_as_a_mask_or_a_map(editor: Editor) -> None:
    pictures = PictureStore()
    request = build_request(
        RegionsRequest, layer=pictures.add(LAYER), aligner="center", generator="small",
        regions=["left"],
    )  # fmt: skip
    out = editor.run(request, pictures)
    mask = out.layer.pixels
    assert mask.shape == (120, 120, 1)
    assert (mask[:, :55] == 255).all() and (mask[:, 65:] == 0).all()
    assert isinstance(out.report, RegionsReply)
    assert {row.name for row in out.report.regions} == {"left", "right"}
    whole = editor.run(request.model_copy(update={"regions": []}), pictures).layer.pixels
    assert whole.shape == (120, 120, 3)
    assert len(np.unique(whole[:, 5:50].reshape(-1, 3), axis=0)) == 1
    SURETY["value"] = 0.1
    with pytest.raises(BadInputError, match="not found surely"):
        Editor().run(request, pictures)


def test_a_mask_is_of_where_controls_act(editor: Editor) -> None:
    pictures = PictureStore()
    fields: dict[str, Any] = {"aligner": "center", "generator": "small"}
    request = build_request(
        RegionsRequest, layer=pictures.add(LAYER), controls=["rightred"], **fields
    )
    out = editor.run(request, pictures)
    assert (out.layer.pixels[:, :55] == 0).all() and (out.layer.pixels[:, 65:] == 255).all()
    assert isinstance(out.report, RegionsReply) and out.report.shown == ["right"]
    more = request.model_copy(update={"regions": ["left"]})
    assert (editor.run(more, pictures).layer.pixels == 255).all()
    unknown = request.model_copy(update={"controls": ["wings"]})
    with pytest.raises(NotInstalledError, match="There is no control 'wings'"):
        editor.run(unknown, pictures)


def test_a_control_that_nobody_can_place_is_one_sentence(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = PictureStore()
    request = build_request(
        RegionsRequest, layer=pictures.add(LAYER), controls=["red"], aligner="center",
        generator="small",
    )  # fmt: skip
    monkeypatch.setitem(SURETY, "value", 0.2)
    unsure = Editor()
    with pytest.raises(BadInputError, match="Where red acts could not be measured"):
        unsure.run(request, pictures)


def test_color_counts_and_moved_cloth_does_not() -> None:
    before = np.full((96, 96, 3), 100.0)
    regions = np.zeros((96, 96), int)
    regions[48:] = 1
    after, later = before.copy(), regions.copy()
    after[:48] = 140.0
    later[46:48] = 1  # the lower region grows by two rows
    found = measure_region_changes((before, after), (regions, later), ("hair", "clothes"))
    assert 38.0 < found["hair"] < 41.0 and found["clothes"] < 1.0
    assert choose_regions(found) == ("hair",)
    assert choose_regions({"skin": 1.0, "hair": 0.1}) == ("skin",)
    assert choose_regions({"skin": 0.1}) == () == choose_regions({})


def test_a_soft_mask_covers_its_region_and_is_zero_away_from_it() -> None:
    region = np.zeros((128, 128), np.float32)
    region[40:80, 40:80] = 1.0
    mask = soften_region(region)
    assert (mask[41:79, 41:79] > 0.9).all()
    assert (mask[:30] == 0).all() and (mask[:, 92:] == 0).all()


def test_teeth_in_a_mouth_belong_to_it_and_a_face_in_hair_does_not() -> None:
    region = np.zeros((100, 100), np.float32)
    region[20:90, 20:90] = 1.0
    region[30:35, 30:40] = region[50:80, 40:80] = 0.0
    filled = fill_holes(region, 0.03)
    assert (filled[30:35, 30:40] == 1).all()
    assert (filled[50:80, 40:80] == 0).all() and (filled[:20] == 0).all()
