"""``latentfu setup``: from one name to a network with its encoder and sliders, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.bundles.catalogue import list_bundles
from latentfu_builtin.checkpoints.downloads.catalogue import list_shipped
from latentfu_builtin.directions.published.catalogue import look_up_file

from tests.support.bundle_world import GRIN, NETWORK, BundleWorld
from tests.support.downloads_server import Reply, serving


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BundleWorld]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LATENTFU_MIRROR", raising=False)
    with serving(NETWORK) as network, serving(GRIN) as grin:
        made = BundleWorld(tmp_path / "home", network, grin)
        made.offer()
        yield made


Said = Callable[[], Any]


def test_one_command_gives_generator_encoder_and_slider(
    world: BundleWorld, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    said = capsys.readouterr()
    assert "tiny is installed, its encoder and the directions grin." in said.out
    assert "CC BY-NC 4.0" in said.err and "MIT" in said.err
    first = "no hash is known: what comes first is trusted, and held to from then on"
    assert f"e4e.pt (size not stated): CC BY-NC 4.0, non-commercial use only; {first}" in said.err
    assert (
        f"grin.npy: MIT; checked by its sha256 {hashlib.sha256(GRIN).hexdigest()[:12]}" in said.err
    )
    assert world.installed("generators") == ["tiny.safetensors"]
    assert world.installed("encoders") == ["tiny-encoder.safetensors"]
    assert world.installed("directions") == ["grin.safetensors"]
    assert world.installed("downloads") == []
    with use_registry(Registry(all_sources())):
        spec = latentfu.generators()["tiny"]
        assert spec.aligner == "faces" and "CC BY-NC" in spec.licence
        assert "grin" in latentfu.controls("tiny")
        assert [one.generator_id for one in latentfu.encoders().values()].count(spec.id) == 1
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "p.png")
    edit = ["edit", str(tmp_path / "p.png"), "-o", str(tmp_path / "o.png"), "--generator", "tiny"]
    square = "0,0,64,0,64,64,0,64"
    assert world.run(*edit, "--corners", square, "--set", "grin=2", "--inverter", "encoder") == 0


def test_the_first_bundle_becomes_the_default_network(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    said = capsys.readouterr().out
    assert "tiny is the default network now" in said
    assert "Try it: latentfu edit PHOTO -o OUT.png --set grin=2\n" in said
    assert latentfu.read_default_generator() == "tiny"
    assert world.run("setup", "remove", "small") == 0
    with use_registry(Registry(all_sources())):
        left = next(name for name in latentfu.generators())
    assert f"tiny was the default network: {left} is used now" in capsys.readouterr().out
    assert latentfu.read_default_generator() == ""


def test_a_network_that_was_chosen_stays_the_default(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("generators", "default", "portraits") == 0
    assert world.run("setup", "small", "--yes") == 0
    said = capsys.readouterr().out
    assert "default network" not in said and "--generator tiny" in said
    assert latentfu.read_default_generator() == "portraits"
    assert world.run("generators", "default", "tiny") == 0
    capsys.readouterr()
    assert world.run("generators", "remove", "tiny", "--yes") == 0
    assert "tiny was the default network: people is used now" in capsys.readouterr().out


def test_a_network_of_ones_own_is_refused_before_terms_are_asked_for(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = world.home / "data" / "generators" / "tiny.safetensors"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assert world.run("setup", "small") == 1
    told = capsys.readouterr().err
    assert "did not come with the bundle small" in told
    assert "Terms" not in told and "agree" not in told
    assert not (world.home / "config" / "agreed.json").exists()


def test_terms_are_agreed_to_once_and_nothing_is_fetched_before(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--json") == 1
    assert "agree with --yes" in capsys.readouterr().out
    assert world.network.asked == []
    assert world.run("setup", "small", "--yes", "--json") == 0
    capsys.readouterr()
    assert world.run("setup", "remove", "small") == 0
    assert world.run("setup", "small", "--json") == 0


def test_what_broke_off_goes_on_and_what_is_there_is_not_fetched_again(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    half = len(NETWORK) // 2
    world.network.replies = [Reply(after=half), *[Reply(status=404)] * 8]
    assert world.run("setup", "small", "--yes") == 1
    assert not world.installed("generators")
    asked = len(world.network.asked)
    world.network.replies = []
    world.grin.replies = [Reply(status=404)] * 9
    assert world.run("setup", "small", "--yes") == 1  # the network is there, its slider is not
    begun = world.network.asked[asked:]
    assert len(begun) == 1 and begun[0][1] == f"bytes={half}-"
    assert world.installed("encoders") and not world.installed("directions")
    world.grin.replies = []
    assert world.run("setup", "small") == 0
    assert len(world.network.asked) == asked + 1
    assert world.installed("directions") == ["grin.safetensors"]
    counts = len(world.network.asked), len(world.grin.asked)
    assert world.run("setup", "small") == 0
    assert (len(world.network.asked), len(world.grin.asked)) == counts


def test_another_file_than_the_pinned_one_is_refused(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.offer(grin_hash="0" * 64)
    assert world.run("setup", "small", "--yes") == 1
    assert "is not grin.npy" in capsys.readouterr().err
    assert not world.installed("directions")


def test_a_file_is_held_to_the_hash_that_it_had_first(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    assert world.run("setup", "remove", "small") == 0
    world.network.content, world.network.etag = NETWORK + b"x", '"two"'
    held = hashlib.sha256(NETWORK).hexdigest()
    capsys.readouterr()
    assert world.run("setup", "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["bundles"]}
    assert rows["small"]["sha256"] == held
    assert rows["small"]["checked"].startswith(f"held to the sha256 {held[:12]} that it had")
    assert rows["faces"]["checked"].startswith("checked by its sha256 2ace1d9a8c05")
    assert rows["cars"]["sha256"] == "" and "no hash is known" in rows["cars"]["checked"]
    assert world.run("setup", "small", "--yes") == 1
    assert "is not e4e.pt: its sha256 begins with" in capsys.readouterr().err
    assert not world.installed("generators")


def test_what_was_no_network_is_not_held_to(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page in place of the file: the next call takes the file."""
    world.network.content, world.network.etag = b"come back later", '"page"'
    assert world.run("setup", "small", "--yes") == 1
    assert not (world.home / "config" / "hashes.json").exists()
    world.network.content, world.network.etag = NETWORK, '"file"'
    assert world.run("setup", "small", "--yes") == 0


