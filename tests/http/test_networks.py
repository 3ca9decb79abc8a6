"""Networks over HTTP: listed, installed by jobs that pause and go on, removed."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundle_world import GRIN, NETWORK, BundleWorld
from tests.support.downloads_server import Reply, serving
from tests.support.serving import Server, pixel_body, wait_until


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BundleWorld]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LATENTFU_MIRROR", raising=False)
    with serving(NETWORK) as network, serving(GRIN) as grin:
        made = BundleWorld(tmp_path / "home", network, grin)
        made.offer()
        yield made


@pytest.fixture
def served(world: BundleWorld, start: Callable[..., Server]) -> Server:
    """The stand-in editor beside the real installer."""
    return start(home=world.home, limits={"cancel_s": 1.0})


def rows(server: Server) -> dict[str, Any]:
    status, answer = server.get("/v1/networks")
    assert status == 200, answer
    return {row["name"]: row for row in answer["networks"]}


def put_install(server: Server, name: str = "small", **fields: Any) -> tuple[str, int, Any]:
    job = str(uuid.uuid4())
    body = {"kind": "install", "network": name, **fields}
    return job, *server.put(f"/v1/jobs/{job}", body)


def install(server: Server, name: str = "small") -> str:
    job, status, answer = put_install(server, name, agreed=True)
    assert status == 201, answer
    return job


def finish(server: Server, job: str) -> Any:
    """The job at its end; an import may take a while beside other tests."""
    wait_until(lambda: server.job(job)["state"] in ("done", "failed", "cancelled"), 120.0)
    return server.job(job)


def test_what_is_there_and_what_can_be_had(served: Server, world: BundleWorld) -> None:
    found = rows(served)
    assert next(iter(found)) == "portraits"
    built_in = found["portraits"]
    assert built_in["kind"] == "built-in" and built_in["is_installed"] and built_in["is_default"]
    assert not built_in["is_removable"]
    small = found["small"]
    assert small["kind"] == "bundle" and not small["is_installed"] and not small["is_default"]
    assert small["generator"] == "tiny" and small["resolution"] == 64
    assert small["brings"] == ["encoder", "direction grin"]
    assert small["title"] == "Small faces" and small["job"] is None and small["kept_bytes"] == 0
    assert small["terms"][0] == {
        "covers": "e4e.pt",
        "licence": "CC BY-NC 4.0",
        "non_commercial": True,
        "page": "https://example.org/terms",
    }
    assert small["terms"][1]["licence"] == "MIT" and not small["is_agreed"]
    faces = found["faces"]
    assert faces["size"] > 1e9 and "direction smile" in faces["brings"]
    assert found["stylegan2-ffhq-1024"]["kind"] == "network"
    own = world.home / "data" / "bundles.toml"
    own.write_text(own.read_text().replace("Small faces", "Other faces"))
    assert rows(served)["small"]["title"] == "Other faces"
    document = served.get("/v1/openapi.json")[1]
    assert {"get"} == set(document["paths"]["/v1/networks"])
    assert "NetworkReply" in document["components"]["schemas"]


def test_nothing_is_fetched_before_somebody_agrees(served: Server, world: BundleWorld) -> None:
    for fields in ({}, {"agreed": False}):
        _, status, answer = put_install(served, **fields)
        assert status == 400
        told = answer["error"]["message"]
        assert "The terms of small are new" in told
        assert "CC BY-NC 4.0, non-commercial use only" in told and "MIT" in told
    assert put_install(served, agreed="yes")[1] == 400
    assert put_install(served, "nobody", agreed=True)[1] == 404
    assert put_install(served, "portraits", agreed=True)[1] == 404
    assert world.network.asked == [] and world.grin.asked == []
    assert served.get("/v1/jobs")[1]["jobs"] == []
    assert not (world.home / "config" / "agreed.json").exists()


def test_what_is_not_here_yet_says_how_it_will_be_checked(served: Server) -> None:
    listed = rows(served)
    assert listed["small"]["file_check"] == "none"
    assert listed["portraits"]["file_check"] is None  # nothing of it is fetched


def test_a_network_comes_with_its_parts_and_goes_again(served: Server, world: BundleWorld) -> None:
    done = finish(served, install(served))
    assert done["state"] == "done", done
    assert done["kind"] == "install" and done["fraction"] == 1.0
    assert done["report"]["generator"] == "tiny"
    assert "tiny is installed, its encoder and the directions grin." in done["report"]["message"]
    assert "tiny is the default network now." in done["report"]["message"]
    assert world.installed("encoders") == ["tiny-encoder.safetensors"]
    assert world.installed("directions") == ["grin.safetensors"]
    assert world.installed("downloads") == []
    small = rows(served)["small"]
    assert small["is_installed"] and small["is_default"] and small["is_removable"]
    assert small["is_agreed"] and small["installed_bytes"] > 10_000
    assert small["file_check"] == "held"  # to what came first, as nobody states a hash
    assert next(iter(rows(served))) == "small" and "tiny" not in rows(served)
    job, status, answer = put_install(served)  # agreed to before, and there already
    assert status == 201 and finish(served, job)["state"] == "done"
    status, answer = served.request("DELETE", "/v1/networks/small")
    assert status == 200, answer
    assert "Removed small" in answer["message"]
    assert "tiny was the default network: portraits is used now" in answer["message"]
    assert world.installed("generators") == world.installed("encoders") == []
    assert served.request("DELETE", "/v1/networks/nobody")[0] == 404
    status, answer = served.request("DELETE", "/v1/networks/portraits")
    assert status == 400 and "belongs to a plug-in" in answer["error"]["message"]


@pytest.mark.parametrize("stalled", [False, True])
def test_it_pauses_says_its_bytes_and_goes_on(
    served: Server, world: BundleWorld, stalled: bool
) -> None:
    half = len(NETWORK) // 2
    slow = Reply(after=half, stall=60.0) if stalled else Reply(drip=5000)
    world.network.replies = [slow]
    job = install(served)
    wait_until(lambda: served.job(job)["bytes_done"])
    running = served.job(job)
    assert running["state"] == "running" and running["bytes_total"] == len(NETWORK)
    assert rows(served)["small"]["job"] == job
    # an edit does not wait for it, and a second job for the same is refused
    edit = served.put_job(served.put_layer(pixel_body()), edits={"brightness": 1})
    assert finish(served, edit)["state"] == "done"
    assert put_install(served, agreed=True)[1] == 409
    assert served.request("DELETE", "/v1/networks/small")[0] == 409
    assert served.request("DELETE", f"/v1/jobs/{job}")[1]["state"] == "cancelled"
    wait_until(lambda: rows(served)["small"]["job"] is None)
    kept = rows(served)["small"]["kept_bytes"]
    assert kept >= (half if stalled else 1)
    assert not world.installed("generators")
    again = install(served)
    done = finish(served, again)
    assert done["state"] == "done", done
    begun = world.network.asked[-1][1]
    assert begun.startswith("bytes=") and int(begun[6:-1]) >= kept
    assert world.installed("generators") == ["tiny.safetensors"]


def test_what_came_of_a_paused_download_can_be_thrown_away(
    served: Server, world: BundleWorld
) -> None:
    world.network.replies = [Reply(after=len(NETWORK) // 2, stall=60.0)]
    job = install(served)
    wait_until(lambda: rows(served)["small"]["kept_bytes"])
    served.request("DELETE", f"/v1/jobs/{job}")
    wait_until(lambda: served.request("DELETE", "/v1/networks/small")[0] == 200)
    wait_until(lambda: world.installed("downloads") == [])
    assert rows(served)["small"]["kept_bytes"] == 0


def test_a_killed_server_goes_on_with_the_installation(served: Server, world: BundleWorld) -> None:
    half = len(NETWORK) // 2
    world.network.replies = [Reply(after=half, stall=60.0)]
    job = install(served)
    wait_until(lambda: rows(served)["small"]["kept_bytes"] == half)
    served.kill()
    served.start()
    assert finish(served, job)["state"] == "done"
    assert world.network.asked[-1][1] == f"bytes={half}-"


def test_a_file_that_is_another_is_one_sentence(served: Server, world: BundleWorld) -> None:
    world.offer(grin_hash="0" * 64)
    failed = finish(served, install(served))
    assert failed["state"] == "failed"
    assert "is not grin.npy" in failed["error"]["message"]
    small = rows(served)["small"]
    assert not small["is_installed"] and small["installed_bytes"] > 0
    mine = world.home / "data" / "generators" / "tiny.safetensors"
    assert mine.is_file()
    assert served.request("DELETE", "/v1/networks/small")[0] == 200
    assert not mine.exists()


def test_an_imported_network_is_listed_and_removed(
    served: Server, world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path(__file__).parents[1] / "reference" / "checkpoints" / "rosinality-pt" / "cm1"
    assert world.run("generators", "import", str(next(file.glob("*.pt"))), "--name", "mine") == 0
    mine = rows(served)["mine"]
    assert mine["kind"] == "own" and mine["is_removable"] and mine["installed_bytes"] > 1000
    assert served.request("DELETE", "/v1/networks/mine")[1]["message"] == "Removed mine."
    assert "mine" not in rows(served) and not world.installed("generators")


def test_without_the_token_nothing_is_told_or_done(served: Server, world: BundleWorld) -> None:
    bare = {"Authorization": None}
    job = f"/v1/jobs/{uuid.uuid4()}"
    body = {"kind": "install", "network": "small", "agreed": True}
    assert served.get("/v1/networks", headers=bare)[0] == 401
    assert served.put(job, body, headers=bare)[0] == 401
    assert served.request("DELETE", "/v1/networks/small", headers=bare)[0] == 401
    assert served.put("/v1/plugins/small", {"enabled": False}, headers=bare)[0] == 401
    foreign = {"Origin": "http://example.org"}
    assert served.put(job, body, headers=foreign)[0] == 403
    big = json.dumps({**body, "network": "x" * 100_000}).encode()
    assert served.put(job, big, headers={"Content-Type": "application/json"})[0] == 413
    assert world.network.asked == []


def test_the_installer_ends_when_nobody_needs_it(
    world: BundleWorld, start: Callable[..., Server]
) -> None:
    server = start(home=world.home, limits={"installer_idle_s": 0.5})
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    alone = len(children.read_text().split())
    rows(server)
    assert len(children.read_text().split()) == alone + 1
    wait_until(lambda: len(children.read_text().split()) == alone)
    assert rows(server)["small"]


def test_plugins_are_switched_off_and_on(isolated_home: Path, start: Callable[..., Server]) -> None:
    from tests.support import small_house

    small_house.build(isolated_home)
    server = start(home=isolated_home, real=True)

    def state() -> str:
        found = server.get("/v1/plugins")[1]["plugins"]
        return str(next(one["state"] for one in found if one["name"] == "small_house"))

    assert state() == "ok"
    off = server.put("/v1/plugins/small_house", {"enabled": False})
    assert off == (200, {"name": "small_house", "is_enabled": False})
    assert state() == "disabled"
    wait_until(lambda: "tiny" not in str(server.get("/v1/generators")[1]))
    assert server.put("/v1/plugins/small_house", {"enabled": True})[0] == 200
    assert state() == "ok"
    wait_until(lambda: "tiny" in str(server.get("/v1/generators")[1]))
    assert server.put("/v1/plugins/nobody", {"enabled": True})[0] == 404
    assert server.put("/v1/plugins/small_house", {})[0] == 400
