"""What the plug-in sends is what the server's own models take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from latentfu.protocol.requests import JOB_REQUEST, EditRequest, InvertRequest, RegionsRequest
from latentfu_gimp.arguments import read_regions, split_method, write_regions
from latentfu_gimp.choices import list_areas, list_methods
from latentfu_gimp.client import ServerClient
from latentfu_gimp.errors import PluginError
from latentfu_gimp.finder import connect
from latentfu_gimp.jobs import Work, send_request
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


@pytest.mark.parametrize("text", ["auto hair", "Hair", "hair=2", "whole auto", "../hair"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(PluginError):
        read_regions(text)


def test_the_lists_begin_with_what_most_people_want() -> None:
    methods = list_methods([{"name": "w", "title": "Quick"}])
    assert [one["title"].partition(":")[0] for one in methods] == [
        "Balanced", "Fast", "Faithful", "Advanced",
    ]  # fmt: skip
    assert [split_method(str(one["name"])) for one in methods][1:3] == [
        ("", "draft"), ("", "best"),
    ]  # fmt: skip
    assert [one["name"] for one in list_areas("hair")] == ["auto", "whole", "hair"]
    assert [one["name"] for one in list_areas("auto")] == ["auto", "whole"]
