"""The steps that make the card: its pictures, the table of directions, the measured figures."""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import torch
from latentfu import (
    Direction,
    Generator,
    Latent,
    Progress,
    SheetRow,
    contact_sheet,
    random_latents,
    read_direction,
    write_whole,
)
from PIL import Image, ImageDraw
from torch import Tensor

from latentfu_builtin.portraits.rebuild import docs_folder
from latentfu_builtin.portraits.renderer import FACTOR_NAMES, render
from latentfu_builtin.portraits.renderer.factors import sample

_CELL, _COLUMNS = 128, 12
_STRENGTHS = (-3, -2, -1, 0, 1, 2, 3)
_COARSE, _MIDDLE = 4, 8
"""Styles 0..3 are pose and shape, 4..7 features, the rest colors."""
_MATRIX_CELL, _LEFT, _TOP = 26, 150, 130
_PAPER, _INK = (250, 250, 248), (30, 30, 34)
_MORE, _LESS = (196, 64, 48), (44, 92, 170)
_SAMPLES, _SEED = 2000, 1000
_TABLE_BEGIN, _TABLE_END = "<!-- directions: begin -->", "<!-- directions: end -->"


def _tile(images: Tensor, columns: int, cell: int = _CELL) -> Image.Image:
    """Pictures ``[N, 3, R, R]`` in -1..1 as one, row by row, each ``cell`` pixels wide."""
    rows = -(-len(images) // columns)
    canvas = Image.new("RGB", (columns * cell, rows * cell), (250, 250, 248))
    for place, pixels in enumerate(convert_to_pixels(images)):
        picture = Image.fromarray(pixels).resize((cell, cell), Image.Resampling.LANCZOS)
        canvas.paste(picture, (place % columns * cell, place // columns * cell))
    return canvas


def convert_to_pixels(images: Tensor) -> list[np.ndarray]:
    """uint8 ``[R, R, 3]`` of each picture ``[3, R, R]`` in -1..1."""
    scaled = images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return list(scaled.permute(0, 2, 3, 1).cpu().numpy())


def save_document_picture(image: Image.Image, folder: Path | None, name: str) -> None:
    """Write a picture of the documentation."""
    images = docs_folder(folder) / "images"
    images.mkdir(parents=True, exist_ok=True)
    image.save(images / name, quality=88, optimize=True)


@torch.no_grad()
def _draw_codes(generator: Generator, latent: Latent, batch: int = 16) -> Tensor:
    """Pictures of all codes of ``latent``, on the CPU."""
    parts = [generator.render(latent.with_codes(part)) for part in torch.split(latent.codes, batch)]
    return torch.cat(parts).cpu()


def build_renders(folder: Path | None, progress: Progress) -> None:
    """64 random renders at 256 px, two to a line of the renderer's batch."""
    factors = sample(64, seed=2026)
    parts = []
    for start in range(0, 64, 2):
        progress(start / 64, "Rendering")
        parts.append(render(factors[start : start + 2], 256, supersample=2))
    save_document_picture(_tile(torch.cat(parts), 8, 192), folder, "renders.jpg")


def build_sitters(folder: Path | None, progress: Progress) -> None:
    """Four portraits of 1024 x 1280 with rooms behind, side by side at a third of the size."""
    from latentfu_builtin.portraits.render_portraits import (
        FIRST_PORTRAIT_SEED,
        PortraitSpec,
        render_portrait,
    )

    canvas = Image.new("RGB", (4 * 340, 425))
    for place in range(4):
        progress(place / 4, "Rendering sitters")
        drawn = Image.fromarray(render_portrait(PortraitSpec(FIRST_PORTRAIT_SEED + place)).numpy())
        canvas.paste(drawn.resize((340, 425), Image.Resampling.LANCZOS), (place * 340, 0))
    save_document_picture(canvas, folder, "sitters.jpg")


def build_samples(folder: Path | None, progress: Progress) -> None:
    """48 samples with truncation psi 0.7 and 1.0."""
    generator = latentfu.open_generator("portraits")
    for psi in (0.7, 1.0):
        progress(psi / 2, f"Samples with psi {psi}")
        images = _draw_codes(generator, random_latents(generator, 48, seed=7, psi=psi))
        save_document_picture(_tile(images, _COLUMNS), folder, f"samples-psi-{psi}.jpg")


def build_mixing(folder: Path | None, progress: Progress) -> None:
    """Style mixing: each row takes its colors (right half: its features) from the left."""
    generator = latentfu.open_generator("portraits")
    latents = random_latents(generator, 8, seed=21, psi=0.8)
    sources, targets = latents.codes[:3], latents.codes[3:]
    blank = torch.full((1, 3, generator.resolution, generator.resolution), 0.96)
    rows = [torch.cat([blank, _draw_codes(generator, latents.with_codes(targets))])]
    for first in (_MIDDLE, _COARSE):
        for source in sources:
            progress(len(rows) / 7, "Style mixing")
            mixed = targets.clone()
            mixed[:, first:] = source[first:]
            left = _draw_codes(generator, latents.with_codes(source[None]))
            rows.append(torch.cat([left, _draw_codes(generator, latents.with_codes(mixed))]))
    save_document_picture(_tile(torch.cat(rows), 1 + len(targets)), folder, "mixing.jpg")


def build_direction_sheet(folder: Path | None, progress: Progress) -> None:
    """Every direction from -3 to +3 on one sample."""
    generator = latentfu.open_generator("portraits")
    base = random_latents(generator, 1, seed=36, psi=0.6)
    controls = [c for c in latentfu.controls("portraits").values() if c.kind == "direction"]
    rows = []
    for place, control in enumerate(controls):
        progress(place / len(controls), control.title)
        mover = control.load_for(generator)
        moved = [mover.apply(base, float(s), generator) for s in _STRENGTHS]
        images = torch.cat([_draw_codes(generator, latent) for latent in moved])
        rows.append(
            SheetRow(control.title, f"+ is {control.positive_means}", convert_to_pixels(images))
        )
    heads = [f"{s:+d}" if s else "0" for s in _STRENGTHS]
    save_document_picture(contact_sheet(rows, heads), folder, "directions-samples.jpg")


def build_leakage(folder: Path | None, progress: Progress) -> None:
    """A matrix: a row for each direction, a column for each factor the scorer reads."""
    from latentfu_builtin.portraits.shipped import DIRECTIONS

    progress(0.0, "Drawing leakage")
    found = {path.stem: read_direction(path) for path in sorted(DIRECTIONS.glob("*.safetensors"))}
    rows = [found[name] for name in FACTOR_NAMES if name in found]
    save_document_picture(_draw_matrix(rows, list(FACTOR_NAMES)), folder, "leakage.png")


def _draw_matrix(rows: list[Direction], columns: list[str]) -> Image.Image:
    """Red is more, blue is less, per unit of the slider; white is nothing."""
    size = (_LEFT + _MATRIX_CELL * len(columns) + 10, _TOP + _MATRIX_CELL * len(rows) + 10)
    sheet = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for x, name in enumerate(columns):
        sheet.paste(_draw_upwards(name), (_LEFT + x * _MATRIX_CELL, 0))
    for y, direction in enumerate(rows):
        top = _TOP + y * _MATRIX_CELL
        draw.text(
            (_LEFT - 8, top + _MATRIX_CELL / 2),
            _as_words(direction.name),
            _INK,
            anchor="rm",
            font_size=14,
        )
        for x, name in enumerate(columns):
            amount = _look_up_effect(direction, name)
            box = (
                _LEFT + x * _MATRIX_CELL,
                top,
                _LEFT + (x + 1) * _MATRIX_CELL - 2,
                top + _MATRIX_CELL - 2,
            )
            draw.rectangle(box, fill=_choose_color(amount))
            if abs(amount) >= 0.15:
                middle = (_LEFT + (x + 0.5) * _MATRIX_CELL - 1, top + _MATRIX_CELL / 2 - 1)
                text = f"{amount:.1f}".replace("0.", ".")
                draw.text(middle, text, _INK, anchor="mm", font_size=11)
    return sheet


def _look_up_effect(direction: Direction, attribute: str) -> float:
    """What the scorer sees of ``attribute`` when the slider moves by 1."""
    if attribute == (direction.attribute or direction.name):
        return float(direction.effect or 0.0)
    return float(direction.leakage.get(attribute, 0.0))


def _choose_color(amount: float) -> tuple[int, int, int]:
    """White at 0, full at 1 and beyond."""
    part = min(1.0, abs(amount))
    strong = _MORE if amount > 0 else _LESS
    red, green, blue = (round(255 + (value - 255) * part) for value in strong)
    return red, green, blue


def _draw_upwards(name: str) -> Image.Image:
    """A column's head, written upwards."""
    strip = Image.new("RGB", (_TOP, _MATRIX_CELL), _PAPER)
    ImageDraw.Draw(strip).text(
        (8, _MATRIX_CELL / 2), _as_words(name), _INK, anchor="lm", font_size=14
    )
    return strip.rotate(90, expand=True)


def _as_words(name: str) -> str:
    """A name for people."""
    return name.replace("_", " ")


def build_figures(folder: Path | None, progress: Progress) -> None:
    """``latentfu evaluate portraits``, into the model card; with ``folder`` the figures alone."""
    from latentfu_builtin.portraits.evaluate.report import (
        EvaluationRequest,
        evaluate_portraits,
        format_json,
        write_into_card,
    )
    from latentfu_builtin.portraits.shipped import NAME, load_shipped_scorer, map_to_teacher

    generator = latentfu.open_generator(NAME)
    question = EvaluationRequest(
        generator, map_to_teacher, load_shipped_scorer("cpu"), _SAMPLES, _SEED
    )
    found = evaluate_portraits(question, progress)
    docs = docs_folder(folder)
    write_whole(docs / "images" / "portraits-figures.json", format_json(found).encode())
    if folder is None:
        write_into_card(docs / "explanation" / "portraits.md", found)


def build_direction_table(folder: Path | None, progress: Progress) -> None:
    """The effect and the strongest leaks of each shipped direction, into the card."""
    from latentfu_builtin.portraits.evaluate.report import replace_between
    from latentfu_builtin.portraits.renderer import FACTOR_NAMES
    from latentfu_builtin.portraits.shipped import DIRECTIONS

    progress(0.0, "Reading directions")
    found = {path.stem: read_direction(path) for path in sorted(DIRECTIONS.glob("*.safetensors"))}
    lines = ["| direction | effect | leaks |", "|---|---|---|"]
    for name in FACTOR_NAMES:
        if name in found:
            lines.append(_table_row(found[name]))
    missing = [name for name in FACTOR_NAMES if name not in found]
    lines += ["", f"There is none for {', '.join(missing)}." if missing else "None is missing."]
    docs = docs_folder(folder)
    if folder is None:
        replace_between(
            docs / "explanation" / "portraits.md", _TABLE_BEGIN, _TABLE_END, "\n".join(lines)
        )
    else:
        write_whole(docs / "directions.md", ("\n".join(lines) + "\n").encode())


def _table_row(direction: Direction) -> str:
    """One line of the table."""
    leaks = sorted(direction.leakage.items(), key=lambda item: -abs(item[1]))[:2]
    words = ", ".join(f"{name} {amount:+.2f}" for name, amount in leaks)
    return f"| {direction.name} | {direction.effect or 0.0:+.2f} | {words} |"
