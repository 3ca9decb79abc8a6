"""Encoders of other projects: exact tensors, exact codes, and refusals in one sentence."""

from __future__ import annotations

import gzip
import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu import BadInputError, Generator, WrongGeneratorError
from latentfu.cli.main import run as main
from latentfu_builtin.encoders.detect_encoder import (
    PUBLISHED_ARCHITECTURES,
    detect_architecture,
    find_candidates,
)
from latentfu_builtin.encoders.import_encoder import (
    PublishedCheckpoint,
    find_encoder_in_tree,
    import_encoder,
    load_published_encoder,
    read_checkpoint_tree,
)
from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes

from tests.support.encoder_world import PUBLISHED, opened, weights

KEYS: dict[str, dict[str, list[int]]] = json.loads(
    gzip.decompress((PUBLISHED / "keys.json.gz").read_bytes())
)


def shapes_of(kind: str) -> dict[str, tuple[int, ...]]:
    return {name: tuple(shape) for name, shape in KEYS[kind].items()}


@pytest.mark.parametrize("kind", KEYS)
def test_our_networks_have_the_published_tensors_exactly(kind: str) -> None:
    shapes = shapes_of(kind)
    architecture = PUBLISHED_ARCHITECTURES[kind.split(" ", maxsplit=1)[0]]
    assert architecture in find_candidates(shapes)
    with torch.device("meta"):
        ours = architecture.build(architecture.sizes(shapes)).state_dict()
    assert {name: tuple(value.shape) for name, value in ours.items()} == shapes
    assert list(ours) == list(shapes)


@pytest.mark.parametrize("kind", ["psp", "e4e"])
def test_codes_are_those_of_the_original_network(kind: str, tmp_path: Path) -> None:
    checkpoint = find_encoder_in_tree(read_checkpoint_tree(PUBLISHED / f"{kind}-small.pt"))
    generator = opened(weights(tmp_path, 64, 16))
    found = import_encoder(checkpoint, generator, tmp_path / "encoder.safetensors", force=True)
    assert found.name == kind
    encode = load_published_encoder(tmp_path / "encoder.safetensors", generator)
    expected = np.load(PUBLISHED / f"{kind}-small.npz")
    picture = torch.from_numpy(expected["image_uint8"]).float() / 127.5 - 1
    torch.testing.assert_close(
        encode(picture), torch.from_numpy(expected["codes_plus_latent_avg"]), atol=1e-4, rtol=0
    )


def test_options_kept_as_a_namespace_are_read(tmp_path: Path) -> None:
    stored = torch.load(PUBLISHED / "e4e-small.pt", map_location="cpu", weights_only=True)
    named = {"encoder_type": "Encoder4Editing", "start_from_latent_avg": True}
    torch.save({**stored, "opts": Namespace(**named)}, tmp_path / "e4e.pt")
    found = find_encoder_in_tree(read_checkpoint_tree(tmp_path / "e4e.pt"))
    assert dict(found.opts) == named
    shapes = {name: tuple(value.shape) for name, value in found.tensors.items()}
    assert detect_architecture(shapes, found.opts, None).name == "e4e"


NARROW = PublishedSizes(3, 16, (16, 16, 16, 16), 6, 16)
SMALL = {
    "psp": NARROW,
    "e4e": NARROW,
    "psp-w": PublishedSizes(3, 16, (16, 16, 16, 16), 1, 16),
    "psp-w-plus": NARROW,
    "restyle-psp": PublishedSizes(6, 16, (16, 16, 16, 16), 6, 16),
    "restyle-e4e": PublishedSizes(6, 16, (16, 16, 16, 16), 6, 16),
    "restyle-psp-resnet": PublishedSizes(6, 16, (16, 16, 16, 16), 6, 16),
    "restyle-e4e-resnet": PublishedSizes(6, 16, (16, 16, 16, 16), 6, 16),
}


