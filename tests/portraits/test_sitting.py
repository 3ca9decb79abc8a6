"""``latentfu render portraits``: people to try things on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from latentfu.cli.main import run
from latentfu_builtin.portraits.render_portraits import (
    FIRST_PORTRAIT_SEED,
    PortraitSpec,
    render_portrait,
)
from latentfu_builtin.portraits.renderer import FACTOR_NAMES, sample
from PIL import Image


def test_the_command_writes_pictures_of_the_size_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--count", "2", "--width", "64", "--height", "80", "--set", "glasses=1", "--json"]
    assert run(["render", "portraits", "-o", str(tmp_path), *words]) == 0
    told = json.loads(capsys.readouterr().out)["files"]
    assert [Path(file).parent for file in told] == [tmp_path, tmp_path]
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        f"portrait-{FIRST_PORTRAIT_SEED}.png",
        f"portrait-{FIRST_PORTRAIT_SEED + 1}.png",
    ]
    one, two = (np.asarray(Image.open(tmp_path / name)) for name in names)
    assert one.shape == (80, 64, 3) and (one != two).mean() > 0.5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "smil=1"], "There is no factor 'smil'"),
        (["--set", "smile=3"], "goes from -1 to 1"),
        (["--set", "smile"], "is not NAME=NUMBER"),
        (["--width", "3"], "16 to 8192"),
    ],
)
def test_wrong_use_is_one_sentence(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["render", "portraits", "-o", str(tmp_path / "out"), *words]) == 1
    error = capsys.readouterr().err.strip()
    assert said in error and len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_factor_set_by_hand_changes_the_picture_and_the_room_only_the_wall() -> None:
    plain = PortraitSpec(FIRST_PORTRAIT_SEED, 48, 60, room=False)
    shown = render_portrait(plain).numpy().astype(int)
    room = render_portrait(PortraitSpec(FIRST_PORTRAIT_SEED, 48, 60)).numpy().astype(int)
    other = render_portrait(
        PortraitSpec(FIRST_PORTRAIT_SEED, 48, 60, False, {"hat": 1.0 - 2.0 * hat()})
    ).numpy()
    assert (shown != other).any()
    same = (shown == room).all(axis=2)
    assert 0.15 < same.mean() < 0.9  # head and shoulders stay, the wall changes


def hat() -> float:
    value = float(sample(1, seed=FIRST_PORTRAIT_SEED)[0, FACTOR_NAMES.index("hat")])
    return 1.0 if value > 0 else 0.0


@pytest.mark.slow
@pytest.mark.usefixtures("isolated_home")
def test_a_portrait_with_a_room_behind_is_not_called_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["render", "portraits", "-o", str(tmp_path)]) == 0
    capsys.readouterr()
    portrait, latent = (
        tmp_path / f"portrait-{FIRST_PORTRAIT_SEED}.png",
        tmp_path / "found.safetensors",
    )
    assert run(["invert", str(portrait), "-o", str(latent), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["outside"], told["warning"]) == (False, "")
    assert told["psnr"] > 28
