"""The steps that draw the card's pictures: renders, samples, style mixing, directions."""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import torch
from latentfu import Generator, Latent, Progress, SheetRow, contact_sheet, random_latents
from PIL import Image
from torch import Tensor

from latentfu_builtin.portraits.rebuild import docs_folder
from latentfu_builtin.portraits.renderer import render
from latentfu_builtin.portraits.renderer.factors import sample

CELL, COLUMNS = 128, 12
STRENGTHS = (-3, -2, -1, 0, 1, 2, 3)
COARSE, MIDDLE = 4, 8
"""Styles 0..3 are pose and shape, 4..7 features, the rest colours."""


def tile(images: Tensor, columns: int, cell: int = CELL) -> Image.Image:
    """Pictures ``[N, 3, R, R]`` in -1..1 as one, row by row, each ``cell`` pixels wide."""
    rows = -(-len(images) // columns)
    canvas = Image.new("RGB", (columns * cell, rows * cell), (250, 250, 248))
    for place, pixels in enumerate(as_pixels(images)):
        picture = Image.fromarray(pixels).resize((cell, cell), Image.Resampling.LANCZOS)
        canvas.paste(picture, (place % columns * cell, place // columns * cell))
    return canvas


def as_pixels(images: Tensor) -> list[np.ndarray]:
    """uint8 ``[R, R, 3]`` of each picture ``[3, R, R]`` in -1..1."""
    scaled = images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return list(scaled.permute(0, 2, 3, 1).cpu().numpy())


def save(image: Image.Image, folder: Path | None, name: str) -> None:
    """Write a picture of the documentation."""
    images = docs_folder(folder) / "images"
    images.mkdir(parents=True, exist_ok=True)
    image.save(images / name, quality=88, optimize=True)


@torch.no_grad()
def drawn(generator: Generator, latent: Latent, batch: int = 16) -> Tensor:
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
    save(tile(torch.cat(parts), 8, 192), folder, "renders.jpg")


def build_sitters(folder: Path | None, progress: Progress) -> None:
    """Four portraits of 1024 x 1280 with rooms behind, side by side at a third of the size."""
    from latentfu_builtin.portraits.sitting import FIRST_SEED, Sitting, picture

    canvas = Image.new("RGB", (4 * 340, 425))
    for place in range(4):
        progress(place / 4, "Rendering sitters")
        drawn = Image.fromarray(picture(Sitting(FIRST_SEED + place)).numpy())
        canvas.paste(drawn.resize((340, 425), Image.Resampling.LANCZOS), (place * 340, 0))
    save(canvas, folder, "sitters.jpg")


def build_samples(folder: Path | None, progress: Progress) -> None:
    """48 samples with truncation psi 0.7 and 1.0."""
    generator = latentfu.open_generator("portraits")
    for psi in (0.7, 1.0):
        progress(psi / 2, f"Samples with psi {psi}")
        images = drawn(generator, random_latents(generator, 48, seed=7, psi=psi))
        save(tile(images, COLUMNS), folder, f"samples-psi-{psi}.jpg")


def build_mixing(folder: Path | None, progress: Progress) -> None:
    """Style mixing: each row takes its colours (right half: its features) from the left."""
    generator = latentfu.open_generator("portraits")
    latents = random_latents(generator, 8, seed=21, psi=0.8)
    sources, targets = latents.codes[:3], latents.codes[3:]
    blank = torch.full((1, 3, generator.resolution, generator.resolution), 0.96)
    rows = [torch.cat([blank, drawn(generator, latents.with_codes(targets))])]
    for first in (MIDDLE, COARSE):
        for source in sources:
            progress(len(rows) / 7, "Style mixing")
            mixed = targets.clone()
            mixed[:, first:] = source[first:]
            left = drawn(generator, latents.with_codes(source[None]))
            rows.append(torch.cat([left, drawn(generator, latents.with_codes(mixed))]))
    save(tile(torch.cat(rows), 1 + len(targets)), folder, "mixing.jpg")


def build_direction_sheet(folder: Path | None, progress: Progress) -> None:
    """Every direction from -3 to +3 on one sample."""
    generator = latentfu.open_generator("portraits")
    base = random_latents(generator, 1, seed=36, psi=0.6)
    controls = [c for c in latentfu.controls("portraits").values() if c.kind == "direction"]
    rows = []
    for place, control in enumerate(controls):
        progress(place / len(controls), control.title)
        mover = control.load()
        moved = [mover.move(base, float(s), generator) for s in STRENGTHS]
        images = torch.cat([drawn(generator, latent) for latent in moved])
        rows.append(SheetRow(control.title, f"+ is {control.positive_means}", as_pixels(images)))
    heads = [f"{s:+d}" if s else "0" for s in STRENGTHS]
    save(contact_sheet(rows, heads), folder, "directions-samples.jpg")
