"""pix2pixHD: published parameter names, drawing, and deformations by the same code."""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latentfu import BadInputError, CancelledError, random_latents, silent
from latentfu.cli.main import run
from latentfu.core.progress import cancel_scope
from latentfu.storage.deformations import DeformationEffect
from latentfu_builtin.deformations.convolution import ShiftedConvolution
from latentfu_builtin.deformations.discover import discover_deformations
from latentfu_builtin.deformations.hessian import HessianProducts
from latentfu_builtin.deformations.search import DeformationSearch
from latentfu_builtin.networks.pix2pixhd.generator import LabelGenerator, open_network
from latentfu_builtin.networks.pix2pixhd.network import (
    Pix2PixHD,
    Pix2PixHDConfig,
    config_from_shapes,
    fill_network,
    find_edges,
    save_pix2pixhd,
)
from latentfu_builtin.pix2pixhd.cli import labels_command
from PIL import Image

GLOBAL = Pix2PixHDConfig(5, False, 0, 4, 2, 1, 0, 0, 32, 16)
LOCAL = Pix2PixHDConfig(5, True, 0, 4, 2, 1, 1, 1, 32, 16)
TRUNK = ["1", "4", "7", "10.conv_block.1", "10.conv_block.5", "11", "14"]
ENHANCER = ["model1_1.1", "model1_1.4", "model1_2.0.conv_block.1", "model1_2.0.conv_block.5",
            "model1_2.1", "model1_2.5"]  # fmt: skip


def a_generator(config: Pix2PixHDConfig, seed: int = 0) -> LabelGenerator:
    torch.manual_seed(seed)
    network = Pix2PixHD(config).eval().requires_grad_(False)
    return LabelGenerator(network, "streets", "c" * 64, "streets")


@pytest.fixture(scope="module")
def generator() -> LabelGenerator:
    return a_generator(LOCAL)


def both(names: list[str]) -> set[str]:
    return {f"{name}.{kind}" for name in names for kind in ("weight", "bias")}


def test_parameters_have_the_published_names() -> None:
    trunk = [f"model.{name}" for name in TRUNK]
    assert set(Pix2PixHD(GLOBAL).state_dict()) == both([*trunk, "model.18"])
    assert set(Pix2PixHD(LOCAL).state_dict()) == both([*trunk, *ENHANCER])


@pytest.mark.parametrize(
    "config",
    [
        GLOBAL,
        LOCAL,
        Pix2PixHDConfig(35, True, 3, 2, 3, 2, 2, 2, 64, 32),
        Pix2PixHDConfig(35, True, 0, 4, 4, 9),
    ],
)
def test_a_config_is_told_from_the_tensors(config: Pix2PixHDConfig) -> None:
    shapes = {name: tuple(value.shape) for name, value in Pix2PixHD(config).state_dict().items()}
    found = config_from_shapes(shapes, config.resolution, config.height)
    same_inputs = Pix2PixHDConfig(**{**vars(config), "labels": found.labels, "edges": found.edges})
    assert found.inputs == config.inputs
    assert found == same_inputs or (config.enhancers == 0 and found.local_blocks == 0)


def test_the_global_part_draws_as_its_sequence_of_modules_does() -> None:
    generator = a_generator(GLOBAL)
    latent = random_latents(generator, 2, seed=1)
    planes = generator.planes(latent)
    blocks = {10: lambda x: x + generator.network.model[10].conv_block(x)}
    x = planes
    for place, module in enumerate(generator.network.model):
        x = blocks.get(place, module)(x)
    assert torch.allclose(generator.render(latent), x, atol=1e-6)
    assert x.shape == (2, 3, 16, 32) and x.abs().max() <= 1


