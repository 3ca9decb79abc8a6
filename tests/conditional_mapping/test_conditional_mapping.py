"""A mapping that gives one picture what a scorer reads of another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, CancelledError, Exemplar, Generator, Scorer, random_latents
from latentfu.core.progress import silent
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.conditional_mapping.checkpoint import (
    restore_mapping_training,
    save_mapping_training,
)
from latentfu_builtin.conditional_mapping.mapping_controls import list_mapping_controls
from latentfu_builtin.conditional_mapping.mapping_file import mappings_folder
from latentfu_builtin.conditional_mapping.options import ConditionalOptions
from latentfu_builtin.conditional_mapping.train_mapping import (
    ConditionalTrainer,
    train_conditional_mapping,
)
from latentfu_builtin.networks.stylegan.conditional_mapping import (
    ConditionalMapping,
    ConditionalMappingConfig,
)
from PIL import Image

from tests.directions.test_directions_in_w_plus_plus import SCORER, Tokens
from tests.support import engine_world
from tests.support.program import Program

QUICK = ConditionalOptions(
    pictures=3200, batch=16, pool=256, fresh=8, rate=1e-2, width=64, blocks=2, kept=1.0, step=0.01,
    adversarial=0.0, bf16=False,
)  # fmt: skip
SET = [
    f"{name}={getattr(QUICK, name)}"
    for name in ("pictures", "batch", "pool", "rate", "width", "blocks", "kept", "step")
]


@pytest.fixture
def home(isolated_home: Path) -> Iterator[Path]:
    engine_world.furnish(isolated_home)
    with use_registry(Registry(all_sources())):
        yield isolated_home


@pytest.fixture
def little(home: Path) -> Generator:
    return latentfu.open_generator("little", "cpu")


def halves() -> Scorer:
    return latentfu.scorers()["halves"]


def save_picture(generator: Generator, seed: int, path: Path) -> Path:
    image = generator.render(random_latents(generator, 1, seed))[0].clamp(-1, 1)
    pixels = ((image.permute(1, 2, 0) + 1) * 127.5).round().to(torch.uint8).detach().numpy()
    Image.fromarray(pixels).resize((64, 64), Image.Resampling.NEAREST).save(path)
    return path


def test_before_it_has_learned_it_changes_nothing() -> None:
    mapping = ConditionalMapping(ConditionalMappingConfig(4, 16, 2, width=32, blocks=1))
    step = mapping(torch.randn(3, 4, 16), torch.randn(3, 2), torch.randn(3, 2))
    assert step.shape == (3, 4, 16)
    assert not bool(step.any())


def test_what_is_wanted_comes_nearer(little: Generator) -> None:
    trainer = ConditionalTrainer.begin(little, halves(), ["above", "below"], QUICK)
    figures = train_conditional_mapping(trainer, silent)
    assert figures["after"] < 0.4 * figures["before"]
    assert figures["moved"] == 0.0


def test_what_else_is_seen_is_kept_by_its_weight(little: Generator) -> None:
    moved = []
    for weight in (0.0, 5.0):
        options = replace(QUICK, pictures=1600, kept=weight)
        trainer = ConditionalTrainer.begin(little, halves(), ["above"], options)
        moved.append(train_conditional_mapping(trainer, silent)["moved"])
    assert moved[1] < 0.6 * moved[0]


def test_the_discriminator_takes_part_and_it_can_be_cancelled(little: Generator) -> None:
    few = replace(QUICK, pictures=64, adversarial=0.1)
    trainer = ConditionalTrainer.begin(little, halves(), ["above", "below"], few)
    before = [p.detach().clone() for p in trainer.judge.parameters()]
    seen: list[str] = []

    def stop(done: float, message: str = "") -> None:
        seen.append(message)
        if message.startswith("Step 3 "):
            raise CancelledError

    with pytest.raises(CancelledError):
        train_conditional_mapping(trainer, stop)
    assert "adversarial" in seen[-1]
    assert "judge" in seen[-1]
    after = trainer.judge.parameters()
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_an_interrupted_run_goes_on(little: Generator, tmp_path: Path) -> None:
    few, path = replace(QUICK, pictures=320, adversarial=0.1), tmp_path / "run.checkpoint"
    trainer = ConditionalTrainer.begin(little, halves(), ["above"], few)

    def stop(done: float, message: str = "") -> None:
        if message.startswith("Step 7 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_conditional_mapping(trainer, stop, lambda: save_mapping_training(path, trainer))
    second = ConditionalTrainer.begin(little, halves(), ["above"], few)
    restore_mapping_training(path, second)
    assert second.step == 7
    for one, two in ((trainer.mapping, second.mapping), (trainer.judge, second.judge)):
        assert all(map(torch.equal, one.state_dict().values(), two.state_dict().values()))
    state = next(iter(second.adam.state.values()))
    assert int(state["step"]) == 7 and bool(state["exp_avg"].any())
    figures = train_conditional_mapping(second, silent)
    assert second.step == 20 and figures["after"] < figures["before"]
    other = ConditionalTrainer.begin(little, halves(), ["below"], few)
    with pytest.raises(BadInputError, match="other attributes"):
        restore_mapping_training(path, other)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(BadInputError, match="cannot be read: remove it"):
        restore_mapping_training(path, second)


def test_tokens_of_w_plus_plus_learn_too() -> None:
    class Differentiable(Tokens):
        def render(self, latent: Any, noise: Any = "const", features: Any = None) -> torch.Tensor:
            return latent.codes.flatten(1)[:, None, :, None].expand(-1, 3, 12, 12).float() / 60

    trainer = ConditionalTrainer.begin(Differentiable(), SCORER, ["one"], QUICK)
    figures = train_conditional_mapping(trainer, silent)
    assert figures["after"] < 0.6 * figures["before"]


def test_from_the_command_to_an_edited_picture(
    home: Path, little: Generator, latentfu_program: Program, tmp_path: Path
) -> None:
    words = ["train", "conditional-mapping", "little", "--attribute", "above", "--threads", "1"]
    changes = [word for each in SET for word in ("--set", each)]
    ran = latentfu_program(*words, *changes, "--set", "adversarial=0", "--json")
    assert ran.code == 0, ran.err
    told = ran.json
    assert told["name"] == "above_like"
    assert told["attributes"] == ["above"]
    assert not Path(told["file"]).with_suffix(".checkpoint").exists()
    assert Path(told["file"]).parent == mappings_folder()
    (control,) = list_mapping_controls(mappings_folder(), little.id)
    assert control.widget == "picture"
    assert latentfu.controls("little")["above_like"].facts["scorer"] == "halves"

    score = engine_world.load_brightness("cpu")
    effect: Any = control.load_for(little)
    first, second = random_latents(little, 1, 3), random_latents(little, 1, 8)
    image = little.render(second).clamp(-1, 1)
    moved = effect.apply_value(first, Exemplar(image, second), little)
    read = [score(little.render(one).clamp(-1, 1))[0, 0] for one in (first, moved, second)]  # type: ignore[operator]
    assert abs(float(read[1] - read[2])) < 0.6 * abs(float(read[0] - read[2]))

    a, b = (save_picture(little, seed, tmp_path / f"{seed}.png") for seed in (3, 8))
    method = ("--generator", "little", "--inverter", "w-plus", "--losses", "pixels")
    quick = ("--generator", "little", "--inverter", "w-plus", "--option", "losses=pixels")
    edited = latentfu_program(
        "edit", a, "-o", tmp_path / "e.png", "--set", f"above_like=@{b}", *quick
    )
    assert edited.code == 0, (edited.err, method)
    given = latentfu_program(
        "transfer", a, b, "-o", tmp_path / "t.png", "--attributes", "above", "--method", "mapping",
        *quick,
    )  # fmt: skip
    assert given.code == 0, given.err
    one, two = (np.asarray(Image.open(tmp_path / name)) for name in ("e.png", "t.png"))
    named = ("transfer", a, b, "-o", tmp_path / "n.png", "--along", "above_like", *quick)
    by_name = latentfu_program(*named)
    assert by_name.code == 0, by_name.err
    assert f"above_like as in {b}" in by_name.out
    assert np.array_equal(one, two)
    assert np.array_equal(one, np.asarray(Image.open(tmp_path / "n.png")))
    assert not np.array_equal(one, np.asarray(Image.open(a)))
    common = ("transfer", a, b, "-o", tmp_path / "u.png", "--method", "mapping", *quick)
    for wrong, said in (
        (("--attributes", "below"), "no conditional mapping for 'below'"),
        (("--attributes", "above", "--scale", "2"), "goes the whole way: use a scale of 1"),
        (("--along", "above"), "There is no control 'above'"),
    ):
        refused = latentfu_program(*common, *wrong)
        assert refused.code == 1
        assert said in refused.err
    assert not (tmp_path / "u.png").exists()
    again = latentfu_program(*words, *changes, "--name", "smile like")
    assert again.code == 1
    assert "cannot be a control's name" in again.err


def test_the_two_ways_are_compared_on_the_same_pairs(
    home: Path, little: Generator, latentfu_program: Program
) -> None:
    few = replace(QUICK, pictures=480)
    trainer = ConditionalTrainer.begin(little, halves(), ["above"], few)
    train_conditional_mapping(trainer, silent)
    folder = mappings_folder()
    folder.mkdir(parents=True)
    trainer.store().save(folder / "m.safetensors", little, {"name": "above_like"})
    compare = ("evaluate", "transfer", "little", "--mapping", "above_like", "--pairs", "6")
    lacking = latentfu_program(*compare)
    assert lacking.code == 1
    assert "directions train above" in lacking.err
    trained = latentfu_program(
        "directions", "train", "above", "--generator", "little", "--maker", "ridge",
        "--samples", "300", "--name", "above",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    ran = latentfu_program(*compare, "--json")
    assert ran.code == 0, ran.err
    ways = {way["way"]: way for way in ran.json["ways"]}
    assert list(ways) == ["nothing", "directions", "mapping"]
    assert ways["nothing"]["moved"] == 0.0
    assert ways["mapping"]["distance"] < ways["nothing"]["distance"]
    assert ways["directions"]["distance"] < ways["nothing"]["distance"]
    assert ways["mapping"]["likeness"] is None
    assert "from the reference" in latentfu_program(*compare).out


@pytest.mark.parametrize(("words", "said"), [
    (["--attributes", "hair"], "reads nothing of 'hair' here"),
    (["--attribute", "width"], "does not read 'width'; it reads above, below"),
    ([], "Say what is given over"),
    (["--attribute", "above", "--scorer", "nobody"], "There is no scorer 'nobody'"),
    (["--attribute", "above", "--set", "color=3"], "There is no option 'color'"),
    (["--attribute", "above", "--set", "width=20"], "a multiple of 16"),
])  # fmt: skip
def test_what_cannot_be_done_is_a_sentence(
    home: Path, latentfu_program: Program, words: list[str], said: str
) -> None:
    ran = latentfu_program("train", "conditional-mapping", "little", *words)
    assert ran.code == 1
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert not mappings_folder().exists()


def test_a_scorer_without_gradients_is_refused(little: Generator) -> None:
    deaf = replace(halves(), load=lambda device: lambda images: torch.ones(len(images), 2))
    with pytest.raises(BadInputError, match="have no gradient"):
        ConditionalTrainer.begin(little, deaf, ["above"], QUICK)


def test_the_shipped_scorer_can_be_learned_from() -> None:
    score = latentfu.scorers()["portraits"].load("cpu")
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    assert not score(images).requires_grad
    score(images.requires_grad_(True)).sum().backward()
    assert images.grad is not None
    assert bool(images.grad.any())


def test_a_damaged_file_is_left_out_or_refused(little: Generator, tmp_path: Path) -> None:
    trainer = ConditionalTrainer.begin(little, halves(), ["above"], replace(QUICK, pictures=16))
    folder = tmp_path / "mappings"
    folder.mkdir()
    whole = folder / "whole.safetensors"
    trainer.store().save(whole, little, {"name": "above_like"})
    (folder / "text.safetensors").write_text("no file of tensors")
    short = folder / "a-short.safetensors"
    short.write_bytes(whole.read_bytes()[:2000])
    assert [c.name for c in list_mapping_controls(folder, little.id)] == ["above_like"]
    assert list_mapping_controls(folder, "0" * 64) == []
    header = whole.read_bytes().replace(b'\\"width\\": 64', b'\\"width\\": 32')
    whole.write_bytes(header)
    (control,) = list_mapping_controls(folder, little.id)
    with pytest.raises(BadInputError, match="cannot be used"):
        control.load_for(little)
    assert json.loads(json.dumps(control.facts["attributes"])) == ["above"]
