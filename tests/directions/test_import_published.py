"""Published direction files of other projects become directions that mean what theirs meant."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from latentfu import Direction, WrongGeneratorError, read_direction, write_direction
from latentfu.storage.direction_control import DirectionEffect
from latentfu_builtin.directions.commands.import_published import import_directions_command

from tests.support import large_world

PUBLISHED = Path(__file__).parent / "published"
HOSTILE = Path(__file__).parent / "hostile"

Import = Callable[..., Result]


@pytest.fixture
def importing(isolated_home: Path, registered: Any, tmp_path: Path) -> Iterator[Import]:
    registered(large_world)

    def run(*words: object) -> Result:
        return CliRunner().invoke(
            import_directions_command,
            ["--generator", "large", "--out", str(tmp_path / "out"), *map(str, words)],
        )

    yield run


@pytest.fixture
def result(tmp_path: Path) -> Callable[[str], Direction]:
    return lambda name: read_direction(tmp_path / "out" / f"{name}.safetensors")


def cosine(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    a, b = a.ravel().astype(float), b.ravel().astype(float)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def load(name: str) -> np.ndarray[Any, Any]:
    path = PUBLISHED / name
    if path.suffix == ".pt":
        return torch.load(path, weights_only=True, map_location="cpu").numpy()
    return np.load(path, allow_pickle=False)


def test_a_boundary_is_known_by_its_bytes(importing: Import, result: Any) -> None:
    assert importing(PUBLISHED / "stylegan_ffhq_smile_w_boundary.npy").exit_code == 0
    d = result("smile-w")
    assert (d.space, d.attribute, d.plus, d.licence) == ("w", "smile", "more smile", "MIT")
    assert cosine(d.vector, load("stylegan_ffhq_smile_w_boundary.npy")) > 0.99999


def test_strength_one_is_one_spread_of_the_codes(importing: Import, result: Any) -> None:
    assert importing(PUBLISHED / "smile.pt").exit_code == 0
    d = result("smile")
    codes = large_world.Large().map(torch.randn(4000, 512)).codes
    w = codes[:, 0]
    along = w @ torch.from_numpy(d.vector / np.linalg.norm(d.vector))
    assert np.linalg.norm(d.vector) == pytest.approx(float(along.std()), rel=0.05)


def test_flip_turns_it_round(importing: Import, result: Any) -> None:
    assert importing(PUBLISHED / "smile.pt", "--flip", "--name", "frown").exit_code == 0
    assert cosine(result("frown").vector, load("smile.pt")) < -0.99999
    assert result("frown").plus.startswith("the opposite of")


def test_a_tiled_direction_is_a_w_direction(importing: Import, result: Any) -> None:
    assert importing(PUBLISHED / "pose.pt").exit_code == 0
    d = result("pose")
    assert d.space == "w" and d.vector.shape == (512,)
    assert cosine(d.vector, load("pose.pt")[0, 7]) > 0.99999


def test_rows_that_differ_stay_a_direction_of_layers(importing: Import, result: Any) -> None:
    assert importing(PUBLISHED / "ffhq_rgb_0.npy", "--as-published", "--name", "red").exit_code == 0
    d = result("red")
    assert d.space == "w+" and np.allclose(d.vector, load("ffhq_rgb_0.npy"), atol=1e-6)


@pytest.mark.parametrize("shape", [(14, 512), (1, 14, 512), (10, 512)])
def test_a_step_for_other_layers_is_never_so_many_directions(
    importing: Import, shape: tuple[int, ...], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).standard_normal(shape) + 0.3
    np.save(tmp_path / "age.npy", rows)
    told = importing(tmp_path / "age.npy")
    assert told.exit_code == 1 and "for another generator" in str(told.exception)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_one_row_repeated_is_one_direction_whatever_its_layers(
    importing: Import, result: Any, tmp_path: Path
) -> None:
    row = np.random.default_rng(0).standard_normal(512)
    np.save(tmp_path / "same.npy", np.tile(row, (14, 1)))
    assert importing(tmp_path / "same.npy").exit_code == 0
    assert result("same").space == "w" and cosine(result("same").vector, row) > 0.99999


def test_rows_at_right_angles_are_directions_though_they_are_fourteen(
    importing: Import, tmp_path: Path
) -> None:
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((512, 14)))[0].T
    np.save(tmp_path / "axes.npy", basis * np.arange(1, 15)[:, None])
    assert importing(tmp_path / "axes.npy").exit_code == 0
    assert len(list(tmp_path.rglob("axes-*.safetensors"))) == 14


def test_flattened_layers_are_folded_back(importing: Import, result: Any, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal((18, 512))
    np.save(tmp_path / "flat.npy", rows.reshape(1, -1))
    assert importing(tmp_path / "flat.npy").exit_code == 0
    assert cosine(result("flat").vector, rows) > 0.99999


def test_a_z_direction_is_refused_by_a_network_edited_in_w(importing: Import) -> None:
    told = importing(PUBLISHED / "stylegan_ffhq_age_boundary.npy")
    assert told.exit_code == 1 and "direction in z" in str(told.exception)
    assert importing(PUBLISHED / "stylegan_ffhq_age_boundary.npy", "--space", "w").exit_code == 0


def test_components_go_to_an_absolute_target_as_published(
    importing: Import, result: Any, tmp_path: Path
) -> None:
    """The published edit: w + (amount - (w - mean) . comp / std) * comp * std."""
    assert importing(PUBLISHED / "ffhq_pca.pt", "--component", 3).exit_code == 0
    d = result("ffhq-pca-3")
    assert d.absolute
    table = torch.load(PUBLISHED / "ffhq_pca.pt", weights_only=True, map_location="cpu")
    comp, std, mean = table["comp"][3], table["std"][3], table["mean"]
    generator = large_world.Large()
    latent = generator.map(torch.randn(5, 512))
    amount = ((latent.codes[:, 0] - mean) * comp).sum(dim=1) / std
    theirs = latent.codes + ((2.5 - amount)[:, None, None]) * (comp * std)
    ours = DirectionEffect(d).apply(latent, 2.5, generator).codes
    assert torch.allclose(ours, theirs, atol=2e-4)
    again = DirectionEffect(d).apply(latent.with_codes(ours), 2.5, generator).codes
    assert torch.allclose(again, ours, atol=1e-4)


def test_a_saved_component_brings_its_name_and_layers(importing: Import, result: Any) -> None:
    (path,) = PUBLISHED.glob("*.pkl")
    assert importing(path).exit_code == 0
    d = result("light-direction")
    assert d.title == "Light direction" and d.layers == (8, 8) and d.space == "w"


def test_a_pickled_boundary_with_its_layers(importing: Import, result: Any, tmp_path: Path) -> None:
    boundary = np.tile(np.random.default_rng(1).standard_normal((1, 1, 512)), (1, 18, 1))
    content = {"boundary": boundary, "meta_data": {"manipulate_layers": [2, 3, 4]}}
    np.save(tmp_path / "expression.npy", np.array(content, dtype=object), allow_pickle=True)
    assert importing(tmp_path / "expression.npy").exit_code == 0
    d = result("expression")
    assert d.layers == (2, 4) and cosine(d.vector, boundary[0, 0]) > 0.99999


def test_factors_of_a_closed_form_factorisation(
    importing: Import, result: Any, tmp_path: Path
) -> None:
    basis = torch.linalg.qr(torch.randn(512, 512)).Q
    torch.save({"ckpt": "x.pt", "eigvec": basis}, tmp_path / "factor.pt")
    assert importing(tmp_path / "factor.pt", "--component", 1, "--component", 5).exit_code == 0
    assert cosine(result("factor-5").vector, basis[:, 5].numpy()) > 0.9999
    assert "choose some" in str(importing(tmp_path / "factor.pt").exception)


def test_a_folder_and_a_zip_give_all_that_can_be_read(
    importing: Import, tmp_path: Path, result: Any
) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(PUBLISHED / "age.pt", "deep/age.pt")
        archive.write(PUBLISHED / "smile.pt", "../smile.pt")
        archive.writestr("broken.npy", b"no")
    told = importing(tmp_path / "set.zip", "--json")
    assert told.exit_code == 0
    report = json.loads(told.stdout)
    assert len(report["written"]) == 2
    assert [row["file"] for row in report["files"] if row["reason"]] == ["broken.npy"]
    assert not (tmp_path.parent / "smile.pt").exists()
    assert result("age").plus == "older"


def test_a_pickle_that_would_run_something_is_refused(importing: Import, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (print, ("run",))

    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps({"boundary": Bomb()}))
    told = importing(tmp_path / "bomb.pkl")
    assert told.exit_code == 1 and "builtins.print" in str(told.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((1, 512)), "zero everywhere"),
        (np.full((1, 512), np.nan), "no numbers"),
        (np.ones((1, 100)), "another generator"),
    ],
)
def test_bad_arrays_are_one_sentence(
    importing: Import, tmp_path: Path, array: np.ndarray[Any, Any], words: str
) -> None:
    np.save(tmp_path / "bad.npy", array)
    told = importing(tmp_path / "bad.npy")
    assert told.exit_code == 1
    assert words in str(told.exception) and "\n" not in str(told.exception)


def test_sets_that_point_the_other_way_are_turned(
    importing: Import, result: Any, tmp_path: Path
) -> None:
    np.save(tmp_path / "smile.npy", np.tile(load("smile.pt").reshape(1, 512), (18, 1)))
    assert importing(tmp_path / "smile.npy", "--set-of", "a312863063").exit_code == 0
    d = result("smile")
    assert d.layers == (0, 7) and cosine(d.vector, load("smile.pt")) < -0.9999
    assert "no known set" in str(importing(tmp_path / "smile.npy", "--set-of", "x").exception)


def test_files_of_one_name_do_not_replace_each_other(
    importing: Import, tmp_path: Path, result: Any
) -> None:
    """Two networks' boundaries of age are both called age-w in the table of known files."""
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for place, name in (("a", "smile.pt"), ("b", "stylegan_ffhq_smile_w_boundary.npy")):
            archive.write(PUBLISHED / name, f"{place}/{name}")
        archive.write(PUBLISHED / "smile.pt", "c/smile.pt")
        archive.write(PUBLISHED / "age.pt", "d/age.pt")
    told = importing(tmp_path / "set.zip", "--set-of", "e4e", "--json")
    assert told.exit_code == 0, told.exception
    report = json.loads(told.stdout)
    assert len(set(report["written"])) == len(report["written"]) == 3
    refused = [row for row in report["files"] if row["reason"]]
    assert [row["file"] for row in refused] == ["smile.pt"]
    assert "import it alone" in refused[0]["reason"]
    assert result("smile").attribute == "smile" and result("smile-w").space == "w"


