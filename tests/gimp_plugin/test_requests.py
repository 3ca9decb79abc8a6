"""What the plug-in sends is what the server's own models take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from latentfu.protocol.requests import (
    JOB_REQUEST,
    LIMITS,
    EditRequest,
    InvertRequest,
    MakeRequest,
    RegionsRequest,
    TransferRequest,
)
from latentfu_gimp import attribute_directions
from latentfu_gimp.arguments import read_regions, split_method, write_regions
from latentfu_gimp.choices import list_areas, list_methods
from latentfu_gimp.client import ServerClient
from latentfu_gimp.errors import PluginError
from latentfu_gimp.finder import connect
from latentfu_gimp.jobs import Work, send_request
from latentfu_gimp.pairs import tell_measured
from latentfu_gimp.sweeps import SweepPlan
from latentfu_gimp.wire import Picture

LAYER = Picture(16, 16, 3, bytes(768))


@pytest.fixture
def client(serve) -> Iterator[ServerClient]:
    serve()
    with connect() as client:
        yield client


@pytest.mark.parametrize(
    ("method", "inverter", "quality"),
    [("", None, None), ("fast", None, "draft"), ("faithful", None, "best"), ("w", "w", None)],
)
def test_a_method_is_a_name_or_a_quality(client, method, inverter, quality) -> None:
    for kind, model in (("edit", EditRequest), ("invert", InvertRequest)):
        sent = JOB_REQUEST.validate_python(
            send_request(client, Work(LAYER, inverter=method), kind), strict=False
        )
        assert isinstance(sent, model) and (sent.inverter, sent.quality) == (inverter, quality)


def test_options_go_with_whatever_finds_a_latent(client) -> None:
    work = Work(LAYER, inverter="w", options={"steps": 3}, source=LAYER, along=("smile",))
    for kind in ("edit", "invert", "mix", "transfer"):
        sent = JOB_REQUEST.validate_python(send_request(client, work, kind), strict=False)
        assert sent.options == {"steps": 3}
    assert "options" not in send_request(client, Work(LAYER), "edit")


@pytest.mark.parametrize(
    ("text", "regions"),
    [("", "auto"), ("whole", "whole"), ("hair", ["hair"]), ("hair, skin", ["hair", "skin"])],
)
def test_regions_go_with_an_edit(client, text: str, regions: object) -> None:
    read = read_regions(text)
    assert read == regions and read_regions(write_regions(read)) == read
    sent = send_request(client, Work(LAYER, extra={"regions": read}), "edit")
    assert JOB_REQUEST.validate_python(sent).regions == regions
    assert "regions" not in send_request(client, Work(LAYER, extra={"regions": read}), "invert")


def test_a_mask_of_regions_is_asked_for_by_name(client) -> None:
    sent = send_request(client, Work(LAYER, extra={"regions": ["hair"]}), "regions")
    asked = JOB_REQUEST.validate_python(sent)
    assert isinstance(asked, RegionsRequest) and asked.regions == ["hair"]


def test_a_transfer_is_asked_for_by_names_and_how_far(client) -> None:
    work = Work(LAYER, source=LAYER, along=("smile", "yaw"), scale=0.5, deep=True,
                extra={"regions": ["hair"], "corners": [[0.0, 0.0]] * 4})  # fmt: skip
    asked = JOB_REQUEST.validate_python(send_request(client, work, work.kind), strict=False)
    assert isinstance(asked, TransferRequest) and asked.along == ["smile", "yaw"]
    assert (asked.scale, asked.regions, asked.as_change) == (0.5, ["hair"], True)
    assert asked.source == asked.layer


def test_a_sweep_goes_there_and_back_without_a_frame_twice_in_a_row() -> None:
    plan = SweepPlan("smile", -1.0, 1.0, 3, 40, back=True).check()
    assert plan.strengths == [-1.0, 0.0, 1.0] and plan.order == [0, 1, 2, 1]
    assert [plan.edits(step) for step in (0, 1)] == [{"smile": -1.0}, {}]
    assert plan.name_layer(2) == "smile +1 (40ms) (replace)"


def test_what_was_measured_of_pairs_is_told_in_sentences() -> None:
    told = {"pairs": 3, "agreement": 0.5, "spread": 0.25, "leakage": {"age": 0.1, "hair": -0.4}}
    assert tell_measured(told).split("\n") == [
        "3 pairs, agreement 0.50: 1 is all alike, 0 is by chance.",
        "Their steps differ in length by 25%.",
        "At strength 1 it moves, in standard deviations: hair -0.40, age +0.10.",
    ]
    alone = tell_measured({"pairs": 1, "agreement": None})
    assert "One pair says nothing" in alone and "could not be measured" in alone


@pytest.mark.parametrize("text", ["auto hair", "Hair", "hair=2", "whole auto", "../hair"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(PluginError):
        read_regions(text)


def test_the_lists_begin_with_what_most_people_want() -> None:
    methods = list_methods([{"name": "w", "title": "Quick"}])
    assert [one["title"].partition(":")[0] for one in methods] == [
        "Balanced", "Fast", "Faithful", "Advanced",
    ]  # fmt: skip
    timed = list_methods([{"name": "w", "title": "Quick"}], {"": 11.6, "w": 0.2})
    assert timed[0]["title"].startswith("Balanced, 12 s: ") and timed[1] == methods[1]
    assert timed[3]["title"] == "Advanced, 1 s: Quick"
    assert [split_method(str(one["name"])) for one in methods][1:3] == [
        ("", "draft"), ("", "best"),
    ]  # fmt: skip
    assert [one["name"] for one in list_areas("hair")] == ["auto", "whole", "hair"]
    assert [one["name"] for one in list_areas("auto")] == ["auto", "whole"]


def test_a_direction_of_an_attribute_is_asked_for_within_the_limits() -> None:
    plain = attribute_directions.AttributeWork("smile").make_document()
    assert JOB_REQUEST.validate_python(plain) == MakeRequest(attribute="smile", interactive=True)
    asked = attribute_directions.AttributeWork(
        "smile", "small", "ridge", {"clean": 2}, 300, 4, "my-grin", "more of a grin"
    )
    sent = JOB_REQUEST.validate_python(asked.make_document())
    assert isinstance(sent, MakeRequest) and sent.options == {"clean": 2} and sent.seed == 4
    fewest, most = attribute_directions.FEWEST_SAMPLES, attribute_directions.MOST_SAMPLES
    assert (fewest, most) == LIMITS["samples"]
    assert LIMITS["seed"][0] <= attribute_directions.LARGEST_SEED <= LIMITS["seed"][1]
    with pytest.raises(PluginError, match="Choose an attribute"):
        attribute_directions.AttributeWork("").check()


def test_the_report_of_a_made_direction_says_what_was_measured_and_no_more() -> None:
    made = {"name": "my-grin", "attribute": "smile", "accuracy": 0.914, "effect": 1.0}
    told = attribute_directions.tell_made(
        {"directions": [{**made, "leakage": {"age": -0.3}, "replaces": True}]}
    )
    assert told.splitlines() == [
        "It tells apart 91% of the samples that it did not learn from.",
        "At strength 1 it moves, in standard deviations: smile +1.00, age -0.30.",
        "You have a direction my-grin already: Keep puts the old one into the folder replaced.",
    ]
    unknown = {"name": "a", "accuracy": None, "effect": None, "leakage": {}, "replaces": False}
    several = attribute_directions.tell_made({"directions": [unknown, {**unknown, "name": "b"}]})
    assert several.splitlines()[0] == "a:" and several.splitlines()[3] == "b:"
    assert "was not measured" in several and "could not be measured" in several
