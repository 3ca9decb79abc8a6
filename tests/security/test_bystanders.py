"""What lies beside the weights in a checkpoint is inert: any class, and none of it is imported."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import pathlib
import pickle
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from latentfu import BadInputError, OpaqueObject, read_foreign


class Mode(enum.Enum):
    TRAIN = 1


class Settings(dict[str, Any]):
    """As easydict, munch and many others."""


@dataclasses.dataclass
class Options:
    weights: pathlib.Path
    mode: Mode = Mode.TRAIN


Pair = collections.namedtuple("Pair", ["first", "second"])
CIRCLE: dict[str, Any] = {}
CIRCLE["itself"] = CIRCLE
TAGGED = torch.nn.Parameter(torch.arange(4.0))
TAGGED.note = "an attribute of its own"  # type: ignore[attr-defined]
BYSTANDERS = {
    "paths": pathlib.PurePosixPath("a/b.pt"),
    "windows paths": pathlib.PureWindowsPath("c:/b.pt"),
    "dates": datetime.datetime(2024, 1, 2, tzinfo=datetime.UTC),
    "enums": Mode.TRAIN,
    "defaultdicts": collections.defaultdict(list, a=[1]),
    "counters and deques": [collections.Counter("aab"), collections.deque([1, 2], 5)],
    "types of torch": [torch.float16, torch.strided, torch.device("cpu"), torch.Size([2])],
    "dataclasses": Options(pathlib.Path("x")),
    "namespaces": argparse.Namespace(steps=3, out=pathlib.Path("y")),
    "dicts of a class": Settings(rate=0.1),
    "named tuples": Pair(1, torch.ones(2)),
    "numpy's others": [np.dtype("f4"), np.str_("x"), np.datetime64("2024"), np.float32(1), np.sum],
    "numpy of text": np.array(["a", "bc"]),
    "generators of numbers": [np.random.default_rng(1), torch.Generator().get_state()],
    "ids and decimals": [uuid.UUID(int=1), decimal.Decimal("1.5"), 1j, range(3), slice(1)],
    "tensors of complex numbers": torch.ones(2, dtype=torch.complex64),
    "sparse tensors": torch.eye(3).to_sparse(),
    "classes and functions": [Settings, dataclasses.asdict, int],
    "circles": CIRCLE,
    "sets": [{1, 2}, frozenset("ab")],
}


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("value", BYSTANDERS.values(), ids=BYSTANDERS)
def test_the_weights_are_read_whatever_lies_beside_them(
    value: Any, protocol: int, tmp_path: Path
) -> None:
    weights = torch.arange(6.0).reshape(2, 3)
    torch.save({"opts": value, "w": weights}, tmp_path / "a.pt", pickle_protocol=protocol)
    np.testing.assert_array_equal(read_foreign(tmp_path / "a.pt").member("w"), weights.numpy())


@pytest.mark.parametrize("protocol", [0, 1, 2, 5])
def test_arrays_and_dicts_of_a_class_are_read_in_every_protocol(
    protocol: int, tmp_path: Path
) -> None:
    content = {"w": np.arange(6, dtype="f4").reshape(2, 3), "opts": Settings(rate=0.5)}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content, protocol))
    found = read_foreign(tmp_path / "a.pkl")
    np.testing.assert_array_equal(found.member("w"), content["w"])
    assert found.content["opts"] == {"rate": 0.5}


def test_what_is_kept_of_them_is_a_name_and_what_they_held(tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    options = {"opts": Options(pathlib.PurePosixPath("a/b.pt")), "path": pathlib.Path("/x/y")}
    torch.save(options, file)
    found = read_foreign(file).content
    assert found["path"] == "/x/y"
    assert isinstance(found["opts"], OpaqueObject)
    assert found["opts"].class_name == f"{__name__}.Options"
    assert found["opts"].state["weights"] == "a/b.pt"


def test_tensors_with_attributes_of_their_own_are_their_numbers(tmp_path: Path) -> None:
    torch.save({"w": TAGGED}, tmp_path / "a.pt")
    assert read_foreign(tmp_path / "a.pt").member("w").tolist() == [0, 1, 2, 3]


class Method:
    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (Path("PWNED"),)


class Program:
    def __init__(self, call: object, *words: object) -> None:
        self.call, self.words = call, words

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call, self.words  # type: ignore[return-value]


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "value",
    [Method(), Program(eval, "1"), Program(__import__("shutil").rmtree, "x"), Program(exec, "1")],
)
def test_what_would_run_something_elsewhere_is_refused_by_name(
    value: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"w": torch.ones(2), "opts": value}, tmp_path / "a.pt", pickle_protocol=protocol)
    with pytest.raises(BadInputError, match=r"it names .*, which no network needs"):
        read_foreign(tmp_path / "a.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pt"]


def test_a_module_that_a_file_names_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trainer_of_nobody.py").write_text("open('PWNED', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02ctrainer_of_nobody\nOptions\n)\x81.")
    found = read_foreign(tmp_path / "a.pkl").content
    assert isinstance(found, OpaqueObject) and found.class_name == "trainer_of_nobody.Options"
    assert not (tmp_path / "PWNED").exists()
