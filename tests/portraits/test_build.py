"""``latentfu build``: what is made from a generator's weights, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from click.testing import CliRunner
from latentfu.cli.build import build_command
from latentfu.storage.deformations import read_deformation
from latentfu_builtin.portraits.rebuild.weights import CHOSEN_DEFORMATIONS, pick_direction
from latentfu_builtin.portraits.shipped import DEFORMATIONS
from PIL import Image


def test_the_steps_are_listed_in_their_order() -> None:
    ran = CliRunner().invoke(build_command, ["portraits", "--list", "--json"])
    steps = json.loads(ran.output)
    orders = [step["order"] for step in steps]
    assert orders == sorted(orders)
    names = [step["step"] for step in steps]
    assert names.index("portraits-directions") < names.index("portraits-figures")


def test_one_step_writes_its_pictures_into_a_folder(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        build_command, ["portraits", "--only", "portraits-mixing", "--out", str(tmp_path)]
    )
    assert ran.exit_code == 0, ran.output
    with Image.open(tmp_path / "images" / "mixing.jpg") as picture:
        assert picture.width == 6 * 128 and picture.height == 7 * 128
        assert len(set(picture.convert("L").tobytes())) > 50


def test_unknown_generators_and_steps_are_named() -> None:
    nothing = CliRunner().invoke(build_command, ["nobody"])
    assert nothing.exit_code == 2 and "'nobody'" in nothing.output
    unknown = CliRunner().invoke(build_command, ["portraits", "--only", "soup"])
    assert unknown.exit_code == 2 and "'soup'" in unknown.output


def test_a_deformation_is_found_again_on_weights_that_were_trained_on() -> None:
    """Whatever its sign, and mixed with others; on other weights the choice's own place counts."""
    choice = CHOSEN_DEFORMATIONS[0]
    shift = torch.from_numpy(read_deformation(DEFORMATIONS / f"{choice.name}.safetensors").shift)
    shift = shift / shift.norm()
    random = torch.Generator().manual_seed(0)
    others = torch.randn(20, shift.numel(), generator=random)
    mixed = torch.cat([others[:8], others[:1] / others[0].norm() - shift.flatten()[None]])
    known, foreign = (
        torch.linalg.qr(found.T).Q.T.reshape(-1, *shift.shape) for found in (mixed, others)
    )
    assert float((pick_direction(choice, known) * shift).sum()) > 0.99
    assert torch.equal(pick_direction(choice, foreign), choice.sign * foreign[choice.place])
