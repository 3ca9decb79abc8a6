"""The editing of the paper: boundaries of InterFaceGAN, followed far in w, w+ and w++.

As the project on W++ does it: boundaries from many scored samples, from -30 to 30 in 61 steps
along the unit normal. Networks differ in how long their codes are, so that 30 is twice the mean
distance of a code from the mean here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from latentfu import Generator, Latent, Progress, Scorer, between, check_cancelled, random_latents
from PIL import Image
from torch import Tensor

from latentfu_builtin.conditional_mapping.drawn_identity import find_build_distance
from latentfu_builtin.conditional_mapping.scored_attributes import (
    ScoredAttributes,
    find_scorer_for,
    measure_attributes,
)
from latentfu_builtin.directions.sample_cache import (
    CachedSamples,
    SamplePlan,
    draw_cached_samples,
)
from latentfu_builtin.directions.train_direction import (
    TrainingData,
    TrainingSettings,
    fit_boundary,
)
from latentfu_builtin.wplusplus_study.inversion_table import (
    SPACES,
    project_all,
)
from latentfu_builtin.wplusplus_study.study_networks import open_study_network
from latentfu_builtin.wplusplus_study.study_plan import StudyPlan

FURTHEST = 30.0
_REACH = 2.0
_SHOWN = 9
"""Frames of a strip."""


@dataclass(frozen=True)
class EditCurves:
    """Means over pictures at each distance; scores in standard deviations of the attribute.

    Attributes:
        distances: From -30 to 30.
        attribute: How much of it there is, from that of the picture itself.
        others: How far the scorer's other attributes moved.
        likeness: Of the person to the picture itself: 1 the same, 0 anybody.
    """

    distances: list[float]
    attribute: list[float]
    others: list[float]
    likeness: list[float]


def measure_editing(plan: StudyPlan, progress: Progress) -> None:
    """Curves of each attribute in each space, and a strip of frames of the first picture."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for number, (space, mapping) in enumerate(SPACES.items()):
        part = between(progress, number / 3, (number + 1) / 3)
        generator = open_study_network(plan, mapping)
        scorer = find_scorer_for(generator, None)
        normals = learn_normals(plan, generator, scorer, between(part, 0.0, 0.6))
        made = project_all(plan, space, generator, between(part, 0.6, 0.8))
        latents = [one.latent for one in made[: plan.edited]]
        read = measure_attributes(generator, scorer, plan.attributes, plan.seed)
        found[space] = {}
        for place, (attribute, normal) in enumerate(normals.items()):
            between(part, 0.8, 1.0)(place / len(normals), f"{space}: {attribute}")
            attributes = replace(read, columns=(scorer.attributes.index(attribute),))
            curves, strip = follow(plan, generator, latents, (attributes, normal))
            found[space][attribute] = vars(curves)
            Image.fromarray(strip).save(plan.strip_file(attribute, space))
    plan.keep_figures("editing", found)


def draw_scored_codes(
    plan: StudyPlan, generator: Generator, scorer: Scorer, progress: Progress
) -> CachedSamples:
    """Codes of samples and what the scorer reads of them, kept in the study's folder."""
    space = "w++" if generator.spaces[-1] == "w++" else "w"
    load = scorer.load(str(generator.device))
    return draw_cached_samples(
        SamplePlan(generator, plan.scored, plan.seed, space, f"scorer {scorer.name}",
                   len(scorer.attributes)),
        load, progress, plan.place(f"samples-{space}"),
    )  # fmt: skip


def learn_normals(
    plan: StudyPlan, generator: Generator, scorer: Scorer, progress: Progress
) -> dict[str, Tensor]:
    """The unit normal of each attribute's boundary, of the shape of one code, from samples."""
    drawn = draw_scored_codes(plan, generator, scorer, progress)
    normals = {}
    for attribute in plan.attributes:
        scores = drawn.scores[:, scorer.attributes.index(attribute)].astype(np.float64)
        data = TrainingData(drawn.codes, scores)
        boundary, _ = fit_boundary(data, TrainingSettings(ends=0.02, seed=plan.seed))
        normal = torch.from_numpy(boundary.normal).reshape(drawn.codes.shape[1:])
        normals[attribute] = normal / normal.norm()
    return normals


@torch.no_grad()
def follow(
    plan: StudyPlan,
    generator: Generator,
    latents: list[Latent],
    along: tuple[ScoredAttributes, Tensor],
) -> tuple[EditCurves, np.ndarray]:
    """What happens on the way along an attribute's normal; some frames of the first picture."""
    attributes, normal = along
    unlike = find_build_distance(attributes)
    assert unlike is not None, "the renderer's scorer reads the build"
    own = random_latents(generator, 256, plan.seed + 5)
    reach = _REACH * _measure_distance(generator, own, normal)
    distances = torch.linspace(-FURTHEST, FURTHEST, plan.frames)
    steps = (distances / FURTHEST * reach)[:, None, None] * normal  # [F, (L,) D]
    rows: list[Tensor] = []
    strip = np.zeros((0, 0, 3), np.uint8)
    for number, latent in enumerate(latents):
        check_cancelled()
        codes = latent.codes.reshape(1, *latent.codes.shape[1:])
        moved = codes + (steps if codes.ndim == 3 else steps[:, 0])
        images = torch.cat([
            generator.render(latent.with_codes(part)).float().clamp(-1, 1)
            for part in torch.split(moved, 16)
        ])  # fmt: skip
        before = generator.render(latent).float().clamp(-1, 1)
        change = attributes.read(images) - attributes.read(before)  # [F, A]
        like = 1.0 - unlike(images, before.expand_as(images))  # [F]
        others = change[:, attributes.others].abs().mean(1)
        rows.append(torch.stack([attributes.choose(change)[:, 0], others, like]))
        if number == 0:
            strip = _lay_strip(images)
    means = torch.stack(rows).mean(dim=0).tolist()  # [3, F]
    rounded = [[round(value, 4) for value in row] for row in means]
    return EditCurves(distances.tolist(), rounded[0], rounded[1], rounded[2]), strip


def _measure_distance(generator: Generator, own: Latent, normal: Tensor) -> float:
    """How far a code is from the mean, of one row or of all, as the normal is."""
    codes = own.codes - generator.mean_latent().codes
    rows = codes[:, 0] if codes.ndim == 3 and normal.ndim == 1 else codes
    return float(rows.flatten(1).norm(dim=1).mean())


def _lay_strip(images: Tensor) -> np.ndarray:
    """Some of the frames side by side, uint8."""
    chosen = torch.linspace(0, len(images) - 1, min(_SHOWN, len(images))).round().long()
    pixels = ((images[chosen] + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return np.concatenate(list(pixels), axis=1)
