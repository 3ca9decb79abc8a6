"""The plug-in and a server on another machine: TLS, a fingerprint, a token of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from latentfu.protocol.remote_server import read_known_servers
from latentfu_gimp import finder, jobs, remote, server_state
from latentfu_gimp.client import ServerClient
from latentfu_gimp.errors import PluginError
from latentfu_gimp.wire import Picture

from tests.support.studio import Studio

LAYER = Picture(8, 6, 4, bytes(range(192)))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    opened = Studio(tmp_path_factory.mktemp("studio"))
    yield opened
    assert opened.stop() == 0


@pytest.fixture(scope="module")
def token(studio: Studio) -> str:
    return str(studio.add("ana").token)


@pytest.fixture
def chosen(
    home: Path, studio: Studio, token: str, monkeypatch: pytest.MonkeyPatch
) -> remote.RemoteServer:
    monkeypatch.delenv("LATENTFU_SERVER", raising=False)
    found = remote.parse_url(f"https://localhost:{studio.door_port}")
    fingerprint = remote.find_fingerprint(found)
    assert fingerprint == studio.fingerprint
    server = replace(found, token=token, fingerprint=fingerprint)
    remote.keep_chosen(home / "config", server)
    return server


def test_an_edit_goes_to_the_server_that_was_chosen(
    chosen: remote.RemoteServer, studio: Studio
) -> None:
    said: list[str] = []
    with finder.connect(lambda _part, text: said.append(text)) as client:
        work = jobs.Work(LAYER, None, edits={"brightness": 2.0})
        result = jobs.run_work(client, work, lambda _part, text: said.append(text))
    assert f"The picture goes to {chosen.url}" in said[0]
    assert result.picture.pixels[:3] == bytes([2, 3, 4])
    assert not (finder.config_folder() / "server.json").exists(), "none was started here"
    assert any(row["user"] == "ana" for row in studio.audited)


def test_the_choice_is_the_programs_own(chosen: remote.RemoteServer, home: Path) -> None:
    servers, used = read_known_servers()
    kept = servers[used]
    assert (kept.address.url, kept.token, kept.fingerprint) == (
        chosen.url,
        chosen.token,
        chosen.fingerprint,
    )
    path = home / "config" / "servers.json"
    assert path.stat().st_mode & 0o777 == 0o600
    remote.keep_chosen(home / "config", None)
    assert remote.read_chosen(home / "config") is None
    assert chosen.url in json.loads(path.read_text())["servers"], "it can be chosen again"
    assert [each.name for each in path.parent.iterdir() if "part" in each.name] == []


def test_the_state_says_where_pictures_go_and_names_no_token(chosen: remote.RemoteServer) -> None:
    state = server_state.look()
    assert state.running and state.is_remote and chosen.url in state.sentence
    assert "idle_stop_minutes" not in state.health
    report = server_state.make_report(
        server_state.ServerState(f"{state.sentence} {chosen.token}", health=state.health)
    )
    assert chosen.token not in report and chosen.url in report


def test_it_is_not_for_us_to_stop_it(chosen: remote.RemoteServer, studio: Studio) -> None:
    for end in (finder.stop, finder.restart):
        with pytest.raises(PluginError, match="its administrator stops it"):
            end()
    assert studio.answers()


def test_another_certificate_or_a_revoked_token_is_said(
    chosen: remote.RemoteServer, home: Path, studio: Studio
) -> None:
    remote.keep_chosen(home / "config", replace(chosen, fingerprint="0" * 64))
    with pytest.raises(remote.UntrustedError, match="another certificate than before"):
        finder.connect()
    remote.keep_chosen(home / "config", replace(chosen, fingerprint=""))
    with pytest.raises(remote.UntrustedError, match="nothing was sent"):
        finder.connect()
    ben = studio.add("ben")
    remote.keep_chosen(home / "config", replace(chosen, token=str(ben.token)))
    finder.connect().close()
    studio.revoke("ben")
    with pytest.raises(PluginError, match="does not take your token"):
        finder.connect()
    assert server_state.look().lost


def test_a_server_that_is_gone_is_an_error_and_no_other_takes_its_place(
    chosen: remote.RemoteServer, home: Path
) -> None:
    gone = replace(chosen, port=9)
    remote.keep_chosen(home / "config", gone)
    with pytest.raises(PluginError, match="does not answer"):
        finder.connect()
    assert not (home / "config" / "server.json").exists()
    with pytest.raises(PluginError, match="Nobody answers with https"):
        remote.find_fingerprint(gone)


@pytest.mark.parametrize("content", ["[]", "{", '{"servers": []}', "\0"])
def test_a_damaged_choice_sends_nothing_and_keeps_nothing(home: Path, content: str) -> None:
    (home / "config").mkdir()
    (home / "config" / "servers.json").write_text(content)
    with pytest.raises(PluginError, match="is damaged"):
        finder.find()
    assert server_state.look().lost


def test_addresses() -> None:
    assert remote.parse_url(" https://Studio.lan/latent/ ").url == "https://studio.lan/latent"
    assert remote.parse_url("https://[::1]:7860").url == "https://[::1]:7860"
    for url in ("http://a", "a:1", "", "https://u@a", "https://a/?q", "https://a:x"):
        with pytest.raises(PluginError):
            remote.parse_url(url)
    assert remote.show_digits("0a" * 32).splitlines() == ["0A:0A:0A:0A:0A:0A:0A:0A"] * 4
    assert ServerClient("h", 1, "t", remote=remote.RemoteServer("h", 1)).remote is not None