def state_of(kind: str) -> PublishedCheckpoint:
    torch.manual_seed(3)
    tensors = PUBLISHED_ARCHITECTURES[kind].build(SMALL[kind]).state_dict()
    opts = {"encoder_type": PUBLISHED_ARCHITECTURES[kind].published, "start_from_latent_avg": True}
    whole = {"state_dict": {f"encoder.{k}": v for k, v in tensors.items()}, "opts": opts}
    return find_encoder_in_tree(whole)


@pytest.mark.parametrize("kind", SMALL)
def test_each_kind_is_recognized_kept_and_gives_codes(
    kind: str, generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "encoder.safetensors"
    assert import_encoder(state_of(kind), generator, path).name == kind
    codes = load_published_encoder(path, generator)(torch.zeros(2, 3, 16, 16))
    assert codes.shape == ((2, 16) if kind == "psp-w" else (2, 6, 16))
    assert bool(codes.isfinite().all())


def test_the_predictor_of_the_stylegan_projects_gives_whole_codes() -> None:
    shapes = {"conv2d.weight": (4, 2048, 1, 1), "dense1.weight": (8, 256), "resnet.0.weight": (64,)}
    network = PUBLISHED_ARCHITECTURES["image-to-latent"].build(
        PUBLISHED_ARCHITECTURES["image-to-latent"].sizes({**shapes, "dense2.weight": (1024, 8)})
    )
    with torch.no_grad():
        codes = network.eval()(torch.zeros(1, 3, 256, 256))
    assert codes.shape == (1, 2, 512)
    assert bool(codes.isfinite().all())


def test_a_file_that_does_not_say_which_of_two_it_is_needs_a_word() -> None:
    shapes = shapes_of("psp 1024")
    with pytest.raises(BadInputError, match="--architecture psp or e4e"):
        detect_architecture(shapes, {}, None)
    assert detect_architecture(shapes, {}, "e4e").name == "e4e"
    with pytest.raises(BadInputError, match="looks like psp or e4e"):
        detect_architecture(shapes, {}, "restyle-psp")


def test_an_encoder_for_another_generator_is_refused(
    generator: Generator, other: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "encoder.safetensors"
    good = state_of("psp")
    foreign = PublishedCheckpoint(good.tensors, other.mean_latent().codes[0] + 1.0, good.opts)
    with pytest.raises(WrongGeneratorError, match="trained for another generator"):
        import_encoder(foreign, generator, path)
    assert not path.exists()
    larger = opened(weights(tmp_path, 32))
    with pytest.raises(WrongGeneratorError, match="gives 6 codes of 16 numbers"):
        import_encoder(good, larger, path)
    assert not path.exists()
    import_encoder(foreign, generator, path, force=True)


def test_what_is_missing_unknown_or_misshapen_is_named(
    generator: Generator, tmp_path: Path
) -> None:
    good, path = state_of("psp"), tmp_path / "encoder.safetensors"
    for name, change, sentence in (
        ("latlayer2.bias", None, "lacks the tensor latlayer2.bias"),
        ("latlayer2.bias", torch.zeros(3), r"latlayer2.bias with the shape \[3\]"),
        ("latlayer9.bias", torch.zeros(3), "unknown tensor latlayer9.bias"),
    ):
        tensors = {k: v for k, v in good.tensors.items() if k != name}
        if change is not None:
            tensors[name] = change
        with pytest.raises(BadInputError, match=sentence):
            import_encoder(PublishedCheckpoint(tensors, None, good.opts), generator, path)
    assert not path.exists()


def test_the_command_imports_and_says_what_is_wrong(
    tmp_path: Path, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(weights(tmp_path, 64, 16))
    source = str(PUBLISHED / "e4e-small.pt")
    assert main(["encoders", "import", source, "--generator", file]) == 1
    assert "trained for another generator" in capsys.readouterr().err
    asked = ["encoders", "import", source, "--generator", file, "--name", "mine", "--force"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["architecture"] == "e4e"
    assert Path(told["file"]).parent == house / "data" / "encoders"
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"no checkpoint at all")
    assert main(["encoders", "import", str(bad), "--generator", file]) == 1
    error = capsys.readouterr().err
    assert "bad.pt was not read" in error
    assert len(error.strip().splitlines()) == 1
