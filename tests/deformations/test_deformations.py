"""Deformations: found, scaled, kept, applied, and told from one another."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latentfu import BadInputError, WrongGeneratorError, random_latents, silent
from latentfu.storage.deformations import (
    Deformation,
    DeformationEffect,
    deformations_in,
    read_deformation,
    write_deformation,
)
from latentfu_builtin.deformations.commands import discover_command, keep_deformation_command
from latentfu_builtin.deformations.convolution import ShiftedConvolution, find_singular_directions
from latentfu_builtin.deformations.hessian import HessianProducts, KrylovSpace, find_spectrum
from latentfu_builtin.deformations.import_deformations import (
    DeformationImportOptions,
    import_deformations,
)
from latentfu_builtin.deformations.measurement import CLEAR_CHANGE, StrengthCalibration
from latentfu_builtin.deformations.read_published import read_published
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator


def a_generator(seed: int) -> StyleGAN2Generator:
    torch.manual_seed(seed)
    config = StyleGAN2Config(resolution=8, z_dim=6, w_dim=8, mapping_layers=2, channels=(4, 3))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, f"small{seed}", f"{seed}" * 64, "test")


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    return a_generator(1)


def pixels(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).square().mean(dim=(1, 2, 3))


def products_of(generator: StyleGAN2Generator, layer: int = 1) -> HessianProducts:
    latents = random_latents(generator, 3, seed=5)
    return HessianProducts(
        ShiftedConvolution(generator, layer), latents, pixels, side=None, batch=2
    )


def full_hessian(products: HessianProducts) -> torch.Tensor:
    """The whole matrix, by torch's own second derivatives."""

    def change(flat: torch.Tensor) -> torch.Tensor:
        shift = flat.reshape(products.shape)
        still = products.seen(products.latents, torch.zeros_like(shift))
        return pixels(products.seen(products.latents, shift), still.detach()).mean()

    return torch.autograd.functional.hessian(change, torch.zeros(products.size))


def test_products_equal_the_whole_hessian(generator: StyleGAN2Generator) -> None:
    products = products_of(generator)
    whole = full_hessian(products)
    for seed in range(3):
        vector = torch.randn(products.shape, generator=torch.Generator().manual_seed(seed))
        wanted = (whole @ vector.reshape(-1)).reshape(products.shape)
        assert torch.allclose(products.times(vector), wanted, rtol=1e-3, atol=1e-6)


def test_products_are_the_same_however_they_are_made(generator: StyleGAN2Generator) -> None:
    latents = random_latents(generator, 3, seed=5)
    convolution = ShiftedConvolution(generator, 1)
    vector = torch.randn(convolution.weight.shape)
    found = []
    for batch, traced, few in ((1, False, False), (2, False, True), (3, True, True)):
        products = HessianProducts(convolution, latents, pixels, None, batch, traced)
        products.few = few
        found.append(products.times(vector))
        assert torch.equal(products.times(vector), found[-1])
    for other in found[1:]:
        assert torch.allclose(found[0], other, rtol=1e-4, atol=1e-7)


def test_the_spectrum_is_that_of_the_whole_hessian(generator: StyleGAN2Generator) -> None:
    products = products_of(generator)
    values, vectors = torch.linalg.eigh(full_hessian(products).double())
    found = find_spectrum(products, 5, silent, tolerance=1e-6)
    assert torch.allclose(found.values, values.flip(0)[:5], rtol=1e-3)
    mine = found.vectors.reshape(5, -1).double()
    angles = torch.linalg.svdvals(mine @ vectors[:, -5:])
    assert angles.min() > 0.999
    assert found.residuals.max() < 1e-2


def test_more_than_the_memory_holds_is_one_sentence() -> None:
    large = SimpleNamespace(
        size=1 << 26, convolution=SimpleNamespace(layer=3, weight=torch.zeros(1))
    )
    with pytest.raises(BadInputError, match=r"So many directions of layer 3 need up to 2[0-9]+ GB"):
        KrylovSpace(large, 0, 1 << 20)  # type: ignore[arg-type]


def test_svd_directions_rebuild_the_weights(generator: StyleGAN2Generator) -> None:
    convolution = ShiftedConvolution(generator, 1)
    basis = find_singular_directions(convolution, convolution.rank())
    flat = basis.reshape(len(basis), -1)
    assert torch.allclose(flat @ flat.T, torch.eye(len(basis)), atol=1e-5)
    weight = convolution.weight.reshape(-1)
    assert torch.allclose((flat @ weight) @ flat, weight, atol=1e-4)


def a_deformation(on: StyleGAN2Generator, **changes: object) -> Deformation:
    shape = tuple(on.parameter("synthesis.convs.1.weight").shape)
    facts: dict[str, object] = {
        "shift": np.random.default_rng(0).standard_normal(shape).astype(np.float32) * 300,
        "parameter": "synthesis.convs.1.weight",
        "layer": 1,
        "name": "bulge",
        "generator_id": on.id,
        "effect": {"smile": 0.5},
    }
    return Deformation(**(facts | changes))  # type: ignore[arg-type]


