"""Direction files: what is written comes back, and nothing broken gets in."""

from __future__ import annotations

import json
import logging
import math
import struct
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu import (
    BadInputError,
    Direction,
    Latent,
    LatentFuError,
    StorageError,
    WrongGeneratorError,
    directions_in,
    read_direction,
    write_direction,
)
from latentfu.storage.direction_control import DirectionEffect
from latentfu.storage.directions import FORMAT

from tests.support.small_world import ID, control, direction, small_generator

HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.safetensors"))
line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]))
finite = st.floats(-1e6, 1e6)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    st.one_of(st.tuples(st.integers(1, 40)), st.tuples(st.integers(1, 18), st.integers(1, 40))),
    st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True), line, line, finite,
    st.none() | st.tuples(st.integers(0, 5), st.integers(5, 30)),
    st.dictionaries(line, finite, max_size=4), st.none() | finite,
)  # fmt: skip
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...], name: str, title: str,
    plus: str, bias: float, layers: tuple[int, int] | None, leakage: dict[str, float],
    effect: float | None,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("d") / "x.safetensors"
    written = Direction(
        np.random.default_rng(0).normal(size=shape), "w+", name, ID,
        title=title, plus=plus, bias=bias, layers=layers, leakage=leakage, effect=effect,
    )  # fmt: skip
    write_direction(path, written)
    read = read_direction(path)
    assert np.array_equal(read.vector, written.vector) and read.facts() == written.facts()


def test_a_folder_lists_only_this_generators_directions_and_reads_them_later(
    tmp_path: Path,
) -> None:
    write_direction(tmp_path / "b.safetensors", direction("smile", 1, layers=(0, 2)))
    write_direction(tmp_path / "a.safetensors", direction("age", 2, minimum=-2.0))
    write_direction(tmp_path / "c.safetensors", direction("other", 3, generator_id="c" * 64))
    found = directions_in(tmp_path, ID)
    assert [item.name for item in found] == ["age", "smile"]
    assert (found[0].minimum, found[1].layers, found[1].positive_means) == (
        -2.0,
        (0, 2),
        "more smile",
    )
    latent = small_generator().mean_latent()
    moved = found[0].load().apply(latent, 2.0, small_generator())
    assert torch.allclose(
        moved.codes - latent.codes, 2 * torch.from_numpy(direction("age", 2).vector)
    )


def test_one_damaged_file_does_not_take_the_others_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_direction(tmp_path / "good.safetensors", direction("good", 1))
    (tmp_path / "bad.safetensors").write_bytes(b"not safetensors")
    with caplog.at_level(logging.WARNING):
        assert [item.name for item in directions_in(tmp_path, ID)] == ["good"]
    assert "bad.safetensors" in caplog.text


def test_a_missing_folder_lists_nothing(tmp_path: Path) -> None:
    assert directions_in(tmp_path / "nowhere", ID) == []


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_hostile_files_are_refused(path: Path) -> None:
    with pytest.raises(LatentFuError) as caught:
        read_direction(path)
    assert path.name in str(caught.value)


def crafted(path: Path, facts: object, tensors: dict[str, Any], data: bytes) -> Path:
    """A file written by hand, as an attacker would."""
    text = facts if isinstance(facts, str) else json.dumps(facts)
    header = {"__metadata__": {"format": FORMAT, "direction": text}, **tensors}
    raw = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + data)
    return path


GOOD = {"space": "w", "name": "x", "generator_id": ID}
VECTOR = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}
ONES = struct.pack("<4f", 1, 1, 1, 1)


def test_a_file_crafted_right_is_read(tmp_path: Path) -> None:
    path = crafted(tmp_path / "x.safetensors", {**GOOD, "news": 1}, {"vector": VECTOR}, ONES)
    assert read_direction(path).vector.tolist() == [1, 1, 1, 1]