def test_layers_of_another_network_are_not_taken_for_directions(
    importing: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GANSpace's rotate2d is one direction of 16 layers, not 16 directions."""
    np.save(tmp_path / "rotate2d.npy", np.random.default_rng(0).standard_normal((16, 512)))
    told = importing(tmp_path / "rotate2d.npy", "--set-of", "ganspace")
    assert told.exit_code == 1 and "StyleGAN LSUN cars" in str(told.exception)
    assert "each of 16 layers" in str(importing(tmp_path / "rotate2d.npy").exception)


def ours(path: Path, **facts: Any) -> Path:
    words = {"plus": "more", "leakage": {"age": 0.5}, "effect": 1.0, "generator": "theirs"}
    vector = np.linspace(-1, 2, 512)
    known = {"generator_id": "9" * 64, "bias": 0.5, **words, **facts}
    return write_direction(path, Direction(vector, "w", "given", **known))


def test_a_direction_file_is_taken_in(importing: Import, result: Any, tmp_path: Path) -> None:
    file = ours(tmp_path / "x.safetensors", generator_id=large_world.ID)
    assert importing(file).exit_code == 0
    d = result("given")
    assert d.facts() == read_direction(file).facts()
    assert importing(file, "--flip", "--name", "back").exit_code == 0
    back = result("back")
    assert np.array_equal(back.vector, -d.vector) and back.bias == -0.5 and back.effect == -1.0
    assert back.plus == "the opposite of: more" and back.leakage == {"age": -0.5}


def test_one_for_other_weights_is_refused_by_name_unless_forced(
    importing: Import, result: Any, tmp_path: Path
) -> None:
    file = ours(tmp_path / "x.safetensors")
    told = importing(file)
    assert told.exit_code == 1 and isinstance(told.exception, WrongGeneratorError)
    assert "made for theirs (999999999999), not for large" in str(told.exception)
    assert importing(file, "--force").exit_code == 0
    d = result("given")
    assert d.generator_id == large_world.ID and d.family == "large, 16 px, w+ of 18 x 512"
    assert d.effect is None and d.leakage == {} and "made for theirs" in d.source
    short = write_direction(
        tmp_path / "y.safetensors", Direction(np.ones(100), "w", "short", "9" * 64)
    )
    refused = importing(short, "--force")
    assert refused.exit_code == 1 and "fit nothing in large" in str(refused.exception)
    assert "not a direction file" in str(importing(weights(tmp_path)).exception)


def test_one_published_for_another_architecture_is_refused_by_name_unless_forced(
    importing: Import, result: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_world.Large, "family", "StyleGAN2")
    file = PUBLISHED / "stylegan_ffhq_smile_w_boundary.npy"
    told = importing(file)
    assert told.exit_code == 1 and isinstance(told.exception, WrongGeneratorError)
    assert "made for StyleGAN FFHQ 1024, and large is a StyleGAN2" in str(told.exception)
    assert importing(PUBLISHED / "smile.pt").exit_code == 0, "that set was made for a StyleGAN2"
    assert importing(file, "--force").exit_code == 0 and result("smile-w").space == "w"


def weights(folder: Path) -> Path:
    """A safetensors file that is not a direction."""
    from safetensors.numpy import save_file

    save_file({"w": np.ones(3, np.float32)}, folder / "w.safetensors")
    return folder / "w.safetensors"
