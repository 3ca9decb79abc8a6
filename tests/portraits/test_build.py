"""``latentfu build``: what is made from a generator's weights, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latentfu.cli.build import build_command
from latentfu.storage.deformations import read_deformation
from latentfu_builtin.portraits.rebuild.weights import CHOSEN_DEFORMATIONS, pick_direction
from latentfu_builtin.portraits.shipped import DEFORMATIONS, DIRECTIONS
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


@pytest.mark.parametrize(
    ("step", "picture", "size"),
    [
        ("samples", "samples-psi-0.7.jpg", (12 * 128, 4 * 128)),
        ("bends", "deformations.jpg", None),
        ("leakage", "leakage.png", None),
    ],
)
def test_the_pictures_of_the_card_are_drawn_anew(
    step: str, picture: str, size: tuple[int, int] | None, tmp_path: Path
) -> None:
    words = ["portraits", "--only", f"portraits-{step}", "--out", str(tmp_path)]
    ran = CliRunner().invoke(build_command, words)
    assert ran.exit_code == 0, ran.output
    with Image.open(tmp_path / "images" / picture) as drawn:
        assert size is None or drawn.size == size
        assert len(set(drawn.convert("L").tobytes())) > 50, "nothing is drawn"


def test_the_table_says_what_each_shipped_direction_does(tmp_path: Path) -> None:
    words = ["portraits", "--only", "portraits-table", "--out", str(tmp_path)]
    assert CliRunner().invoke(build_command, words).exit_code == 0
    lines = (tmp_path / "directions.md").read_text().splitlines()
    rows = {line.split("|")[1].strip(): line.split("|")[2] for line in lines if "|" in line}
    shipped = {path.stem for path in DIRECTIONS.glob("*.safetensors")}
    assert shipped <= set(rows) and float(rows["yaw"]) > 0.5


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
