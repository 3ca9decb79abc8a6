"""The second and third table: how well each space shows pictures that it did not make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import latentfu
import numpy as np
import torch
from latentfu import (
    Crop,
    Generator,
    Inversion,
    InversionRequest,
    Progress,
    Quad,
    between,
    check_cancelled,
    silent,
)

from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder
from latentfu_builtin.stylegan.training.source import open_teacher, teacher_normals
from latentfu_builtin.wplusplus_study.study_networks import open_study_network
from latentfu_builtin.wplusplus_study.study_plan import StudyPlan

SPACES = {"w": "mlp", "w+": "mlp", "w++": "attention"}
"""Each space, and whose it is."""
_PORTION = 16
Options = dict[str, float | int | str | bool]
"""Of an inverter, by name."""


def measure_inversion(plan: StudyPlan, progress: Progress) -> None:
    """Project and encode the same renders in w, w+ and w++."""
    pictures = draw_unseen_pictures(plan, plan.inverted)
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {"projector": {}, "encoder": {}}
    for number, (space, mapping) in enumerate(SPACES.items()):
        part = between(progress, number / 3, (number + 1) / 3)
        generator = open_study_network(plan, mapping)
        encoder = train_study_encoder(plan, space, generator, between(part, 0.0, 0.4))
        learned: Options = {"encoder": str(encoder), "loss": "auto"}
        searched: Options = {"space": space, "steps": plan.projector_steps}
        for way, inverter, options, share in (
            ("encoder", "encoder", learned, (0.4, 0.5)),
            ("projector", "stylegan2-projector", searched, (0.5, 1.0)),
        ):
            made = invert_all(generator, inverter, options, pictures, between(part, *share))
            found[way][space] = _sum_up(made)
    plan.keep_figures("inversion", found)


def draw_unseen_pictures(plan: StudyPlan, count: int) -> torch.Tensor:
    """Renders that no network was trained on, ``[count, 3, R, R]`` in -1..1."""
    teacher, random = open_teacher(plan.renderer), torch.Generator().manual_seed(plan.seed + 77)
    drawn = []
    for start in range(0, count, _PORTION):
        z = torch.randn(min(_PORTION, count - start), plan.z_dim, generator=random)
        drawn.append(teacher.render(teacher_normals(z, teacher), plan.resolution, random)[0])
    return torch.cat(drawn)


def train_study_encoder(
    plan: StudyPlan, space: str, generator: Generator, progress: Progress
) -> Path:
    """The encoder for one space: in w one style stands for all layers."""
    path = plan.folder / f"encoder-{space.replace('+', 'p')}.safetensors"
    if not path.is_file():
        options = EncoderTrainingOptions(
            pictures=plan.encoder_images, batch=min(32, plan.encoder_images), pool=1024,
            seed=plan.seed, one_style=space == "w",
        )  # fmt: skip
        kept = path.with_suffix(".checkpoint")
        train_encoder(EncoderOrder(generator, path, options, checkpoint=kept), progress)
    return path


def invert_all(
    generator: Generator,
    inverter: str,
    options: Options,
    pictures: torch.Tensor,
    progress: Progress,
) -> list[Inversion]:
    """What an installed inverter finds for each picture."""
    method = latentfu.inverters()[inverter]
    whole = {**method.options, **options}
    square, made = Quad.square(0, 0, generator.resolution), []
    for number, picture in enumerate(pictures):
        check_cancelled()
        progress(number / len(pictures), f"{inverter}: picture {number + 1} of {len(pictures)}")
        crop = Crop(picture.clamp(-1, 1).numpy().astype(np.float32), square, "study")
        made.append(method.invert(InversionRequest(crop, generator, silent, whole)))
    return made


def _sum_up(made: Sequence[Inversion]) -> dict[str, dict[str, float]]:
    """Perceptual distance and mean squared error (of -1..1), each with its spread."""
    seen = [one.quality.perceptual for one in made]
    errors = [4.0 / 10 ** (one.quality.psnr / 10) for one in made]
    return {
        name: {"mean": round(float(np.mean(each)), 5), "spread": round(float(np.std(each)), 5)}
        for name, each in (("perceptual", seen), ("mse", errors))
    }
