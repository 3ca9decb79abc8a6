"""Networks beyond the memory they may hold are unloaded, and loaded again when they are used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from latentfu import Generator, GeneratorSpec, OutOfMemoryError, hookimpl
from latentfu.pipeline.generator_pool import GeneratorPool
from latentfu.pipeline.network_memory import (
    MEMORY_GB,
    UNLOAD_MINUTES,
    measure_network,
    read_memory_limit,
    read_unload_seconds,
)
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from latentfu.storage.settings import write_setting
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

NAMES = ("first", "second", "third")
ID_OF = {name: str(place) * 64 for place, name in enumerate(NAMES)}
CONFIG = StyleGAN2Config(resolution=8, z_dim=8, w_dim=16, mapping_layers=2, channels=(16, 8))


class Shelf:
    """Networks of one size by name; counts how often each was loaded."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.room_for: int | None = None
        self.pool = GeneratorPool("cpu")

    def load(self, name: str) -> Generator:
        if self.room_for is not None and len(self.pool._open) >= self.room_for:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")
        self.loads.append(name)
        network = StyleGAN2(CONFIG).eval().requires_grad_(False)
        return StyleGAN2Generator(network, name, ID_OF[name], "test")

    def specs(self) -> list[GeneratorSpec]:
        return [
            GeneratorSpec(
                name, name, "test", 8, ID_OF[name], lambda device, name=name: self.load(name)
            )
            for name in NAMES
        ]

    def open(self, *names: str) -> None:
        for name in names:
            assert self.pool.open(self.pool.find_spec(name)).name == name


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    shelf = Shelf()

    @hookimpl
    def latentfu_generators() -> list[GeneratorSpec]:
        return shelf.specs()

    plugin = SimpleNamespace(latentfu_generators=latentfu_generators, __name__="shelf")
    with use_registry(Registry([Source("shelf", "tests", "", lambda: plugin)])):
        yield shelf


def size_of_one() -> int:
    network = StyleGAN2(CONFIG)
    return sum(t.nbytes for t in [*network.parameters(), *network.buffers()])


def test_a_network_is_as_large_as_its_tensors() -> None:
    generator = StyleGAN2Generator(StyleGAN2(CONFIG), "a", "a" * 64, "test")
    assert measure_network(generator) == size_of_one()


def test_what_fits_is_loaded_once(shelf: Shelf) -> None:
    shelf.open("first", "second", "third", "first", "second")
    assert shelf.loads == ["first", "second", "third"]


def test_the_one_used_least_recently_goes(shelf: Shelf) -> None:
    write_setting(MEMORY_GB, 2.5 * size_of_one() / 1e9)
    shelf.open("first", "second", "first", "third")
    shelf.open("first", "third")  # both are there
    assert shelf.loads == ["first", "second", "third"]
    shelf.open("second")
    assert shelf.loads[3:] == ["second"]


def test_one_that_is_larger_than_the_limit_works(shelf: Shelf) -> None:
    write_setting(MEMORY_GB, 0.5 * size_of_one() / 1e9)
    shelf.open("first", "first", "second")
    assert shelf.loads == ["first", "second"]
    assert len(shelf.pool._open) == 1


def test_adopted_networks_stay(shelf: Shelf) -> None:
    write_setting(MEMORY_GB, 0.5 * size_of_one() / 1e9)
    network = StyleGAN2(CONFIG).eval()
    name = shelf.pool.adopt(StyleGAN2Generator(network, "guest", "9" * 64, "test"))
    shelf.open("first", "second")
    spec = shelf.pool.find_spec(name)
    assert shelf.pool.open(spec).name == "guest"


def test_a_full_machine_unloads_the_others(shelf: Shelf) -> None:
    shelf.room_for = 2
    shelf.open("first", "second", "third")
    assert shelf.loads == ["first", "second", "third"]
    assert len(shelf.pool._open) == 1


def test_a_network_too_large_for_the_machine_is_said(shelf: Shelf) -> None:
    shelf.room_for = 0
    with pytest.raises(OutOfMemoryError, match="too little memory"):
        shelf.open("first")


def test_without_a_choice_it_is_a_quarter_of_the_machine(shelf: Shelf) -> None:
    limit = read_memory_limit("cpu")
    assert 64 << 20 < limit < 1 << 42
    write_setting(MEMORY_GB, 2)
    assert read_memory_limit("cpu") == 2_000_000_000


def test_when_unused_networks_go(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_unload_seconds() == 900
    write_setting(UNLOAD_MINUTES, 0)
    assert read_unload_seconds() is None
    monkeypatch.setenv("LATENTFU_NETWORKS_UNLOAD_MINUTES", "2")
    assert read_unload_seconds() == 120