BROKEN: list[tuple[str, object, dict[str, Any], bytes]] = [
    ("no JSON", "{", {"vector": VECTOR}, ONES),
    ("deep JSON", "[" * 100_000, {"vector": VECTOR}, ONES),
    ("a list", [1], {"vector": VECTOR}, ONES),
    ("no name", {"space": "w", "generator_id": ID}, {"vector": VECTOR}, ONES),
    ("bad name", {**GOOD, "name": "../x"}, {"vector": VECTOR}, ONES),
    ("bad space", {**GOOD, "space": "q"}, {"vector": VECTOR}, ONES),
    ("bad id", {**GOOD, "generator_id": "abc"}, {"vector": VECTOR}, ONES),
    ("line break", {**GOOD, "plus": "a\r\nb"}, {"vector": VECTOR}, ONES),
    ("text as number", {**GOOD, "minimum": "-3"}, {"vector": VECTOR}, ONES),
    ("no range", {**GOOD, "minimum": 3.0, "maximum": -3.0}, {"vector": VECTOR}, ONES),
    ("NaN", json.dumps({**GOOD, "bias": math.nan}), {"vector": VECTOR}, ONES),
    ("layers", {**GOOD, "layers": [3, 1]}, {"vector": VECTOR}, ONES),
    ("leakage", {**GOOD, "leakage": {"a": "b"}}, {"vector": VECTOR}, ONES),
    ("no vector", GOOD, {"other": VECTOR}, ONES),
    ("more tensors", GOOD, {"vector": VECTOR, "b": {**VECTOR, "data_offsets": [16, 32]}}, ONES * 2),
    ("integers", GOOD, {"vector": {**VECTOR, "dtype": "I32"}}, ONES),
    ("3 axes", GOOD, {"vector": {**VECTOR, "shape": [1, 2, 2]}}, ONES),
    ("no numbers", GOOD, {"vector": VECTOR}, struct.pack("<4f", 1, math.nan, 1, 1)),
    ("zero", GOOD, {"vector": VECTOR}, bytes(16)),
    ("lying shape", GOOD, {"vector": {**VECTOR, "shape": [1 << 40]}}, ONES),
    ("lying offsets", GOOD, {"vector": {**VECTOR, "data_offsets": [0, 1 << 40]}}, ONES),
    ("cut short", GOOD, {"vector": VECTOR}, ONES[:9]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "tensors", "data"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_file_that_breaks_a_rule_is_refused_in_one_sentence(
    tmp_path: Path, facts: object, tensors: dict[str, Any], data: bytes
) -> None:
    path = crafted(tmp_path / "mine.safetensors", facts, tensors, data)
    with pytest.raises(BadInputError) as caught:
        read_direction(path)
    assert "mine.safetensors" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        read_direction(tmp_path / "nowhere.safetensors")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = write_direction(tmp_path / "x.safetensors", direction("x", 1))
    with pytest.raises(BadInputError):
        write_direction(path, replace(direction("x", 2), bias=math.inf))
    assert read_direction(path).facts() == direction("x", 1).facts()
    assert list(tmp_path.iterdir()) == [path]


def test_another_generators_direction_is_refused_by_name() -> None:
    foreign = direction("smile", 1, generator_id="d" * 64, generator="celebrities")
    with pytest.raises(WrongGeneratorError, match="smile was made for celebrities"):
        control(foreign).load().move(small_generator().mean_latent(), 1.0, small_generator())


def test_a_direction_moves_only_its_layers() -> None:
    mover = DirectionEffect(direction("x", 1, layers=(1, 2)))
    latent = small_generator().mean_latent()
    step = mover.apply(latent, 3.0, small_generator()).codes - latent.codes
    assert step[0].abs().sum(dim=1).ne(0).tolist() == [False, True, True, False, False, False]


@pytest.mark.parametrize("size", [(15,), (5, 16), (6, 15)])
def test_a_vector_of_another_size_is_refused(size: tuple[int, ...]) -> None:
    item = Direction(np.ones(size), "w+", "x", ID)
    with pytest.raises(BadInputError, match="the latent is"):
        DirectionEffect(item).move(small_generator().mean_latent(), 1.0, small_generator())


def test_a_w_direction_moves_a_w_latent_and_not_z() -> None:
    generator = small_generator()
    w = Latent(torch.zeros(2, 16), "w", ID)
    item = direction("x", 1)
    moved = DirectionEffect(item).move(w, -1.0, generator)
    assert np.array_equal(moved.codes.numpy(), -np.stack([item.vector] * 2))
    with pytest.raises(BadInputError):
        DirectionEffect(item).move(Latent(torch.zeros(1, 16), "z", ID), 1.0, generator)


def test_the_format_document_names_every_field() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "direction-format.md").read_text()
    assert FORMAT in text
    for item in fields(Direction):
        assert f"`{item.name}`" in text, item.name
