"""An encoder that was shown photographs of its lessons reads photographs better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from latentfu import BadInputError, Generator, random_latents, silent
from latentfu_builtin.encoders.encoder_file import load_encoder
from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.encoders.training.photographs import change_into_photographs
from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder

SHORT = EncoderTrainingOptions(pictures=16 * 150, batch=16, pool=256, fresh=8, seen=0, bf16=False)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("side", [8, 16, 64])
def test_pictures_stay_pictures(side: int) -> None:
    plain = torch.rand(40, 3, side, side, generator=seeded()) * 2 - 1
    changed = change_into_photographs(plain, 0.5, seeded(1))
    assert changed.shape == plain.shape
    assert changed.min() >= -1
    assert changed.max() <= 1
    same = (changed == plain).flatten(1).all(1)
    assert 8 <= int(same.sum()) <= 32
    assert torch.equal(changed, change_into_photographs(plain, 0.5, seeded(1)))
    assert torch.equal(plain, change_into_photographs(plain, 0.0, seeded(1)))


def test_some_photographs_are_gray() -> None:
    colors = torch.tensor([0.9, 0.0, -0.9])[None, :, None, None].expand(60, 3, 32, 32)
    changed = change_into_photographs(colors.contiguous(), 1.0, seeded(2))
    spread = (changed.amax(1) - changed.amin(1)).flatten(1).median(1).values
    assert int((spread < 0.3).sum()) >= 3
    assert int((spread > 0.8).sum()) >= 10


def test_it_reads_photographs_better_than_one_that_saw_none(
    generator: Generator, tmp_path: Path
) -> None:
    errors = {}
    latents = random_latents(generator, 96, seed=77)
    codes = latents.codes
    with torch.no_grad():
        plain = generator.render(latents).clamp(-1, 1)
    photographs = change_into_photographs(plain, 1.0, seeded(5))
    for share in (0.0, 0.7):
        path = tmp_path / f"{share}.safetensors"
        options = replace(SHORT, photograph=share)
        train_encoder(EncoderOrder(generator, path, options), silent)
        found = load_encoder(path)(photographs)
        errors[share] = float((found - codes.expand_as(found)).square().mean())
    assert errors[0.7] < 0.95 * errors[0.0]


def test_an_identity_that_nobody_knows_is_said(generator: Generator, tmp_path: Path) -> None:
    order = EncoderOrder(generator, tmp_path / "a.safetensors", replace(SHORT, identity=1.0))
    with pytest.raises(BadInputError, match="No installed plug-in knows identities"):
        train_encoder(order, silent)


def test_shares_beyond_all_are_refused() -> None:
    with pytest.raises(BadInputError, match=r"photograph is 1\.5: 0\.0 to 1\.0"):
        EncoderTrainingOptions(photograph=1.5)
