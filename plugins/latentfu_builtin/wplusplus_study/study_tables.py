"""The figures of the study as tables for people, beside those of the paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentfu import BadInputError, Progress, write_whole

from latentfu_builtin.wplusplus_study.study_pictures import Curves, draw_curves, stack_strips
from latentfu_builtin.wplusplus_study.study_plan import StudyPlan

PAPER_GENERATION = {
    "StyleGAN": (4.69, 0.670, 0.430, 1.278, 0.955),
    "W++": (4.67, 0.662, 0.454, 1.261, 0.961),
}
"""FID, precision, recall, density, coverage on FFHQ at 256 px, as the project's page has them."""
PAPER_INVERSION = {
    "projector": {"w": (0.2079, 0.0776), "w+": (0.0855, 0.0217), "w++": (0.0937, 0.0255)},
    "pSp": {"w": (0.4158, 0.0661), "w+": (0.3557, 0.0398), "w++": (0.3641, 0.0412)},
}
"""Perceptual distance and MSE."""
_ENDS = (5, 10, 20, 30)


def write_tables(plan: StudyPlan, progress: Progress) -> None:
    """Write ``tables.md``, curves and frames; raises BadInputError where nothing was measured."""
    figures = plan.read_figures()
    if not figures:
        raise BadInputError(
            f"Nothing was measured in {plan.folder} yet: run latentfu build wplusplus."
        )
    tellers = {
        "generation": tell_generation, "inversion": tell_inversion, "editing": tell_editing,
        "transfer": tell_transfer,
    }  # fmt: skip
    parts = [tell(figures[step]) for step, tell in tellers.items() if step in figures]
    write_whole(plan.folder / "tables.md", "\n\n".join(parts).encode() + b"\n")
    if "editing" in figures:
        draw_curves(plan.folder / "curves.png", figures["editing"])
        stack_strips(plan.folder / "frames.png", _list_strips(plan, figures["editing"]))
    progress(1.0, "Written")


def _list_strips(plan: StudyPlan, editing: Curves) -> dict[tuple[str, str], Path]:
    """The strip of each attribute in each space."""
    return {
        (attribute, space): plan.strip_file(attribute, space)
        for attribute in plan.attributes
        for space in editing
    }


def tell_generation(figures: dict[str, Any]) -> str:
    """The first table: both networks, ours and the paper's."""
    names = {"mlp": "plain mapping", "attention": "W++"}
    rows = []
    for mapping, title in names.items():
        one = figures[mapping]
        overlap = one["overlap"]
        shares = [f"{overlap[n]:.3f}" for n in ("precision", "recall", "density", "coverage")]
        rows.append([title, f"{one['frechet']:.2f}", *shares, f"{one['path_length']:.2f}"])
    for title, (frechet, *others) in PAPER_GENERATION.items():
        shares = [f"{value:.3f}" for value in others]
        rows.append([f"paper, FFHQ: {title}", f"{frechet:.2f}", *shares, "-"])
    head = ["", "Frechet", "precision", "recall", "density", "coverage", "path length"]
    return _lay_table(head, rows)


def tell_inversion(figures: dict[str, Any]) -> str:
    """The second and third table."""
    rows = []
    titles = {"projector": ("projector", "projector"), "encoder": ("encoder", "pSp")}
    for way, (title, published) in titles.items():
        for name, place in (("perceptual", 0), ("mse", 1)):
            ours = [_tell_spread(figures[way][space][name]) for space in ("w", "w+", "w++")]
            paper = [f"{PAPER_INVERSION[published][s][place]:.4f}" for s in ("w", "w+", "w++")]
            rows.append([f"{title}, {name}", *ours, *paper])
    head = ["", "w", "w+", "w++", "paper: w", "paper: w+", "paper: w++"]
    return _lay_table(head, rows)


def tell_editing(figures: dict[str, Any]) -> str:
    """What is reached at some distances of each attribute in each space."""
    rows = []
    for space, attributes in figures.items():
        for attribute, curves in attributes.items():
            cells = [_tell_end(curves, end) for end in _ENDS]
            rows.append([space, attribute, *cells])
    head = ["space", "attribute", *(f"at {end}" for end in _ENDS)]
    note = "Each cell: change of the attribute / of the others / likeness, mean of both ways."
    return f"{_lay_table(head, rows)}\n\n{note}"


def tell_transfer(figures: dict[str, Any]) -> str:
    """How near a reference each way comes, in standard deviations of the attributes."""
    rows = []
    for mapping, space in (("mlp", "w+"), ("attention", "w++")):
        for way in figures[mapping]["ways"]:
            like = "-" if way["likeness"] is None else f"{way['likeness']:.3f}"
            row = [space, way["way"], f"{way['distance']:.3f}", f"{way['moved']:.3f}", like]
            rows.append(row)
    return _lay_table(["space", "by", "from the reference", "others moved", "same person"], rows)


def _tell_end(curves: dict[str, list[float]], end: int) -> str:
    """Attribute, others and likeness at a distance, both ways."""
    distances = curves["distances"]
    near = [min(range(len(distances)), key=lambda i: abs(distances[i] - s * end)) for s in (-1, 1)]
    moved = (curves["attribute"][near[1]] - curves["attribute"][near[0]]) / 2
    others = sum(curves["others"][i] for i in near) / 2
    like = sum(curves["likeness"][i] for i in near) / 2
    return f"{moved:+.2f} / {others:.2f} / {like:.2f}"


def _tell_spread(figure: dict[str, float]) -> str:
    return f"{figure['mean']:.4f} ± {figure['spread']:.4f}"


def _lay_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
