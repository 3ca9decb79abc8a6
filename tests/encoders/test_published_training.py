"""Training the published architectures, also for generators with w++."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from latentfu import BadInputError, CancelledError, Generator, random_latents, silent
from latentfu.cli.main import run
from latentfu_builtin.encoders.encoder_file import load_encoder
from latentfu_builtin.encoders.encoder_header import read_encoder_header
from latentfu_builtin.encoders.import_encoder import load_published_encoder
from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder
from latentfu_builtin.encoders.training.students import list_trainable, read_trunk
from latentfu_builtin.encoders.training.trainer import EncoderTrainer
from safetensors.torch import save_file

from tests.support.token_world import token_generator

SHORT = EncoderTrainingOptions(
    pictures=16, batch=4, pool=16, fresh=2, seen=4, rate=1e-3, bf16=False, code=0.0, pixel=0.0,
    l2=1.0, perceptual=0.8,
)  # fmt: skip


def own_codes(generator: Generator, count: int = 3) -> torch.Tensor:
    return generator.render(random_latents(generator, count, 5)).clamp(-1, 1)


@pytest.mark.parametrize("architecture", ["psp", "e4e", "psp-w", "psp-w-plus"])
def test_each_is_trained_and_its_file_is_read_as_an_imported_one(
    generator: Generator, tmp_path: Path, architecture: str
) -> None:
    options = replace(SHORT, architecture=architecture)
    order = EncoderOrder(generator, tmp_path / "a.safetensors", options)
    figures = train_encoder(order, silent)
    assert figures["own_psnr"] > 0
    header = read_encoder_header(order.output)
    assert header["architecture"] == architecture
    assert json.loads(header["figures"]).keys() == figures.keys() - {"seconds"}
    encoder = load_published_encoder(order.output, generator)
    codes = encoder(own_codes(generator))
    assert codes.shape == ((3, 16) if architecture == "psp-w" else (3, 6, 16))


def test_more_lessons_make_it_better(generator: Generator, tmp_path: Path) -> None:
    few = replace(SHORT, architecture="psp", pictures=4, rate=1e-6)
    many = replace(few, pictures=120, batch=8, rate=4e-3, pool=64, code=1.0)
    before = train_encoder(EncoderOrder(generator, tmp_path / "a.safetensors", few), silent)
    after = train_encoder(EncoderOrder(generator, tmp_path / "b.safetensors", many), silent)
    assert after["own_psnr"] > before["own_psnr"] + 0.2


@pytest.mark.parametrize("architecture", ["pyramid", "psp"])
def test_tokens_of_w_plus_plus_are_counted_from_their_own_means(
    tmp_path: Path, architecture: str
) -> None:
    generator = token_generator()
    options = replace(SHORT, architecture=architecture)
    order = EncoderOrder(generator, tmp_path / "a.safetensors", replace(options, rate=1e-6))
    trainer = EncoderTrainer.begin(generator, order.options)
    codes = random_latents(generator, 500, 1).codes
    white = trainer.spread.whitened(codes)
    assert white.mean(dim=0).abs().max() < 0.2
    torch.testing.assert_close(trainer.spread.codes(white), codes, atol=1e-4, rtol=1e-4)
    train_encoder(order, silent)
    read = load_encoder if architecture == "pyramid" else load_published_encoder
    encoder = (
        read(order.output)
        if read is load_encoder
        else load_published_encoder(order.output, generator)
    )
    found = encoder(own_codes(generator))
    assert found.shape == generator.mean_latent().codes.expand(3, -1, -1).shape


def test_an_interrupted_run_goes_on_and_figures_are_said(
    generator: Generator, tmp_path: Path
) -> None:
    kept = tmp_path / "run.checkpoint"
    options = replace(SHORT, architecture="psp-w", measure=8)
    order = EncoderOrder(generator, tmp_path / "c.safetensors", options, checkpoint=kept)

    def stop(fraction: float, message: str = "") -> None:
        if message.startswith("Step 2 "):
            raise CancelledError

    with pytest.raises(CancelledError):
        train_encoder(order, stop)
    said: list[str] = []
    train_encoder(order, silent, said.append)
    assert said[0] == "Going on after 2 of 4 steps."
    assert "own_psnr" in said[1]
    assert read_encoder_header(order.output)["architecture"] == "psp-w"


def test_it_begins_with_a_trunk_that_fits(generator: Generator, tmp_path: Path) -> None:
    options = replace(SHORT, architecture="psp")
    first = EncoderTrainer.begin(generator, options).encoder
    trunk = {
        name.removeprefix("network."): value.clone().contiguous()
        for name, value in first.state_dict().items()
        if name.startswith(("network.body.", "network.input_layer."))
    }
    trunk["input_layer.0.weight"] += 1.0
    save_file(trunk, tmp_path / "trunk.safetensors")
    begun = EncoderTrainer.begin(
        generator, options, trunk=read_trunk(tmp_path / "trunk.safetensors")
    )
    state = begun.encoder.state_dict()
    assert torch.equal(state["network.input_layer.0.weight"], trunk["input_layer.0.weight"])
    slow, usual = (group["highest"] for group in begun.adam.param_groups)
    assert slow < usual
    trunk["input_layer.0.weight"] = torch.zeros(3, 3)
    with pytest.raises(BadInputError, match=r"input_layer\.0\.weight differs"):
        EncoderTrainer.begin(generator, options, trunk=trunk)


def test_the_command_names_what_can_be_trained(
    small: Path, house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "encoder", str(small), "-o", str(tmp_path / "p.safetensors")]
    sizes = ["pictures=8", "batch=4", "pool=8", "width=0.1", "bf16=no", "l2=1", "identity=0"]
    changes = [word for size in sizes for word in ("--set", size)]
    assert run([*words, "--architecture", "psp", *changes, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["own_psnr"] > 0
    assert run([*words, "--architecture", "resnet"]) == 1
    assert ", ".join(list_trainable()) in capsys.readouterr().err
