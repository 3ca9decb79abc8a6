"""What installed directions do: effect, linearity, leakage, likeness to each other, identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    BadInputError,
    Direction,
    DirectionEffect,
    Generator,
    Identity,
    Progress,
    Scorer,
    random_latents,
)

from latentfu_builtin.directions.samples import as_latent, shared_codes

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
BATCH = 32
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A direction's measurements. ``curve [S]``: its attribute (of the attribute that moves most
    where it names none) at STRENGTHS; ``effects [A]``: what strength 1 does to every attribute,
    in standard deviations; ``linearity``: how much of the curve a line explains, 0..1;
    ``identity``: cosine of the identities at strengths 0 and 1, None without a network."""

    name: str
    attribute: str
    effect: float
    linearity: float
    curve: list[float]
    effects: dict[str, float]
    identity: float | None

    @property
    def leak(self) -> float:
        """The largest other effect over its own."""
        others = [abs(v) for name, v in self.effects.items() if name != self.attribute]
        return max(others, default=0.0) / max(abs(self.effect), 1e-6)


@dataclass(frozen=True)
class Report:
    """Rows of all directions, and ``cosines [K, K]`` of their moves."""

    generator: str
    scorer: str
    samples: int
    attributes: tuple[str, ...]
    rows: list[Row]
    cosines: Doubles

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "generator": self.generator,
            "scorer": self.scorer,
            "samples": self.samples,
            "strengths": list(STRENGTHS),
            "directions": [{**row.__dict__, "leak": round(row.leak, 4)} for row in self.rows],
            "cosines": np.round(self.cosines, 4).tolist(),
        }


def make_report(  # noqa: PLR0917
    generator: Generator,
    directions: Sequence[Direction],
    scorer: Scorer,
    identity: Identity | None,
    samples: int,
    seed: int,
    progress: Progress,
) -> Report:
    """Move ``samples`` fresh codes along each direction, render, read; raises BadInputError."""
    if not directions:
        raise BadInputError(f"No directions are installed for {generator.name}.")
    eyes = Eyes.of(generator, scorer, identity)
    codes = shared_codes(random_latents(generator, samples, seed + 9_000_000)).cpu()
    base, faces = eyes.see(codes)
    spread = base.std(axis=0).clip(min=1e-6)
    rows = []
    for done, direction in enumerate(directions):
        progress(done / len(directions), f"Measuring {direction.name}")
        rows.append(row_of(direction, eyes, codes, (base, faces), spread))
    names = tuple(scorer.attributes)
    cosines = likeness(directions)
    return Report(generator.name, scorer.name, samples, names, rows, cosines)


@dataclass(frozen=True)
class Eyes:
    """What looks at pictures: scores ``[N, A]`` and identities ``[N, D]``."""

    generator: Generator
    scorer: Scorer
    score: Any
    identify: Any

    @staticmethod
    def of(generator: Generator, scorer: Scorer, identity: Identity | None) -> Eyes:
        """The networks, loaded."""
        device = str(generator.device)
        identify = None if identity is None else identity.load(device)
        return Eyes(generator, scorer, scorer.load(device), identify)

    @torch.no_grad()
    def see(self, codes: torch.Tensor, mover: Any = None, strength: float = 0.0) -> Any:
        """Scores and identities of codes that ``mover`` has moved by ``strength``."""
        scores, faces = [], []
        for part in torch.split(codes, BATCH):
            latent = as_latent(self.generator, part.to(self.generator.device))
            if mover is not None:
                latent = mover.move(latent, strength, self.generator)
            image = self.generator.render(latent).float().clamp(-1, 1)
            scores.append(self.score(image).float().cpu())
            if self.identify is not None:
                faces.append(torch.nn.functional.normalize(self.identify(image).float(), dim=1))
        found = torch.cat(scores).double().numpy()
        return found, (torch.cat(faces).cpu() if faces else None)


