"""The second and third table: how well each space shows pictures that it did not make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import latentfu
import numpy as np
import torch
from latentfu import (
    Crop,
    Generator,
    Inversion,
    InversionRequest,
    Latent,
    Progress,
    Quad,
    Space,
    between,
    check_cancelled,
    read_tensors_and_metadata,
    silent,
    write_tensors,
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


@dataclass(frozen=True)
class KeptInversion:
    """What the study needs of an inversion: the codes, and how near they come."""

    latent: Latent
    psnr: float
    perceptual: float


def measure_inversion(plan: StudyPlan, progress: Progress) -> None:
    """Project and encode the same renders in w, w+ and w++."""
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {"projector": {}, "encoder": {}}
    for number, (space, mapping) in enumerate(SPACES.items()):
        part = between(progress, number / 3, (number + 1) / 3)
        generator = open_study_network(plan, mapping)
        encoder = train_study_encoder(plan, space, generator, between(part, 0.0, 0.4))
        learned: Options = {"encoder": str(encoder), "loss": "auto"}
        encoded = invert_all(
            plan, (f"encoder-{space}", "encoder", learned), generator, between(part, 0.4, 0.5)
        )
        projected = project_all(plan, space, generator, between(part, 0.5, 1.0))
        found["encoder"][space], found["projector"][space] = _sum_up(encoded), _sum_up(projected)
    plan.keep_figures("inversion", found)


def project_all(
    plan: StudyPlan, space: str, generator: Generator, progress: Progress
) -> list[KeptInversion]:
    """What StyleGAN2's projector finds for each unseen picture in a space."""
    options: Options = {"space": space, "steps": plan.projector_steps}
    return invert_all(
        plan, (f"projector-{space}", "stylegan2-projector", options), generator, progress
    )


def draw_unseen_pictures(plan: StudyPlan) -> torch.Tensor:
    """Renders that no network was trained on, ``[N, 3, R, R]`` in -1..1."""
    count = plan.inverted
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
    path = plan.place(f"encoder-{space}.safetensors")
    if not path.is_file():
        options = EncoderTrainingOptions(
            pictures=plan.encoder_images, batch=min(32, plan.encoder_images), pool=1024,
            seed=plan.seed, one_style=space == "w",
        )  # fmt: skip
        kept = path.with_suffix(".checkpoint")
        train_encoder(EncoderOrder(generator, path, options, checkpoint=kept), progress)
    return path


def invert_all(
    plan: StudyPlan, way: tuple[str, str, Options], generator: Generator, progress: Progress
) -> list[KeptInversion]:
    """What an inverter finds for each unseen picture; what was found before is kept.

    Args:
        plan: The study.
        way: What its results are kept under, the inverter, and its options.
        generator: Whose codes are looked for.
        progress: Told how far it is; may raise to stop.
    """
    name, inverter, options = way
    method = latentfu.inverters()[inverter]
    whole = {**method.options, **options}
    square = Quad.square(0, 0, generator.resolution)
    kept = plan.place(f"inverted/{name}")
    paths = [kept / f"{number:03}.safetensors" for number in range(plan.inverted)]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    pictures = draw_unseen_pictures(plan) if missing else torch.empty(0)
    for number in missing:
        check_cancelled()
        progress(number / len(paths), f"{name}: picture {number + 1} of {len(paths)}")
        crop = Crop(pictures[number].clamp(-1, 1).numpy().astype(np.float32), square, "study")
        _keep(paths[number], method.invert(InversionRequest(crop, generator, silent, whole)))
    return [_read(path, generator) for path in paths]


def _keep(path: Path, made: Inversion) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    quality = made.quality
    told = {"psnr": str(quality.psnr), "perceptual": str(quality.perceptual)}
    write_tensors(path, {"codes": made.latent.codes}, {**told, "space": made.latent.space})


def _read(path: Path, generator: Generator) -> KeptInversion:
    tensors, told = read_tensors_and_metadata(path)
    latent = Latent(tensors["codes"], cast(Space, told["space"]), generator.id)
    return KeptInversion(latent, float(told["psnr"]), float(told["perceptual"]))


def _sum_up(made: Sequence[KeptInversion]) -> dict[str, dict[str, float]]:
    """Perceptual distance and mean squared error (of -1..1), each with its spread."""
    seen = [one.perceptual for one in made]
    errors = [4.0 / 10 ** (one.psnr / 10) for one in made]
    return {
        name: {"mean": round(float(np.mean(each)), 5), "spread": round(float(np.std(each)), 5)}
        for name, each in (("perceptual", seen), ("mse", errors))
    }
