"""Deformations of others: files, archives and folders, with what their notes say."""

from __future__ import annotations

import json
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
from latentfu import BadInputError, silent
from latentfu_builtin.deformations.import_deformations import (
    DeformationImportOptions,
    import_deformations,
)
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    torch.manual_seed(1)
    config = StyleGAN2Config(resolution=8, z_dim=6, w_dim=8, mapping_layers=2, channels=(4, 3))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, "small", "b" * 64, "test")


def a_shift(generator: StyleGAN2Generator, seed: int, layer: int = 1) -> torch.Tensor:
    shape = generator.parameter(f"synthesis.convs.{layer}.weight").shape
    return torch.randn(1, 1, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def folder(generator: StyleGAN2Generator, tmp_path: Path) -> Path:
    made = tmp_path / "ffhq"
    made.mkdir()
    torch.save({"layer_ix": 0, "shift": a_shift(generator, 0)}, made / "nose size.pt")
    torch.save({"layer_ix": 1, "shift": a_shift(generator, 1, 2)}, made / "vampire.pt")
    (made / "annotations.txt").write_text("vampire: sharper teeth\n")
    (made / "vampire.gif").write_bytes(b"GIF89a")
    return made


def packed(folder: Path, kind: str) -> Path:
    path = folder.parent / f"set.{kind}"
    if kind == "tar":
        with tarfile.open(path, "w") as tar:
            tar.add(folder, "ffhq")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for file in folder.iterdir():
                archive.write(file, f"ffhq/{file.name}")
    return path


@pytest.mark.parametrize("kind", ["folder", "tar", "zip"])
def test_a_set_is_named_by_its_files_and_notes(
    generator: StyleGAN2Generator, folder: Path, kind: str
) -> None:
    path = folder if kind == "folder" else packed(folder, kind)
    found = import_deformations(path, DeformationImportOptions(generator), silent)
    assert [(one.name, one.layer, one.plus) for one in found] == [
        ("nose_size", 1, ""),
        ("vampire", 2, "sharper teeth"),
    ]
    assert {one.group for one in found} == {"published deformations"}
    wanted = a_shift(generator, 1, 2)[0, 0]
    assert torch.allclose(torch.from_numpy(found[1].shift), wanted)


def test_an_archive_can_not_write_outside(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    path, good = tmp_path / "set.tar", tmp_path / "good.pt"
    torch.save({"layer_ix": 0, "shift": a_shift(generator, 0)}, good)
    with tarfile.open(path, "w") as tar:
        tar.add(good, "../../escaped.pt")
        link = tarfile.TarInfo("link.pt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    found = import_deformations(path, DeformationImportOptions(generator), silent)
    assert [one.name for one in found] == ["escaped"]
    assert not (tmp_path.parent / "escaped.pt").exists()


def test_numbered_directions_are_named_by_their_notes_and_scaled(
    generator: StyleGAN2Generator, tmp_path: Path
) -> None:
    vectors = torch.cat([a_shift(generator, seed) for seed in range(3)])
    torch.save(vectors, tmp_path / "eigenvectors_layer0_net.pt")
    (tmp_path / "notes.json").write_text(json.dumps({"2": "Wheel size"}))
    found = import_deformations(
        tmp_path, DeformationImportOptions(generator, shift=5.0, directions=(0, 2)), silent
    )
    assert [one.name for one in found] == ["eigenvectors_layer0_net-0", "wheel_size"]
    assert found[1].plus == "Wheel size"
    assert found[1].norm == pytest.approx(5.0, rel=1e-4)
    with pytest.raises(BadInputError, match="0 to 2 only"):
        import_deformations(tmp_path, DeformationImportOptions(generator, directions=(7,)), silent)


def test_what_is_no_set_is_one_sentence(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BadInputError, match=r"no \.pt files"):
        import_deformations(empty, DeformationImportOptions(generator), silent)
    damaged = tmp_path / "damaged.tar"
    damaged.write_bytes(b"not an archive" * 99)
    with pytest.raises(BadInputError, match="not a whole archive"):
        import_deformations(damaged, DeformationImportOptions(generator), silent)


def test_files_that_do_not_fit_are_named_without_where_they_lay(
    generator: StyleGAN2Generator, folder: Path
) -> None:
    torch.save({"layer_ix": 0, "shift": torch.randn(1, 1, 2, 2, 3, 3)}, folder / "small.pt")
    path = packed(folder, "tar")
    left_out: list[str] = []
    found = import_deformations(path, DeformationImportOptions(generator), silent, left_out)
    assert [one.name for one in found] == ["nose_size", "vampire"]
    assert left_out == [
        f"{path}/small.pt has a shift of [2, 2, 3, 3] for layer 0; small has [3, 4, 3, 3] there."
    ]
    for good in ("nose size.pt", "vampire.pt"):
        (folder / good).unlink()
    with pytest.raises(BadInputError) as raised:
        import_deformations(packed(folder, "tar"), DeformationImportOptions(generator), silent)
    assert str(raised.value) == left_out[0]
