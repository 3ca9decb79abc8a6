"""Training deformations: it learns, goes on where it stopped, and refuses what does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latentfu import BadInputError, CancelledError, WrongGeneratorError, silent
from latentfu.storage.deformations import Deformation, read_deformation
from latentfu_builtin.deformations.commands import train_deformations_command
from latentfu_builtin.deformations.convolution import ShiftedConvolution, decompose_weight
from latentfu_builtin.deformations.training.options import (
    PAPER_SETTINGS,
    QUICK_SETTINGS,
    DeformationTrainingOptions,
)
from latentfu_builtin.deformations.training.run_training import (
    STATE_FILE,
    TrainingOrder,
    train_deformations,
)
from latentfu_builtin.deformations.training.trainer import DeformationTrainer, ShiftPredictor
from latentfu_builtin.networks.stylegan.stylegan2 import (
    StyleGAN2,
    StyleGAN2Config,
    save_network,
)
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

SMALL = DeformationTrainingOptions(
    count=3, steps=6, batch=4, predictor="small", side=16, rate=0.01, predictor_rate=0.003
)


def a_generator(seed: int) -> StyleGAN2Generator:
    torch.manual_seed(seed)
    config = StyleGAN2Config(resolution=16, z_dim=6, w_dim=8, mapping_layers=2, channels=(6, 6, 4))
    network = StyleGAN2(config).eval().requires_grad_(False)
    return StyleGAN2Generator(network, f"small{seed}", f"{seed}" * 64, "test")


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    return a_generator(1)


def quiet(order: TrainingOrder, progress: object = silent) -> list[Deformation]:
    return train_deformations(order, progress, lambda text: None, lambda found, path: None)  # type: ignore[arg-type]


def test_the_predictor_learns_to_tell_the_directions(generator: StyleGAN2Generator) -> None:
    convolution = ShiftedConvolution(generator, 1)
    options = replace(SMALL, batch=8, shift_scale=40.0, min_shift=10.0, shift_weight=0.02)
    trainer = DeformationTrainer(convolution, decompose_weight(convolution.weight, 6), options)
    losses = [trainer.learn().loss for _ in range(60)]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    norms = torch.linalg.vector_norm(trainer.unit_directions().flatten(1), dim=1)
    assert torch.allclose(norms, torch.ones(3), atol=1e-4)
    with torch.no_grad():
        assert (trainer.rows - trainer.rows.mean()).abs().max() > 0


def test_shifts_keep_their_distance_from_nothing(generator: StyleGAN2Generator) -> None:
    convolution = ShiftedConvolution(generator, 1)
    options = replace(SMALL, batch=64, shift_scale=6.0, min_shift=2.0, shift_weight=0.25)
    _, which, shift = DeformationTrainer(
        convolution, decompose_weight(convolution.weight, 3), options
    ).draw_batch()
    assert shift.abs().min() >= 2.0 and shift.abs().max() <= 6.0
    assert {int(k) for k in which} == {0, 1, 2} and shift.min() < 0 < shift.max()


def test_samples_drawn_together_are_those_drawn_alone(generator: StyleGAN2Generator) -> None:
    convolution = ShiftedConvolution(generator, 1)
    basis = decompose_weight(convolution.weight, 3)
    options = replace(SMALL, batch=6, together=3, shift_scale=40.0, shift_weight=0.02)
    trainer = DeformationTrainer(convolution, basis, options)
    latent, which, shift = trainer.draw_batch()
    assert which[0] == which[1] == which[2] and shift[3] == shift[4] == shift[5]
    _, deformed = trainer.render_pairs(latent, which, shift)
    alone = DeformationTrainer(convolution, basis, replace(options, together=1))
    torch.testing.assert_close(alone.render_pairs(latent, which, shift)[1], deformed)
    with pytest.raises(BadInputError, match="must divide the batch"):
        replace(options, together=4)


def test_rehearsing_teaches_the_predictor_alone(generator: StyleGAN2Generator) -> None:
    convolution = ShiftedConvolution(generator, 1)
    basis = decompose_weight(convolution.weight, 6)
    options = replace(SMALL, batch=8, shift_scale=40.0, min_shift=10.0, shift_weight=0.02)
    plain = DeformationTrainer(convolution, basis, options)
    rehearsing = DeformationTrainer(convolution, basis, replace(options, rehearsals=4, memory=24))
    for trainer in (plain, rehearsing):
        trainer.learn()
    assert torch.equal(plain.rows, rehearsing.rows)
    assert not torch.equal(plain.predictor.which.weight, rehearsing.predictor.which.weight)
    for _ in range(4):
        rehearsing.learn()
    assert sum(len(batch.which) for batch in rehearsing.memory.kept) == 24
    some = rehearsing.memory.draw(50, rehearsing.random)
    assert some.plain.shape == (50, 3, 16, 16) and not some.deformed.requires_grad


class Stops:
    """A progress that is cancelled while the fourth step is reported."""

    def __call__(self, fraction: float, message: str = "") -> None:
        if message.startswith("Step 4"):
            raise CancelledError


@pytest.mark.parametrize("method", ["svd", "hessian"])
def test_an_interrupted_training_ends_as_if_it_had_not_been(
    generator: StyleGAN2Generator, tmp_path: Path, method: str
) -> None:
    order = TrainingOrder(
        generator, 1, method, tmp_path / "whole", SMALL, samples=2, distance="pixels"
    )
    whole = quiet(order)
    broken = replace(order, out=tmp_path / "broken")
    with pytest.raises(CancelledError):
        quiet(broken, Stops())
    assert (broken.out / STATE_FILE).is_file()
    resumed = quiet(broken)
    for one, other in zip(whole, resumed, strict=True):
        a, b = torch.from_numpy(one.shift), torch.from_numpy(other.shift)
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(a.abs().max()))
    assert json.loads((broken.out / "log.jsonl").read_text().splitlines()[-1])["step"] == 6


def test_another_network_or_count_is_refused(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    order = TrainingOrder(generator, 1, "svd", tmp_path, replace(SMALL, steps=1), samples=2)
    order = replace(order, distance="pixels")
    quiet(order)
    with pytest.raises(WrongGeneratorError, match="another generator"):
        quiet(replace(order, generator=a_generator(2)))
    with pytest.raises(BadInputError, match="3 directions in the svd basis"):
        quiet(replace(order, options=replace(SMALL, count=2)))
    with pytest.raises(BadInputError, match=r"begun with rate = 0\.01, not 0\.5: give the options"):
        quiet(replace(order, options=replace(SMALL, rate=0.5)))
    with pytest.raises(BadInputError, match="begun with rehearsals = 0, not 2"):
        quiet(replace(order, options=replace(SMALL, rehearsals=2)))
    assert len(quiet(replace(order, options=replace(SMALL, steps=2)))) == 3
    with pytest.raises(BadInputError, match="no basis"):
        quiet(replace(order, method="pca", out=tmp_path / "other"))
    with pytest.raises(BadInputError, match="at most"):
        quiet(replace(order, options=replace(SMALL, basis=4000), out=tmp_path / "other"))


def test_options_are_the_papers_and_wrong_ones_are_one_sentence() -> None:
    options = DeformationTrainingOptions()
    assert (options.rate, options.steps, options.batch) == (1e-4, 100_000, 32)
    filled = options.fill("hessian", 60.0)
    assert {name: getattr(filled, name) for name in PAPER_SETTINGS["hessian"]} == PAPER_SETTINGS[
        "hessian"
    ]
    filled = options.fill("svd", 3500.0)
    for name, value in PAPER_SETTINGS["svd"].items():
        assert getattr(filled, name) == pytest.approx(value)
    given = {name: str(value) for name, value in QUICK_SETTINGS.items()}
    quick = DeformationTrainingOptions.from_settings(given, options).fill("hessian", 40.0)
    assert (quick.shift_scale, quick.min_shift) == (70.0, 17.5)
    assert (quick.together, quick.predictor, quick.steps) == (4, "small", 100_000)
    for settings in ({"nothing": "1"}, {"rate": "x"}, {"predictor": "large"}, {"batch": "0"}):
        with pytest.raises(BadInputError):
            DeformationTrainingOptions.from_settings(settings, DeformationTrainingOptions())


def test_the_predictors_see_pairs_of_any_size() -> None:
    for kind in ("resnet", "small"):
        predictor = ShiftPredictor(kind, 5, 32).eval()
        logits, shift = predictor(torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64))
        assert logits.shape == (2, 5) and shift.shape == (2,)


def test_the_command_trains_and_draws(
    generator: StyleGAN2Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    out, weights = tmp_path / "found", tmp_path / "small.safetensors"
    save_network(weights, generator.network, {"domain": "test"})
    arguments = ["--generator", str(weights), "--layer", "1", "--method", "svd", "--count", "2"]
    arguments += ["--steps", "2", "--samples", "2", "--out", str(out), "--json"]
    settings = ["--set", "batch=4", "--set", "rehearsals=1", "--distance", "pixels"]
    ran = CliRunner().invoke(train_deformations_command, [*arguments, "--quick", *settings])
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.output)
    assert [row["name"] for row in report] == ["optimized-1-0", "optimized-1-1"]
    assert (out / "samples-000002.png").stat().st_size > 1000
    assert read_deformation(out / "optimized-1-0.safetensors").norm > 0
    wrong = CliRunner().invoke(train_deformations_command, [*arguments, "--set", "batch"])
    assert wrong.exit_code == 2 and "NAME=VALUE" in wrong.output
