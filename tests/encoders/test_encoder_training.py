"""Training an encoder on a small generator, and inverting with it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import (
    BadInputError,
    CancelledError,
    Generator,
    NotInstalledError,
    WrongGeneratorError,
    silent,
)
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu.testing import check_inverter
from latentfu_builtin.encoders.encoder_file import load_encoder, save_encoder
from latentfu_builtin.encoders.encoder_header import read_encoder_header
from latentfu_builtin.encoders.plugin import latentfu_inverters
from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder
from latentfu_builtin.encoders.training.students import read_trunk
from latentfu_builtin.encoders.training.trainer import EncoderTrainer
from PIL import Image

from tests.support.encoder_world import picture_of, request

SHORT = EncoderTrainingOptions(pictures=16 * 60, batch=16, pool=128, fresh=8, seen=4, bf16=False)

ENCODER, REFINED = latentfu_inverters()


@pytest.fixture(scope="module")
def trained(generator: Generator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "small.safetensors"
    train_encoder(EncoderOrder(generator, path, SHORT), silent)
    return path


@pytest.fixture
def home(house: Path, trained: Path) -> Path:
    """A home in which the trained encoder is installed."""
    folder = house / "data" / "encoders"
    folder.mkdir(parents=True)
    (folder / "small.safetensors").write_bytes(trained.read_bytes())
    with use_registry(Registry(all_sources())):
        yield house


def test_it_learns_what_the_generators_pictures_mean(
    generator: Generator, trained: Path, tmp_path: Path
) -> None:
    untrained = replace(SHORT, pictures=16, rate=1e-6)
    before = train_encoder(EncoderOrder(generator, tmp_path / "a.safetensors", untrained), silent)
    after = json.loads(read_encoder_header(trained)["figures"])
    assert after["own_psnr"] > before["own_psnr"] + 1.5


def test_the_file_gives_the_same_codes_in_half_precision(trained: Path) -> None:
    encoder = load_encoder(trained)
    pictures = torch.rand(3, 3, 16, 16) * 2 - 1
    codes = encoder(pictures)
    assert codes.shape == (3, 6, 16)
    assert not codes.requires_grad
    again = trained.with_name("again.safetensors")
    save_encoder(again, encoder, "0" * 64, {})
    torch.testing.assert_close(load_encoder(again)(pictures), codes, atol=2e-2, rtol=1e-2)


def test_an_interrupted_run_goes_on_where_it_was(generator: Generator, tmp_path: Path) -> None:
    kept = tmp_path / "run.checkpoint"
    few = replace(SHORT, pictures=16 * 24)
    order = EncoderOrder(generator, tmp_path / "c.safetensors", few, checkpoint=kept)

    def stop(fraction: float, message: str = "") -> None:
        if message.startswith("Step 8 "):
            raise CancelledError

    with pytest.raises(CancelledError):
        train_encoder(order, stop)
    assert kept.is_file()
    assert not order.output.exists()
    said: list[str] = []
    train_encoder(order, silent, said.append)
    assert said[0] == "Going on after 8 of 24 steps."
    assert order.output.is_file()
    assert not kept.exists()


def test_a_checkpoint_of_another_generator_is_refused(
    generator: Generator, other: Generator, tmp_path: Path
) -> None:
    from latentfu_builtin.encoders.training.run import save_encoder_training

    kept = tmp_path / "run.checkpoint"
    save_encoder_training(kept, EncoderTrainer.begin(other, SHORT))
    order = EncoderOrder(generator, tmp_path / "d.safetensors", SHORT, checkpoint=kept)
    with pytest.raises(WrongGeneratorError, match="run for other weights"):
        train_encoder(order, silent)


def test_pictures_of_a_folder_are_learned_too(generator: Generator, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(4):
        pixels = torch.from_numpy(picture_of(generator, seed)).permute(1, 2, 0).add(1).mul(127.5)
        Image.fromarray(pixels.to(torch.uint8).numpy()).save(folder / f"{seed}.png")
    few = replace(SHORT, pictures=160)
    order = EncoderOrder(generator, tmp_path / "e.safetensors", few, pictures=folder)
    assert "outside_psnr" in train_encoder(order, silent)
    with pytest.raises(BadInputError, match="only one of them"):
        train_encoder(replace(order, renderer="portraits"), silent)


def test_the_inverters_keep_the_contract(generator: Generator, home: Path) -> None:
    check_inverter(ENCODER, generator, {"loss": "none"})
    check_inverter(REFINED, generator, {"losses": "pixels:1", "steps": 10})


def test_a_few_steps_make_the_code_better(generator: Generator, home: Path) -> None:
    image = picture_of(generator, 11)
    quick = {**REFINED.options, "losses": "pixels:1", "steps": 20}
    first = ENCODER.invert(request(generator, image, **{**ENCODER.options, "loss": "none"}))
    better = REFINED.invert(request(generator, image, **quick))
    assert better.quality.psnr > first.quality.psnr + 1
    assert (first.method, better.method, better.steps) == ("encoder", "encoder-refined", 20)


def test_an_encoder_that_was_trained_again_is_asked_again(generator: Generator, home: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 255, (16, 16, 3), dtype=np.uint8)
    square = latentfu.Placement(corners=((0, 0), (16, 0), (16, 16), (0, 16)))

    def ask() -> torch.Tensor:
        with use_registry(Registry(all_sources())):
            found = latentfu.invert(pixels, generator=generator, inverter="encoder", placing=square)
        return found.latent.codes

    first = ask()
    assert torch.equal(first, ask())
    path = home / "data" / "encoders" / "small.safetensors"
    train_encoder(EncoderOrder(generator, path, replace(SHORT, seed=5, pictures=32)), silent)
    assert not torch.allclose(first, ask())


def test_they_fit_only_generators_that_have_an_encoder(
    generator: Generator, other: Generator, home: Path
) -> None:
    assert ENCODER.fits is not None
    assert ENCODER.fits(generator)
    with pytest.raises(NotInstalledError, match="latentfu train encoder"):
        ENCODER.fits(other)
    image = picture_of(other, 1)
    for inverter in (ENCODER, REFINED):
        with pytest.raises(NotInstalledError, match="latentfu train encoder"):
            inverter.invert(request(other, image, **inverter.options))
        with pytest.raises(WrongGeneratorError, match="was made for generator"):
            inverter.invert(request(other, image, **{**inverter.options, "encoder": "small"}))


def test_an_encoder_can_be_named_by_its_file(
    generator: Generator, other: Generator, trained: Path, house: Path, tmp_path: Path
) -> None:
    image = picture_of(generator, 12)
    named = {**ENCODER.options, "loss": "none", "encoder": str(trained)}
    shown = load_encoder(trained)(torch.from_numpy(image)[None])
    found = ENCODER.invert(request(generator, image, **named)).latent.codes
    torch.testing.assert_close(found, shown, atol=1e-3, rtol=1e-3)
    with pytest.raises(WrongGeneratorError, match="was made for generator"):
        ENCODER.invert(request(other, image, **named))
    text = tmp_path / "text.safetensors"
    text.write_text("no network")
    with pytest.raises(BadInputError, match="holds no encoder"):
        ENCODER.invert(request(generator, image, **{**named, "encoder": str(text)}))


def test_a_damaged_file_is_refused_in_a_sentence(trained: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.safetensors"
    short.write_bytes(trained.read_bytes()[:5000])
    with pytest.raises(BadInputError, match="cannot be read"):
        load_encoder(short)


def test_the_command_trains_lists_and_refuses(
    small: Path, house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--set", "pictures=64", "--set", "batch=16", "--set", "pool=32", "--set", "bf16=no"]
    assert run(["train", "encoder", str(small), "--name", "tiny one", *sizes, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Path(told["file"]) == house / "data" / "encoders" / "tiny-one.safetensors"
    with use_registry(Registry(all_sources())):
        assert run(["encoders", "list", "--json"]) == 0
    assert "tiny-one" in [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert run(["train", "encoder", str(small), "--set", "color=3"]) == 1
    assert "no option 'color'" in capsys.readouterr().err
    assert run(["train", "encoder", "nothing-there"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_encoder_for_earlier_weights_is_a_beginning(
    generator: Generator, other: Generator, trained: Path
) -> None:
    trainer = EncoderTrainer.begin(other, SHORT, trunk=read_trunk(trained))
    pictures = torch.rand(4, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        codes = trainer.encoder.eval()(pictures)
    torch.testing.assert_close(codes, load_encoder(trained)(pictures), atol=2e-3, rtol=1e-3)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_trunk(trained.with_name("nothing.safetensors"))


def test_larger_pictures_are_looked_at_smaller(generator: Generator) -> None:
    trainer = EncoderTrainer.begin(generator, SHORT)
    half = replace(trainer.own, size=8)
    assert half.draw(2, torch.Generator().manual_seed(0)).pictures.shape == (2, 3, 8, 8)