def test_what_is_installed_under_another_name_is_refused_before_the_download(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("generators", "download", "small-e4e", "--as", "mine", "--yes") == 0
    asked = len(world.network.asked)
    capsys.readouterr()
    for words in (("setup", "small"), ("generators", "download", "small-e4e", "--as", "again")):
        assert world.run(*words, "--yes") == 1
        told = capsys.readouterr().err
        assert told.startswith("The weights of small-e4e are installed already, as mine: use that")
    assert len(world.network.asked) == asked


def test_a_format_that_nobody_reads_is_refused_before_the_download(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    table = world.home / "data" / "networks.toml"
    table.write_text(table.read_text().replace('"encoder-decoder"', '"diffusion"'))
    for words in (("setup", "small"), ("generators", "download", "small-e4e")):
        assert world.run(*words, "--yes") == 1
        told = capsys.readouterr().err
        assert told.startswith("small-e4e is published in the format diffusion, which no installed")
        assert "Terms" not in told
    assert world.network.asked == []


def test_a_file_that_is_on_the_disk_is_used(world: BundleWorld, tmp_path: Path) -> None:
    world.network_hash = hashlib.sha256(NETWORK).hexdigest()
    world.offer()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "renamed.bin").write_bytes(NETWORK)
    assert world.run("setup", "small", "--yes", "--from", str(tmp_path / "mine")) == 0
    assert world.network.asked == []
    assert (tmp_path / "mine" / "renamed.bin").exists()


def test_remove_takes_what_came_and_leaves_what_was_made(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    mine = world.home / "data" / "directions" / "grin.safetensors"
    made = latentfu.read_direction(mine)
    latentfu.write_direction(mine.with_name("own.safetensors"), made)
    capsys.readouterr()
    assert world.run("setup", "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["bundles"]}
    assert rows["small"]["installed"] and not rows["faces"]["installed"]
    assert world.run("setup", "remove", "small") == 0
    assert "Kept what you have for it: 1 direction" in capsys.readouterr().out
    assert world.installed("directions") == ["own.safetensors"]
    assert not world.installed("generators") and not world.installed("encoders")
    assert world.run("setup", "remove", "small") == 1


def test_a_network_of_ones_own_is_never_taken_for_the_bundles(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    folder = world.home / "data" / "generators"
    (brought,) = folder.glob("*.safetensors")
    content = brought.read_bytes()
    assert world.run("setup", "remove", "small") == 0
    brought.write_bytes(content)  # the person's own, whatever it holds
    capsys.readouterr()
    assert world.run("setup", "small", "--yes") == 1
    assert "did not come with the bundle small" in capsys.readouterr().err
    assert world.run("setup", "remove", "small") == 1
    assert brought.read_bytes() == content


def test_remove_leaves_a_network_that_took_the_name(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    (brought,) = (world.home / "data" / "generators").glob("*.safetensors")
    tensors, notes = latentfu.read_tensors_and_metadata(brought)
    name = next(iter(tensors))
    latentfu.write_tensors(brought, tensors | {name: tensors[name] + 1}, notes)
    capsys.readouterr()
    assert world.run("setup", "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["bundles"]}
    assert not rows["small"]["installed"]
    assert world.run("setup", "remove", "small") == 0
    assert brought.is_file()
    assert not world.installed("encoders") and not world.installed("directions")


def test_what_is_left_when_the_network_is_gone_can_be_removed(world: BundleWorld) -> None:
    assert world.run("setup", "small", "--yes") == 0
    for path in (world.home / "data" / "generators").glob("*.safetensors"):
        path.unlink()
    assert world.installed("encoders") and world.installed("directions")
    assert world.run("setup", "remove", "small") == 0
    assert not world.installed("encoders") and not world.installed("directions")


def test_the_bundles_of_ours_name_networks_and_directions_that_fit_each_other() -> None:
    networks = list_shipped()
    for bundle in list_bundles().values():
        network = networks[bundle.network]
        assert network.address
        for one in bundle.directions:
            known = look_up_file(one.sha256, one.file, None)
            assert known.made_for == network.weights, one.file
            assert known.licence == one.licence


def test_an_encoder_is_removed_by_name_and_comes_back_with_its_bundle(
    world: BundleWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("setup", "small", "--yes") == 0
    capsys.readouterr()
    assert world.run("encoders", "remove", "nobody") == 1
    assert "You have no encoder 'nobody' of your own; there are: tiny-encoder." in (
        capsys.readouterr().err
    )
    assert world.run("encoders", "remove", "tiny-encoder", "--generator", "portraits") == 1
    assert world.installed("encoders") == ["tiny-encoder.safetensors"]
    capsys.readouterr()
    assert world.run("encoders", "remove", "tiny-encoder") == 0
    assert "Removed the encoder tiny-encoder (" in capsys.readouterr().out
    assert world.installed("encoders") == []
    assert world.installed("generators") == ["tiny.safetensors"]
    with use_registry(Registry(all_sources())):
        ours = latentfu.generators()["tiny"].id
        assert ours not in [one.generator_id for one in latentfu.encoders().values()]
    assert world.run("setup", "small") == 0
    assert world.installed("encoders") == ["tiny-encoder.safetensors"]
