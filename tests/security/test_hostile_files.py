"""Files made to run something, or to take all memory, are refused in one sentence."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest
import torch
from latentfu import BadInputError, CancelledError, read_foreign, read_torch
from latentfu.cli.main import run

FOLDER = Path(__file__).parent / "hostile"
FILES = [entry["file"] for entry in json.loads((FOLDER / "MANIFEST.json").read_text())["files"]]
READ_BUT_EMPTY = "persistence_module_src.pkl"
"""Source text in it is dropped unread, and an empty network remains."""


@pytest.fixture
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def test_every_file_is_known() -> None:
    there = {path.name for path in FOLDER.iterdir()} - {"MANIFEST.json", "README.md"}
    assert there == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused_and_nothing_happens(
    name: str, empty_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["generators", "import", str(FOLDER / name), "--name", "evil"]) == 1
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1 and said.endswith(".")
    assert "Traceback" not in said
    assert list(empty_place.iterdir()) == []
    assert not list((empty_place.parent / "home").rglob("*.safetensors"))
    assert not list((empty_place.parent / "home").rglob("*.trial"))


@pytest.mark.parametrize("name", [n for n in FILES if not n.endswith(".safetensors")])
def test_the_importer_itself_refuses_it(name: str, empty_place: Path) -> None:
    if name == READ_BUT_EMPTY:
        (network,) = read_foreign(FOLDER / name).content.values()
        assert network.state["_modules"] == {} and "module_src" not in network.state
    else:
        with pytest.raises(BadInputError, match=r"was not read: .*[.]$"):
            read_foreign(FOLDER / name)
    assert list(empty_place.iterdir()) == []


IMPORTS = {
    "deformation": ["deformations", "import", "FILE", "--generator", "portraits", "--name", "evil"],
    "encoder": ["encoders", "import", "FILE", "--generator", "portraits", "--name", "evil"],
    "direction": ["directions", "import", "FILE", "--generator", "portraits", "--name", "evil"],
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", IMPORTS)
def test_no_other_import_takes_it_either(
    kind: str, name: str, empty_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(FOLDER / name) if word == "FILE" else word for word in IMPORTS[kind]]
    assert run(words) == 1
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1 and said.endswith(".") and "Traceback" not in said
    assert list(empty_place.iterdir()) == []
    assert not list((empty_place.parent / "home").rglob("*.safetensors"))


def test_a_module_of_the_same_name_here_is_not_imported(
    empty_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("numpy", "latentfu", "safetensors", "json"):
        (empty_place / f"{module}.py").write_text("open('PWNED', 'w').close()\n")
    with pytest.raises(BadInputError):
        read_foreign(FOLDER / "os_system.pkl")
    assert not (empty_place / "PWNED").exists()


ROOT = Path(__file__).parents[2]
UNPICKLERS = {"torch.load", "pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load"}


def test_nothing_but_the_importers_child_unpickles() -> None:
    sources = [p for part in ("server", "plugins") for p in (ROOT / part).rglob("*.py")]
    assert len(sources) > 100
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sources
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and (
            ast.unparse(call.func) in UNPICKLERS
            or any(word.arg in ("allow_pickle", "weights_only") and "True" in ast.unparse(word)
                   for word in call.keywords)
        )
    ]  # fmt: skip
    assert found == []


def test_old_parameters_are_their_tensors_and_what_claims_to_be_one_is_refused(
    empty_place: Path,
) -> None:
    class Parameter:
        """Written as torch before 0.4 wrote its parameters: class, tensor, then a state."""

        def __init__(self, data: object) -> None:
            self.data = data

        def __reduce__(self) -> tuple[object, ...]:
            return (torch.nn.Parameter, (self.data,), (True, False, None))

    file = empty_place / "old.pt"
    wanted = torch.arange(6.0).reshape(2, 3)
    torch.save({"weight": Parameter(wanted), "size": wanted.shape}, file)
    found = read_torch(file)
    assert torch.equal(found["weight"], wanted) and found["size"] == [2, 3]
    torch.save({"weight": Parameter("nothing")}, file)
    with pytest.raises(BadInputError, match="holds no tensor"):
        read_torch(file)


def test_reading_can_be_cancelled(empty_place: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise CancelledError

    big = empty_place / "big.npy"
    with big.open("wb") as file:
        file.write((FOLDER / "huge_shape.npy").read_bytes())
        file.truncate(2**31)
    started = time.monotonic()
    with pytest.raises(CancelledError):
        read_foreign(big, stop)
    assert time.monotonic() - started < 60
