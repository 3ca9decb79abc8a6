"""What installed directions do: effect, linearity, leakage, likeness to each other, identity."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import torch
from latentfu import (
    BadInputError,
    Direction,
    DirectionEffect,
    Generator,
    Identity,
    PluginFailedError,
    Progress,
    Scorer,
    call_plugin,
    load_identity,
    random_latents,
    write_whole,
)
from PIL import Image, ImageDraw, ImageFont

from latentfu_builtin.directions.boundaries import Doubles
from latentfu_builtin.directions.seeded_samples import as_latent, compact_codes

_log = logging.getLogger(__name__)

_STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_BATCH = 32
_CELL, _LEFT, _TOP, _GAP = 30, 170, 150, 8
_PAPER, _INK, _PLUS, _MINUS = (250, 250, 248), (30, 30, 34), (196, 78, 42), (42, 100, 196)


@dataclass(frozen=True)
class ReportRow:
    """A direction's measurements.

    ``curve [S]``: its attribute (of the attribute that moves most where it names none) at
    strengths -2 to 2; ``effects [A]``: what strength 1 does to every attribute, in standard
    deviations; ``linearity``: how much of the curve a line explains, 0..1; ``identity``: cosine
    of the identities at strengths 0 and 1, None without a network.
    """

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
class DirectionReport:
    """Rows of all directions, and ``cosines [K, K]`` of their moves."""

    generator: str
    scorer: str
    samples: int
    attributes: tuple[str, ...]
    rows: list[ReportRow]
    cosines: Doubles

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "generator": self.generator,
            "scorer": self.scorer,
            "samples": self.samples,
            "strengths": list(_STRENGTHS),
            "directions": [{**row.__dict__, "leak": round(row.leak, 4)} for row in self.rows],
            "cosines": np.round(self.cosines, 4).tolist(),
        }


def measure_directions(  # noqa: PLR0917
    generator: Generator,
    directions: Sequence[Direction],
    scorer: Scorer,
    identity: Identity | None,
    samples: int,
    seed: int,
    progress: Progress,
) -> DirectionReport:
    """Move ``samples`` fresh codes along each direction, render, read; raises BadInputError."""
    if not directions:
        raise BadInputError(f"No directions are installed for {generator.name}.")
    observers = _Observers.of(generator, scorer, identity)
    codes = compact_codes(random_latents(generator, samples, seed + 9_000_000)).cpu()
    base, faces = observers.see(codes)
    spread = base.std(axis=0).clip(min=1e-6)
    rows = []
    for done, direction in enumerate(directions):
        progress(done / len(directions), f"Measuring {direction.name}")
        rows.append(_measure_row(direction, observers, codes, (base, faces), spread))
    names = tuple(scorer.attributes)
    cosines = _compare_moves(directions)
    return DirectionReport(generator.name, scorer.name, samples, names, rows, cosines)


def _load_measurement(identity: Identity, device: str) -> Any:
    """What embeds pictures, or None: it is only a measurement, so one that fails is left out."""
    try:
        embed = load_identity(identity, device)
    except PluginFailedError as error:
        _log.warning("%s It is left out.", error)
        return None

    def checked(images: torch.Tensor) -> torch.Tensor | None:
        try:
            return embed(images)
        except PluginFailedError as error:
            _log.warning("%s It is left out.", error)
            return None

    return checked


@dataclass(frozen=True)
class _Observers:
    """What looks at pictures: scores ``[N, A]`` and identities ``[N, D]``."""

    generator: Generator
    scorer: Scorer
    score: Any
    identify: Any

    @staticmethod
    def of(generator: Generator, scorer: Scorer, identity: Identity | None) -> _Observers:
        """The networks, loaded."""
        device = str(generator.device)
        identify = None if identity is None else _load_measurement(identity, device)
        score = call_plugin(scorer, "was loaded", lambda: scorer.load(device))
        return _Observers(generator, scorer, score, identify)

    @torch.no_grad()
    def see(self, codes: torch.Tensor, mover: Any = None, strength: float = 0.0) -> Any:
        """Scores and identities of codes that ``mover`` has moved by ``strength``."""
        scores, faces = [], []
        for part in torch.split(codes, _BATCH):
            latent = as_latent(self.generator, part.to(self.generator.device))
            if mover is not None:
                latent = mover.apply(latent, strength, self.generator)
            image = self.generator.render(latent).float().clamp(-1, 1)
            scores.append(
                call_plugin(self.scorer, "read pictures", partial(self.score, image)).float().cpu()
            )
            seen = self.identify(image) if self.identify is not None else None
            if seen is not None:
                faces.append(torch.nn.functional.normalize(seen, dim=1))
        found = torch.cat(scores).double().numpy()
        whole = sum(map(len, faces)) == len(codes)
        return found, (torch.cat(faces).cpu() if whole else None)


def _measure_row(
    direction: Direction, observers: _Observers, codes: torch.Tensor, still: Any, spread: Doubles
) -> ReportRow:
    """One direction's measurements."""
    mover = DirectionEffect(replace(direction, absolute=False))
    base, faces = still
    means, identity = [], None
    for strength in _STRENGTHS:
        scores, seen = (base, faces) if strength == 0 else observers.see(codes, mover, strength)
        means.append((scores - base).mean(axis=0) / spread)
        if strength == 1.0 and faces is not None and seen is not None:
            identity = round(float((faces * seen).sum(dim=1).mean()), 4)
    table = np.stack(means)  # [S, A]
    effects = (table[3] - table[1]) / 2
    names = list(observers.scorer.attributes)
    strongest = int(np.abs(effects).argmax())
    column = names.index(direction.attribute) if direction.attribute in names else strongest
    curve = table[:, column]
    return ReportRow(
        name=direction.name,
        attribute=names[column],
        effect=round(float(effects[column]), 4),
        linearity=round(fit_line(curve), 4),
        curve=[round(float(v), 4) for v in curve],
        effects={n: round(float(v), 4) for n, v in zip(names, effects, strict=True)},
        identity=identity,
    )