def row_of(
    direction: Direction, eyes: Eyes, codes: torch.Tensor, still: Any, spread: Doubles
) -> Row:
    """One direction's measurements."""
    mover = DirectionEffect(replace(direction, absolute=False))
    base, faces = still
    means, identity = [], None
    for strength in STRENGTHS:
        scores, seen = (base, faces) if strength == 0 else eyes.see(codes, mover, strength)
        means.append((scores - base).mean(axis=0) / spread)
        if strength == 1.0 and faces is not None:
            identity = round(float((faces * seen).sum(dim=1).mean()), 4)
    table = np.stack(means)  # [S, A]
    effects = (table[3] - table[1]) / 2
    names = list(eyes.scorer.attributes)
    strongest = int(np.abs(effects).argmax())
    column = names.index(direction.attribute) if direction.attribute in names else strongest
    curve = table[:, column]
    return Row(
        name=direction.name,
        attribute=names[column],
        effect=round(float(effects[column]), 4),
        linearity=round(line_fit(curve), 4),
        curve=[round(float(v), 4) for v in curve],
        effects={n: round(float(v), 4) for n, v in zip(names, effects, strict=True)},
        identity=identity,
    )


def line_fit(curve: Doubles) -> float:
    """How much of ``curve [S]`` the best line explains, 0..1."""
    x = np.array(STRENGTHS)
    slope = (x * (curve - curve.mean())).sum() / (x * x).sum()
    left = ((curve - curve.mean() - slope * x) ** 2).sum()
    whole = ((curve - curve.mean()) ** 2).sum()
    return float(1 - left / whole) if whole > 1e-12 else 0.0


def likeness(directions: Sequence[Direction]) -> Doubles:
    """Cosines ``[K, K]`` of the moves, of w directions as moves of all their layers."""
    depth = max((d.vector.shape[0] for d in directions if d.vector.ndim == 2), default=1)
    rows = []
    for d in directions:
        wide = np.broadcast_to(d.vector, (depth, d.vector.shape[-1])).astype(np.float64)
        rows.append(np.zeros(0) if d.parameter else wide.ravel())
    size = max(len(row) for row in rows)
    flat = np.stack([row if len(row) == size else np.zeros(size) for row in rows])
    lengths = np.linalg.norm(flat, axis=1).clip(min=1e-12)
    cosines: Doubles = (flat / lengths[:, None]) @ (flat / lengths[:, None]).T
    return cosines


def identity_for(domain: str) -> Identity | None:
    """The first installed network that knows who is in pictures of ``domain``."""
    found = (item for item in latentfu.identities().values() if domain in item.domains)
    return next(found, None)


def write_report(report: Report, out: Path) -> list[Path]:
    """report.json, report.md and matrix.png in ``out``."""
    import json

    from latentfu import write_whole

    from latentfu_builtin.directions.report_picture import matrix_picture

    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "report.json", json.dumps(report.as_json(), indent=1).encode())
    write_whole(out / "report.md", markdown(report).encode())
    matrix_picture(report).save(out / "matrix.png")
    return [out / name for name in ("report.json", "report.md", "matrix.png")]


def markdown(report: Report) -> str:
    """A table for people."""
    lines = [
        f"# Directions of {report.generator}",
        f"Measured on {report.samples} fresh samples, read by {report.scorer}. Effect and leaks: "
        f"change by strength 1, in standard deviations of the attribute.",
        "",
        "| direction | attribute | effect | linearity | identity | strongest leaks | most like |",
        "|---|---|---|---|---|---|---|",
    ]
    names = [row.name for row in report.rows]
    for i, row in enumerate(report.rows):
        others = sorted(
            ((n, v) for n, v in row.effects.items() if n != row.attribute), key=lambda t: -abs(t[1])
        )[:3]
        leaks = ", ".join(f"{n} {v:+.2f}" for n, v in others)
        near = sorted(
            ((names[j], report.cosines[i, j]) for j in range(len(names)) if j != i),
            key=lambda t: -abs(t[1]),
        )[:1]
        like = ", ".join(f"{n} {v:+.2f}" for n, v in near)
        person = "" if row.identity is None else f"{row.identity:.2f}"
        lines.append(
            f"| {row.name} | {row.attribute} | {row.effect:+.2f} | {row.linearity:.2f} | {person} "
            f"| {leaks} | {like} |"
        )
    return "\n".join(lines) + "\n"
