"""How well an encoder does on pictures that it has not seen."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from latentfu_builtin.encoders.training.sources import Lesson, Lessons, codes_of, rendered
from latentfu_builtin.encoders.training.trainer import Trainer, code_error
from latentfu_builtin.networks.encoders.pyramid_encoder import resized

UNSEEN_SEED = 918_273
PORTION = 16


@torch.no_grad()
def figures(trainer: Trainer, count: int = 64) -> dict[str, float]:
    """PSNR in dB, perceptual distance and the codes' error, at the size that is looked at.

    ``own``: random pictures of the generator; ``outside``: those of the other source.
    """
    trainer.encoder.eval()
    plain = replace(trainer.own, apart=0.0)
    sources: dict[str, Lessons] = {"own": plain}
    if trainer.outside is not None:
        sources["outside"] = trainer.outside
    found: dict[str, float] = {}
    for name, source in sources.items():
        random = torch.Generator().manual_seed(UNSEEN_SEED)
        lessons = [source.draw(PORTION, random) for _ in range(max(1, count // PORTION))]
        rows = [measured(trainer, lesson) for lesson in lessons]
        for figure in rows[0]:
            found[f"{name}_{figure}"] = round(sum(row[figure] for row in rows) / len(rows), 4)
    return found


def measured(trainer: Trainer, lesson: Lesson) -> dict[str, float]:
    """The figures of some pictures."""
    targets = lesson.pictures.to(trainer.generator.device).clamp(-1, 1)
    offsets = trainer.encoder.offsets(targets)
    codes = codes_of(trainer.spread, offsets, trainer.generator)
    images = rendered(trainer.generator, codes, False).clamp(-1, 1)
    images = resized(images, targets.shape[-1])
    errors = (images - targets).square().mean(dim=(1, 2, 3)).clamp(min=1e-10)
    row = {"psnr": float((10.0 * torch.log10(4.0 / errors)).mean())}
    if trainer.perceptual is not None:
        row["perceptual"] = float(trainer.perceptual(images, targets).mean())
    if bool(lesson.known.any()):
        row["code_error"] = float(code_error(offsets, lesson, trainer.spread))
    return {name: value for name, value in row.items() if math.isfinite(value)}
