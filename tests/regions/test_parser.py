"""The shipped parser: right on people it never saw, unsure of what is no face."""

from __future__ import annotations

import json
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError
from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.regions.augment import cut_plain, draw_example
from latentfu_builtin.regions.network import (
    PARSER_WEIGHTS,
    RegionNetwork,
    load_parser,
    load_region_parser,
    read_changes,
    save_parser,
)
from latentfu_builtin.regions.train import (
    ParserOptions,
    RenderedPeople,
    measure_parser,
    train_parser,
)
from PIL import Image

pytestmark = pytest.mark.filterwarnings("ignore")
ASTRONAUT = Path(__file__).parents[1] / "faces" / "reference" / "astronaut.png"


@pytest.fixture(scope="module")
def people(pairs: Path) -> RenderedPeople:
    """A handful of people that the parser was not trained on."""
    return RenderedPeople(pairs)


def test_the_names_are_those_of_the_renderer() -> None:
    assert json.loads(latentfu.read_metadata(PARSER_WEIGHTS)["regions"]) == list(REGIONS)


def test_the_shipped_file_is_small_and_listed() -> None:
    assert PARSER_WEIGHTS.stat().st_size <= 4_000_000
    parser = latentfu.installed(latentfu.RegionParser)["faces"]
    assert parser.regions == REGIONS and parser.domains == ("faces",)


def test_it_tells_hair_skin_and_clothes_of_people_it_never_saw(people: RenderedPeople) -> None:
    scores = measure_parser(load_parser(), people, people.count)
    least = {"background": 0.75, "skin": 0.6, "nose": 0.55, "hair": 0.5, "clothes": 0.35}
    assert not {name: scores[name] for name, low in least.items() if scores[name] < low}
    changed = measure_parser(load_parser(), people, people.count, changed=True)
    assert changed["background"] > 0.6 and changed["skin"] > 0.5


def test_a_photograph_is_parsed_surely_and_noise_is_not() -> None:
    parser = latentfu.installed(latentfu.RegionParser)["faces"]
    parse = load_region_parser("cpu")
    photo = np.asarray(Image.open(ASTRONAUT).convert("RGB"))
    (quad, *_) = latentfu.aligners()["faces"].find(photo)
    corners = np.array(quad.corners)
    face, _ = cut_plain(photo, np.zeros(photo.shape[:2], np.uint8), corners, 128)
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3))
    flat = np.full((128, 128, 3), 90)
    batch = np.stack([face, noise, flat]).transpose(0, 3, 1, 2) / 127.5 - 1
    parts, surety = parse(torch.from_numpy(batch.astype(np.float32)))
    assert parts.shape == (3, 14, 128, 128)
    assert torch.allclose(parts.sum(dim=1), torch.ones(3, 128, 128), atol=1e-4)
    assert surety[0] >= parser.least_surety > surety[1:].max()
    middle = parts[0].argmax(dim=0)[40:100, 40:90]
    face_regions = [REGIONS.index(n) for n in ("skin", "nose", "eyes", "mouth", "brows")]
    assert float(torch.isin(middle, torch.tensor(face_regions)).float().mean()) > 0.6


def test_training_examples_are_pictures_with_regions_of_the_same_size(
    people: RenderedPeople,
) -> None:
    pixels, regions = draw_example(*people.get(0), 96, np.random.default_rng(3))
    again, _ = draw_example(*people.get(0), 96, np.random.default_rng(3))
    assert pixels.shape == (96, 96, 3) and regions.shape == (96, 96)
    assert pixels.dtype == regions.dtype == np.uint8 and regions.max() < len(REGIONS)
    assert np.array_equal(pixels, again)


def test_training_goes_on_where_it_stopped(people: RenderedPeople, tmp_path: Path) -> None:
    said: list[str] = []
    few = ParserOptions(images=4, batch=2, holdout=2)
    state = tmp_path / "state.safetensors"
    train_parser(people, few, state, said.append)
    assert latentfu.read_metadata(state)["seen"] == "4"
    more = train_parser(people, ParserOptions(images=8, batch=2, holdout=2), state, said.append)
    assert latentfu.read_metadata(state)["seen"] == "8"
    save_parser(tmp_path / "parser.safetensors", more, {})
    again = load_parser(tmp_path / "parser.safetensors")
    picture = torch.rand(1, 3, 128, 128) * 2 - 1
    assert torch.allclose(again(picture), more(picture), atol=0.1)
    with pytest.raises(BadInputError, match="more than 50"):
        train_parser(people, ParserOptions(holdout=50), state, said.append)


def test_a_folder_without_regions_is_refused_with_the_command_that_makes_them(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInputError, match="train pairs --renderer people --regions"):
        RenderedPeople(tmp_path)


def test_files_that_are_no_parser_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not there"):
        load_parser(tmp_path / "none.safetensors")
    latentfu.write_tensors(tmp_path / "other.safetensors", RegionNetwork().state_dict(), {})
    with pytest.raises(BadInputError, match="no parser of this program's regions"):
        load_parser(tmp_path / "other.safetensors")


def test_hair_edits_leave_clothes_and_background_alone_by_the_measured_table() -> None:
    from latentfu.pipeline.control_regions import choose_regions

    changes = read_changes()
    things = latentfu.installed(latentfu.RegionParser)["faces"].things
    for name in ("hair_lightness", "gray_hair", "age"):
        chosen = choose_regions(changes[name], things)
        assert "hair" in chosen and not {"clothes", "background"} & set(chosen), name
    assert {"mouth", "skin"} <= set(choose_regions(changes["smile"], things))
    assert choose_regions(changes["clothes_hue"], things) == ("clothes",)