def test_layers_are_numbered_as_the_data_goes(generator: LabelGenerator) -> None:
    latent = random_latents(generator, 2, seed=1)
    places = range(len(generator.layers))
    _, features = generator.render(latent, "const", list(places))
    for place, layer in enumerate(generator.layers):
        shape = (2, layer.channels, layer.resolution // 2, layer.resolution)
        assert features[place].shape == shape, layer.name
        assert generator.parameter(layer.weight).ndim == 4


def test_maps_of_labels(generator: LabelGenerator) -> None:
    labels = torch.randint(0, 5, (1, 16, 32), generator=torch.Generator().manual_seed(0))
    planes = generator.planes(generator.from_labels(labels))
    assert torch.equal(planes[:, :5].argmax(dim=1), labels)
    assert torch.equal(planes[:, 5:], find_edges(labels))
    objects = torch.zeros(1, 4, 4, dtype=torch.long)
    objects[:, :, 2:] = 7
    assert torch.equal(find_edges(objects)[0, 0, 0], torch.tensor([0.0, 1, 1, 0]))
    for wrong in (labels + 4, labels[:, :8], labels - 1):
        with pytest.raises(BadInputError):
            generator.from_labels(wrong)


def test_a_file_gives_the_same_pictures(generator: LabelGenerator, tmp_path: Path) -> None:
    path = tmp_path / "streets.safetensors"
    save_pix2pixhd(path, generator.network, {"domain": "streets"})
    opened = latentfu.open_generator(path)
    labels = torch.randint(0, 5, (1, 16, 32))
    assert isinstance(opened, LabelGenerator) and opened.domain == "streets"
    one = opened.render(opened.from_labels(labels))
    assert torch.equal(one, generator.render(generator.from_labels(labels)))


def test_a_published_file_is_imported(generator: LabelGenerator, tmp_path: Path) -> None:
    from latentfu import read_foreign
    from latentfu_builtin.pix2pixhd.plugin import convert_pix2pixhd

    state = {f"module.{name}": value for name, value in generator.network.state_dict().items()}
    torch.save(state, tmp_path / "latest_net_G.pth")
    found = convert_pix2pixhd(read_foreign(tmp_path / "latest_net_G.pth", silent))
    assert found is not None
    assert set(found.tensors) == set(generator.network.state_dict())
    del state["module.model.4.bias"]
    torch.save(state, tmp_path / "broken.pth")
    with pytest.raises(BadInputError, match=r"lacks the tensor model\.4\.bias"):
        convert_pix2pixhd(read_foreign(tmp_path / "broken.pth", silent))
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    assert convert_pix2pixhd(read_foreign(tmp_path / "other.pth", silent)) is None


def test_tensors_that_do_not_fit_are_named(generator: LabelGenerator) -> None:
    state = dict(generator.network.state_dict())
    with pytest.raises(BadInputError, match=r"model\.1\.weight with the shape"):
        fill_network(state | {"model.1.weight": torch.zeros(1)}, LOCAL, "it")
    with pytest.raises(BadInputError, match="surplus"):
        fill_network(state | {"surplus": torch.zeros(1)}, LOCAL, "it")


@pytest.mark.parametrize("method", ["svd", "hessian"])
@pytest.mark.parametrize("layer", [2, 5])
def test_deformations_are_found_by_the_same_code(
    generator: LabelGenerator, method: str, layer: int
) -> None:
    search = DeformationSearch(generator, layer, method, 2, samples=2, distance="pixels")
    for deformation in discover_deformations(search, silent):
        latent = random_latents(generator, 2, seed=9)
        mover = DeformationEffect(deformation)
        plain = generator.render(latent)
        assert torch.equal(generator.render(mover.apply(latent, 0.0, generator)), plain)
        assert (generator.render(mover.apply(latent, 1.0, generator)) - plain).abs().max() > 0.01


def test_hessian_products_are_symmetric(generator: LabelGenerator) -> None:
    latents = random_latents(generator, 2, seed=4)

    def pixels(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a - b).square().mean(dim=(1, 2, 3))

    products = HessianProducts(ShiftedConvolution(generator, 3), latents, pixels, side=None)
    a, b = (torch.randn(products.shape) for _ in range(2))
    one, other = (a * products.times(b)).sum(), (b * products.times(a)).sum()
    assert float(one) == pytest.approx(float(other), rel=1e-3)


def test_the_command_draws_a_map(
    generator: LabelGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    path, out = tmp_path / "home" / "streets.safetensors", tmp_path / "out.png"
    save_pix2pixhd(path, generator.network, {"domain": "streets"})
    labels = np.random.default_rng(0).integers(0, 5, (16, 32)).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "map.png")
    drawn = ["--generator", str(path), "-o", str(out)]
    ran = CliRunner().invoke(labels_command, [str(tmp_path / "map.png"), *drawn])
    assert ran.exit_code == 0, ran.output
    with Image.open(out) as picture:
        assert picture.size == (32, 16)
    Image.new("RGB", (32, 16)).save(tmp_path / "colors.png")
    ran = CliRunner().invoke(labels_command, [str(tmp_path / "colors.png"), *drawn])
    assert isinstance(ran.exception, BadInputError) and "in colors" in str(ran.exception)
    assert open_network(path, "cpu").name == "streets"


def test_a_deformed_map_of_a_network_in_a_file(
    generator: LabelGenerator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    path, out, found = (tmp_path / name for name in ("streets.safetensors", "out.png", "found"))
    save_pix2pixhd(path, generator.network, {"domain": "streets"})
    of = ["--generator", str(path)]
    words = [*of, "--layer", "5", "--method", "svd", "--count", "1", "--samples", "2"]
    assert (
        run(["deformations", "discover", *words, "--distance", "pixels", "--out", str(found)]) == 0
    )
    kept = ["deformations", "keep", str(found / "svd-5-0.safetensors"), "--name", "curb"]
    assert run(kept) == 0
    assert run(["deformations", "list", *of]) == 0
    assert "curb" in capsys.readouterr().out
    labels = np.random.default_rng(0).integers(0, 5, (16, 32)).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / "map.png")
    pictures = []
    for sets in ([], ["--set", "curb=0"], ["--set", "curb=1"]):
        assert run(["render", "labels", str(tmp_path / "map.png"), *of, "-o", str(out), *sets]) == 0
        pictures.append(np.asarray(Image.open(out)).astype(int))
    assert np.array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[2] - pictures[0]).max() > 1
    for setting, code, says in (
        ("curb=much", 2, "NAME=STRENGTH"),
        ("kerb=1", 1, "there are: curb"),
    ):
        out.unlink(missing_ok=True)
        words = ["render", "labels", str(tmp_path / "map.png"), *of, "-o", str(out)]
        assert run([*words, "--set", setting]) == code
        assert says in capsys.readouterr().err and not out.exists()


def test_editing_a_picture_with_it_is_refused_in_one_sentence(generator: LabelGenerator) -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(BadInputError, match="use `latentfu render labels`"):
        latentfu.edit(picture, {}, generator=generator, aligner="center")


def test_a_picture_that_nobody_waits_for_stops_between_layers(generator: LabelGenerator) -> None:
    asked: list[int] = []

    def stop_at_third() -> None:
        asked.append(len(asked))
        if len(asked) == 3:
            raise CancelledError

    with torch.no_grad(), cancel_scope(stop_at_third), pytest.raises(CancelledError):
        generator.render(generator.mean_latent())
    assert len(asked) == 3