def fit_line(curve: Doubles) -> float:
    """How much of ``curve [S]`` the best line explains, 0..1."""
    x = np.array(_STRENGTHS)
    slope = (x * (curve - curve.mean())).sum() / (x * x).sum()
    left = ((curve - curve.mean() - slope * x) ** 2).sum()
    whole = ((curve - curve.mean()) ** 2).sum()
    return float(1 - left / whole) if whole > 1e-12 else 0.0


def _compare_moves(directions: Sequence[Direction]) -> Doubles:
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


def write_report(report: DirectionReport, out: Path) -> list[Path]:
    """report.json, report.md and matrix.png in ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "report.json", json.dumps(report.as_json(), indent=1).encode())
    write_whole(out / "report.md", format_report(report).encode())
    _draw_matrix(report).save(out / "matrix.png")
    return [out / name for name in ("report.json", "report.md", "matrix.png")]


def format_report(report: DirectionReport) -> str:
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


def _draw_matrix(report: DirectionReport) -> Image.Image:
    """Effects of strength 1: red raises, blue lowers, full color at one standard deviation."""
    names = report.attributes
    size = (_LEFT + len(names) * _CELL + _GAP, _TOP + len(report.rows) * _CELL + _GAP)
    picture = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(14)
    for column, name in enumerate(names):
        label = Image.new("RGB", (_TOP, _CELL), _PAPER)
        ImageDraw.Draw(label).text((4, _CELL // 2), name, fill=_INK, font=font, anchor="lm")
        picture.paste(label.rotate(90, expand=True), (_LEFT + column * _CELL, 0))
    for line, row in enumerate(report.rows):
        y = _TOP + line * _CELL
        draw.text((_LEFT - _GAP, y + _CELL // 2), row.name[:22], fill=_INK, font=font, anchor="rm")
        for column, name in enumerate(names):
            x = _LEFT + column * _CELL
            box = (x, y, x + _CELL - 2, y + _CELL - 2)
            own = _INK if name == row.attribute else None
            draw.rectangle(box, fill=_shade(row.effects[name]), outline=own)
    return picture


def _shade(effect: float) -> tuple[int, int, int]:
    """The color of an effect."""
    part = min(abs(effect), 1.0)
    full = _PLUS if effect > 0 else _MINUS
    red, green, blue = (round(p + part * (f - p)) for p, f in zip(_PAPER, full, strict=True))
    return red, green, blue
