"""What the plug-in says of networks and of a poor fit, from what the server's models give."""

from __future__ import annotations

from typing import Any

import pytest
from latentfu.protocol.network_replies import NetworkReply, TermsReply
from latentfu.protocol.replies import JobReply
from latentfu_gimp import networks_state
from latentfu_gimp.errors import PluginError
from latentfu_gimp.jobs import tell_fit
from latentfu_gimp.networks_state import NetworksState

TERMS = TermsReply(covers="f.pkl", licence="NVIDIA", non_commercial=True, page="https://e.org")


def network(**fields: Any) -> dict[str, Any]:
    facts = {
        "name": "faces", "title": "Photographs of faces", "kind": "bundle", "generator": "ffhq",
        "domain": "faces", "resolution": 1024, "brings": ("encoder", "direction smile"),
        "size": 1_201_600_000, "terms": (TERMS,), "is_agreed": False, "is_installed": False,
        "is_default": False, "is_removable": False, "installed_bytes": 0, "kept_bytes": 0,
    }  # fmt: skip
    return NetworkReply.model_validate({**facts, **fields}).model_dump(mode="json")


def job(**fields: Any) -> dict[str, Any]:
    facts = {
        "id": "11111111-1111-1111-1111-111111111111", "kind": "install", "state": "running",
        "fraction": 0.2, "message": "240 of 1202 MB", "error": None, "report": None,
        "attempts": 1, "created": 0.0,
    }  # fmt: skip
    return JobReply.model_validate({**facts, **fields}).model_dump(mode="json")


def test_a_network_is_described_in_one_line() -> None:
    line = networks_state.describe_network(network())
    assert line == "ffhq · 1024 px · 1.2 GB · NVIDIA, no commercial use"
    begun = networks_state.describe_network(network(kept_bytes=300_000_000))
    assert "300 MB of 1.2 GB are here" in begun
    assert "size not stated" in networks_state.describe_network(network(size=None))
    unknown = networks_state.describe_network(network(size=None, kept_bytes=2_000_000))
    assert "· 2 MB are here ·" in unknown
    here = networks_state.describe_network(network(is_installed=True, installed_bytes=2_000_000))
    assert "2 MB" in here
    assert networks_state.list_terms(network()) == [
        ("f.pkl: NVIDIA, no commercial use", "https://e.org")
    ]
    assert "encoder, direction smile" in networks_state.describe_contents(network())


def test_it_says_how_what_is_fetched_is_checked() -> None:
    says = networks_state.say_check
    assert says(network()) == ""
    assert "known hashes" in says(network(file_check="stated"))
    assert "came first" in says(network(file_check="held"))
    assert "No hash is known" in says(network(file_check="none"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"bytes_done": 240_300_000, "bytes_total": 1_201_600_000}, "240 of 1202 MB"),
        ({"bytes_done": 5_000_000}, "5 MB"),
        ({"message": "Trying the network"}, "Trying the network"),
        ({"state": "queued"}, "waits for another installation"),
        ({"message": ""}, "begins"),
    ],
)
def test_how_far_an_installation_is(fields: dict[str, Any], said: str) -> None:
    assert networks_state.describe_progress(job(**fields)) == said


def test_what_is_here_and_what_can_be_had() -> None:
    here = network(name="a", is_installed=True, is_default=True)
    state = NetworksState([here, network(name="b"), network(name="c", kind="network")])
    assert [one["name"] for one in state.installed] == ["a"]
    assert [one["name"] for one in state.offered("bundle")] == ["b"]
    assert [one["name"] for one in state.offered("network")] == ["c"]
    lines = networks_state.describe_all(state).splitlines()
    assert len(lines) == 3 and lines[0].endswith("installed · default")
    with pytest.raises(PluginError, match="There is no network x; there are: a, b, c"):
        state.find("x")


def test_a_plugin_says_why_it_is_set_aside() -> None:
    plugin = {"name": "p", "origin": "file p.py", "state": "quarantined", "reason": "raised x",
              "version": None, "left_out": []}  # fmt: skip
    assert networks_state.describe_plugin(plugin) == "set aside: raised x"
    well = {**plugin, "state": "ok", "reason": None, "version": "1.2"}
    assert networks_state.describe_plugin(well) == "file p.py · 1.2"


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        ("install", "Filters > Latent-Fu > Networks"),
        ("network", "Try the network ffhq"),
        ("method", "the method Faithful"),
    ],
)
def test_advice_is_in_words_of_gimp(remedy: str, words: str) -> None:
    report = {"warning": "Outside.", "advice": "Run `latentfu generators download`.",
              "remedy": remedy, "remedy_network": "ffhq"}  # fmt: skip
    told = tell_fit(report)
    assert told.startswith("Outside.") and words in told and "latentfu generators" not in told
    assert "generators download" in tell_fit({**report, "remedy": ""}), "of an older server"
