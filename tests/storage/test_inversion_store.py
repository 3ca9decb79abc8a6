"""The cache of inversions: content-addressed, whole or not there, never trusted."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu import Crop, Inversion, Latent, Quad, Quality
from latentfu.storage.inversion_cache import (
    FORMAT,
    InversionStore,
    inversion_key,
    serialize_inversion,
)

from tests.support.small_world import ID, small_generator

GENERATOR = small_generator()
CROP = Crop(np.zeros((3, 16, 16), np.float32), Quad.square(0, 0, 16), "center")
OPTIONS = {"steps": 5}
KEY = inversion_key(CROP, ID, "w-plus", OPTIONS)


def inversion(value: float = 0.5, **detail: torch.Tensor) -> Inversion:
    codes = torch.full((1, 6, 16), value)
    return Inversion(Latent(codes, "w+", ID), Quality(21.5, 0.25, "x", 1.5), "w-plus", 7, detail)


def test_what_is_put_is_got(tmp_path: Path) -> None:
    store = InversionStore(tmp_path)
    store.put(KEY, inversion(noise=torch.arange(4.0)))
    got = store.get(KEY, GENERATOR)
    assert got is not None
    assert torch.equal(got.latent.codes, torch.full((1, 6, 16), 0.5))
    assert (got.quality, got.method, got.steps) == (Quality(21.5, 0.25, "x", 1.5), "w-plus", 7)
    assert torch.equal(got.detail["noise"], torch.arange(4.0))
    assert store.path(KEY).stat().st_mode & 0o777 == 0o600


def test_the_key_depends_on_everything_that_matters() -> None:
    other = CROP.image.copy()
    other[0, 0, 0] = 1e-3
    keys = {
        KEY,
        inversion_key(Crop(other, CROP.quad, "center"), ID, "w-plus", OPTIONS),
        inversion_key(Crop(CROP.image, Quad.square(1, 0, 16), "center"), ID, "w-plus", OPTIONS),
        inversion_key(CROP, "b" * 64, "w-plus", OPTIONS),
        inversion_key(CROP, ID, "encoder", OPTIONS),
        inversion_key(CROP, ID, "w-plus", {"steps": 6}),
    }
    assert len(keys) == 6
    assert inversion_key(CROP, ID, "w-plus", dict(OPTIONS)) == KEY


def crafted(facts: dict[str, object], shape: list[int], data: bytes) -> bytes:
    metadata = {"format": FORMAT, "inversion": json.dumps(facts)}
    codes = {"dtype": "F32", "shape": shape, "data_offsets": [0, len(data)]}
    raw = json.dumps({"__metadata__": metadata, "codes": codes}).encode()
    return struct.pack("<Q", len(raw)) + raw + data


FACTS: dict[str, object] = {
    "key": KEY, "space": "w+", "generator_id": ID, "method": "w-plus", "steps": 1,
    "quality": [1.0, 1.0, "x", 1.0],
}  # fmt: skip
ZEROS = bytes(4 * 96)
POISON: dict[str, bytes] = {
    "a pickle": pickle.dumps({"codes": 1}),
    "nothing": b"",
    "cut short": serialize_inversion(KEY, inversion())[:-5],
    "another picture's": serialize_inversion("f" * 64, inversion()),
    "another generator's": crafted({**FACTS, "generator_id": "b" * 64}, [1, 6, 16], ZEROS),
    "a space that is none": crafted({**FACTS, "space": "q"}, [1, 6, 16], ZEROS),
    "another shape": crafted(FACTS, [1, 96], ZEROS),
    "no numbers": crafted(FACTS, [1, 6, 16], struct.pack("<f", float("nan")) * 96),
    "lying": crafted(FACTS, [1 << 40], ZEROS),
    "no quality": crafted({**FACTS, "quality": []}, [1, 6, 16], ZEROS),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_a_poisoned_entry_is_ignored_and_replaced(tmp_path: Path, poison: bytes) -> None:
    store = InversionStore(tmp_path)
    store.path(KEY).write_bytes(poison)
    assert store.get(KEY, GENERATOR) is None
    store.put(KEY, inversion(0.25))
    got = store.get(KEY, GENERATOR)
    assert got is not None and float(got.latent.codes[0, 0, 0]) == 0.25


def test_a_crafted_entry_that_keeps_the_rules_is_read(tmp_path: Path) -> None:
    store = InversionStore(tmp_path)
    store.path(KEY).write_bytes(crafted(FACTS, [1, 6, 16], ZEROS))
    assert store.get(KEY, GENERATOR) is not None


def test_the_folder_keeps_its_limit_and_the_newest(tmp_path: Path) -> None:
    size = len(serialize_inversion(KEY, inversion()))
    store = InversionStore(tmp_path, limit=3 * size)
    keys = [f"{k:064x}" for k in range(5)]
    for age, key in enumerate(keys):
        store.put(key, inversion())
        os.utime(store.path(key), ns=(age * 10**9, age * 10**9))
    store.shrink()
    assert [key for key in keys if store.get(key, GENERATOR)] == keys[2:]


def test_a_disk_that_can_not_be_written_loses_no_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = InversionStore(tmp_path / "file" / "folder")
    store.put(KEY, inversion())
    assert store.get(KEY, GENERATOR) is None
