"""Networks and encoders in our own format, whose metadata ask for too much or break a list."""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path

import pytest
from latentfu.cli.main import run
from latentfu.core.errors import BadInputError
from latentfu_builtin.encoders.encoder_file import load_encoder, save_encoder
from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes
from latentfu_builtin.networks.encoders.pyramid_encoder import EncoderConfig, PictureEncoder
from latentfu_builtin.networks.pix2pixhd.generator import open_network
from latentfu_builtin.networks.pix2pixhd.network import (
    Pix2PixHD,
    Pix2PixHDConfig,
    save_pix2pixhd,
)
from latentfu_builtin.networks.stylegan.files import check_config
from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.network import StyleGAN2, load_network
from safetensors.torch import save_file

from tests.support.sentences import read_one_sentence


@pytest.fixture(scope="module")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = StyleGAN2Config(resolution=16, z_dim=8, w_dim=8, mapping_layers=2, channels=(8, 8, 8))
    path = tmp_path_factory.mktemp("network") / "small.safetensors"
    metadata = {"architecture": StyleGAN2.architecture, "config": config.to_json()}
    tensors = StyleGAN2(config).state_dict()
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata)
    assert load_network(path).config == config
    return path


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mapping_layers", 1_000_000_000),
        ("mapping_layers", 10_000),
        ("channels", [200_000] * 3),
        ("channels", [8] * 100_000),
        ("w_dim", 10**6),
        ("c_dim", 10**9),
        ("z_dim", 10**400),
        ("resolution", 1 << 40),
        ("conv_clamp", "wide"),
    ],
)
def test_a_config_that_asks_for_too_much_is_refused_before_it_is_built(
    network_file: Path, tmp_path: Path, home: Path, capsys, field: str, value: object
) -> None:
    from latentfu import read_metadata, read_tensors

    metadata = read_metadata(network_file)
    config = json.loads(metadata["config"]) | {field: value}
    path = tmp_path / "hostile.safetensors"
    save_file(read_tensors(network_file), path, metadata | {"config": json.dumps(config)})
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert run(["generators", "import", str(path), "--name", "hostile"]) == 1
    read_one_sentence(capsys)
    assert time.monotonic() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KB


def _with_config(path: Path, out: Path, name: str, changes: dict[str, object]) -> Path:
    """The file with other numbers in the JSON of its metadata ``name``."""
    from latentfu import read_metadata, read_tensors

    metadata = read_metadata(path)
    config = json.loads(metadata[name]) | changes
    save_file(read_tensors(path), out, metadata | {name: json.dumps(config)})
    return out


@pytest.mark.parametrize(
    "changes",
    [
        {"widths": [4096], "size": 1024, "hidden": 4096},  # 64 TB
        {"widths": [32] * 100_000},
        {"shape": [1 << 10, 1 << 10]},
        {"shape": [10**400]},
        {"size": 1e308},
        {"hidden": "wide"},
    ],
)
def test_an_encoders_config_is_held_against_its_file_too(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    encoder = PictureEncoder(EncoderConfig(8, (4, 8), "w+", (4, 6), 8))
    save_encoder(tmp_path / "small.safetensors", encoder, "a" * 64, {})
    path = tmp_path / "hostile.safetensors"
    _with_config(tmp_path / "small.safetensors", path, "config", changes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInputError):
        load_encoder(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KB


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": 1_000_000_000},
        {"width": 1 << 20},
        {"down": 60},
        {"labels": 10**400},
        {"enhancers": 500},
        {"width": "wide"},
    ],
)
def test_a_label_networks_config_is_held_against_its_file_too(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    network = Pix2PixHD(Pix2PixHDConfig(5, True, 0, 4, 2, 1, 1, 1, 32, 16))
    save_pix2pixhd(tmp_path / "small.safetensors", network, {})
    path = tmp_path / "hostile.safetensors"
    _with_config(tmp_path / "small.safetensors", path, "config", changes)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInputError):
        open_network(path, "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KB


@pytest.mark.parametrize("sizes", ["[1]", "[" * 100_000, '{"widths": [], "styles": 1e999}', "{"])
def test_an_imported_encoders_sizes_are_no_strangers_word(sizes: str) -> None:
    with pytest.raises(BadInputError):
        PublishedSizes.from_json(sizes)
    nothing = '{"channels": 3, "entry": 0, "widths": [4], "styles": 1, "depth": 8}'
    with pytest.raises(BadInputError, match="1 or more"):
        PublishedSizes.from_json(nothing)


@pytest.mark.parametrize(
    "config", ["[" * 100_000, '{"a": ' * 20 + "1" + "}" * 20, '{"a": NaN}', '{"a": 1e400}', "{"]
)
def test_a_config_that_is_no_config_is_a_sentence(config: str) -> None:
    with pytest.raises(ValueError, match="config"):
        check_config(config, 100)


def test_a_licence_of_two_lines_is_refused_and_hides_nothing(
    network_file: Path, tmp_path: Path, home: Path, capsys
) -> None:
    from latentfu import read_metadata, read_tensors

    words = ["generators", "import", str(network_file), "--name", "bad", "--licence", "a\r\nb"]
    assert run(words) == 1
    read_one_sentence(capsys)
    assert run(["generators", "import", str(network_file), "--name", "good"]) == 0
    odd = read_metadata(network_file) | {"licence": "a\r\nb\x1b[31m", "domain": "\u202eecaf"}
    path = tmp_path / "odd.safetensors"
    save_file(read_tensors(network_file), path, odd)
    assert run(["generators", "import", str(path), "--name", "odd"]) == 0
    capsys.readouterr()
    assert run(["generators", "list"]) == 0
    listed = capsys.readouterr().out
    assert "good" in listed and "odd" in listed and "\x1b" not in listed
