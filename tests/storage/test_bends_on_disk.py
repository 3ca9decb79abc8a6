"""Bends and details in the cache: small, the same after a restart, and never believed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import FeatureOffset, Inversion, Latent, Quality, WeightOffset
from latentfu.storage.inversion_cache import InversionStore, serialize_inversion
from latentfu.storage.weight_offsets import pack_shift, round_as_stored, unpack_shift
from safetensors.torch import load, save

from tests.support.small_world import ID, small_generator

GENERATOR = small_generator()
KEY = "c" * 64
LAYER = GENERATOR.layers[1]


def inversion() -> Inversion:
    draw = torch.Generator().manual_seed(0)
    shape = GENERATOR.parameter(LAYER.weight).shape
    thin = torch.randn(shape[0], 2, generator=draw) @ torch.randn(
        2, shape[1:].numel(), generator=draw
    )
    bends = (WeightOffset(LAYER.weight, 0.1 * thin.reshape(shape), 0.5),)
    delta = torch.randn(1, LAYER.channels, LAYER.resolution, LAYER.resolution, generator=draw)
    codes = GENERATOR.mean_latent().codes
    latent = Latent(codes, "w+", ID, bends, (FeatureOffset(1, delta),))
    quality = Quality(30.0, 0.1, "x", 2.0, {"start": 1.0, "tune": 1.0}, 0.75, 0.02)
    return Inversion(latent, quality, "pivotal", 10)


def test_bends_and_details_come_back_as_they_are_shown_at_once(tmp_path: Path) -> None:
    shown = round_as_stored(inversion())
    store = InversionStore(tmp_path)
    store.put(KEY, shown)
    got = store.get(KEY, GENERATOR)
    assert got is not None and got.quality == shown.quality
    with torch.no_grad():
        now, later = GENERATOR.render(shown.latent), GENERATOR.render(got.latent)
        wanted = GENERATOR.render(inversion().latent)
    assert torch.allclose(now, later, atol=1e-5)
    assert torch.allclose(now, wanted, atol=2e-2)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.sampled_from([(24, 16, 3, 3), (32, 40, 1, 1), (8, 8), (12,)]),
       st.floats(1e-3, 10.0))  # fmt: skip
def test_a_shift_of_low_rank_is_kept_in_few_numbers(
    rank: int, shape: tuple[int, ...], size: float
) -> None:
    rest = int(torch.tensor(shape[1:]).prod()) if len(shape) > 1 else 1
    draw = torch.Generator().manual_seed(rank)
    flat = torch.randn(shape[0], rank, generator=draw) @ torch.randn(rank, rest, generator=draw)
    shift = size * flat.reshape(shape)
    parts = pack_shift(shift)
    back = unpack_shift(parts, tuple(shape))
    assert float((back - shift).norm()) <= 2e-3 * float(shift.norm())
    numbers = sum(part.numel() for part in parts.values())
    assert numbers <= shift.numel()
    if shape == (24, 16, 3, 3):
        assert numbers <= rank * (24 + 144)


def changed(**facts: Any) -> bytes:
    tensors = load(serialize_inversion(KEY, round_as_stored(inversion())))
    data = serialize_inversion(KEY, round_as_stored(inversion()))
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    inner = json.loads(header["inversion"]) | facts
    return bytes(save(tensors, {**header, "inversion": json.dumps(inner)}))


def with_tensor(name: str, tensor: torch.Tensor) -> bytes:
    whole = round_as_stored(inversion())
    data = serialize_inversion(KEY, whole)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return bytes(save({**load(data), name: tensor}, header))


POISON = {
    "a parameter that is none": lambda: changed(bends=[["nobody.weight", 1.0]]),
    "more bends than tensors": lambda: changed(bends=[[LAYER.weight, 1.0]] * 2),
    "no list": lambda: changed(bends={"a": 1}),
    "thousands": lambda: changed(bends=[[LAYER.weight, 1.0]] * 5000),
    "a layer that is none": lambda: changed(details=[[99]]),
    "another layer's map": lambda: changed(details=[[0]]),
    "no numbers": lambda: with_tensor("map.0", torch.full((1, LAYER.channels, LAYER.resolution,
                                                           LAYER.resolution), torch.nan)),
    "thin parts that do not fit": lambda: with_tensor("bend.0.left", torch.zeros(3, 5)),
}  # fmt: skip


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_poisoned_bends_are_no_entry(tmp_path: Path, poison: Any) -> None:
    store = InversionStore(tmp_path)
    store.path(KEY).write_bytes(poison())
    assert store.get(KEY, GENERATOR) is None


def test_a_plain_inversion_stays_as_it_is() -> None:
    plain = replace(inversion(), latent=GENERATOR.mean_latent())
    assert round_as_stored(plain) is plain