def test_a_file_gives_back_what_was_written(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    made = a_deformation(generator)
    found = read_deformation(write_deformation(tmp_path / "bulge.safetensors", made))
    assert found.metadata() == made.metadata()
    assert np.abs(found.shift - made.shift).max() < 1e-3 * np.abs(made.shift).max()


def test_strength_moves_the_picture_and_zero_does_not(generator: StyleGAN2Generator) -> None:
    latent = random_latents(generator, 2, seed=0)
    mover = DeformationEffect(a_deformation(generator))
    plain = generator.render(latent)
    assert torch.equal(generator.render(mover.apply(latent, 0.0, generator)), plain)
    forth = generator.render(mover.apply(latent, 1.0, generator))
    there_and_back = mover.apply(mover.apply(latent, 1.0, generator), -1.0, generator)
    assert (forth - plain).abs().max() > 0.01
    assert torch.allclose(generator.render(there_and_back), plain, atol=1e-4)


def test_calibration_makes_strength_one_a_clear_change(generator: StyleGAN2Generator) -> None:
    convolution = ShiftedConvolution(generator, 1)
    bench = StrengthCalibration(convolution, random_latents(generator, 6, seed=3), pixels)
    shift = bench.calibrate(find_singular_directions(convolution, 1)[0])
    wanted = CLEAR_CHANGE * bench.measure_spread()
    # Demodulation may keep any shift from reaching all of it.
    assert 0.1 * wanted < bench.measure_change(shift, 1.0) < 1.15 * wanted
    assert bench.measure_change(shift, 0.2) < bench.measure_change(shift, 1.0)


def test_what_does_not_fit_is_one_sentence(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    latent = random_latents(generator, 1, seed=0)
    with pytest.raises(WrongGeneratorError, match="small1"):
        stranger = a_generator(2)
        DeformationEffect(a_deformation(generator, generator="small1")).move(
            random_latents(stranger, 1, seed=0), 1.0, stranger
        )
    with pytest.raises(BadInputError, match="shape"):
        wrong = a_deformation(generator, shift=np.ones((2, 2, 3, 3), np.float32))
        DeformationEffect(wrong).apply(latent, 1.0, generator)
    with pytest.raises(BadInputError, match="no layer 9"):
        ShiftedConvolution(generator, 9)
    with pytest.raises(BadInputError, match="at most"):
        find_singular_directions(ShiftedConvolution(generator, 1), 1000)
    with pytest.raises(BadInputError, match="usable"):
        a_deformation(generator, shift=np.full((3, 4, 3, 3), np.nan, np.float32))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x10" * 40)
    with pytest.raises(BadInputError, match="broken"):
        read_deformation(broken)
    assert deformations_in(tmp_path, generator.id) == []


def test_published_files_are_read_without_running_them(
    generator: StyleGAN2Generator, tmp_path: Path
) -> None:
    shape = tuple(generator.parameter("synthesis.convs.1.weight").shape)
    shift = torch.randn(1, 1, *shape)
    good, other, hostile = (tmp_path / name for name in ("good.pt", "other.pt", "bad.pt"))
    torch.save({"layer_ix": 0, "shift": shift}, good)
    (found,) = import_deformations(good, DeformationImportOptions(generator, name="found"), silent)
    assert found.layer == 1
    assert torch.allclose(torch.from_numpy(found.shift), shift[0, 0].flip(2, 3))
    torch.save({"layer_ix": 0, "shift": torch.zeros(1, 1, 2, 2, 3, 3)}, other)
    with pytest.raises(BadInputError, match="shift of"):
        read_published(other, generator)

    class Runs:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))

    torch.save({"layer_ix": 0, "shift": Runs()}, hostile)
    with pytest.raises(BadInputError, match=r"was not read: it names .*, which no network needs"):
        read_published(hostile, generator)
    assert not (tmp_path / "ran").exists()


def test_found_on_the_portraits_kept_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    out = tmp_path / "found"
    arguments = ["--method", "svd", "--layer", "1", "--count", "2", "--samples", "2"]
    ran = CliRunner().invoke(discover_command, [*arguments, "--out", str(out), "--json"])
    assert ran.exit_code == 0, ran.output
    assert (out / "sheet.png").stat().st_size > 1000
    report = json.loads((out / "report.json").read_text())
    assert [row["name"] for row in report] == ["svd-1-0", "svd-1-1"] and report[0]["effect"]
    first = out / "svd-1-0.safetensors"
    kept = CliRunner().invoke(
        keep_deformation_command,
        [str(first), "--name", "swell", "--plus", "rounder", "--out", str(out / "k")],
    )
    assert kept.exit_code == 0, kept.output
    (control,) = deformations_in(out / "k", report[0]["generator_id"])
    assert (control.name, control.positive_means, control.kind) == (
        "swell",
        "rounder",
        "deformation",
    )
