"""How good and how fast every installed inverter is on the same pictures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    BadInputError,
    Crop,
    Generator,
    InversionRequest,
    Inverter,
    LatentFuError,
    Progress,
    Quad,
    between,
    random_latents,
    silent,
)

from latentfu_builtin.benchmarks.inversion_edits import Judge
from latentfu_builtin.inversion.losses import perceptual_loss
from latentfu_builtin.inversion.pixel import pyramid

Values = Mapping[str, float | int | str | bool]
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Method:
    """An inverter with the options it is measured with; ``note`` says what was changed."""

    inverter: Inverter
    options: Values = field(default_factory=dict)
    level: str = ""
    note: str = ""

    @property
    def title(self) -> str:
        """Its name, and the quality it serves."""
        return f"{self.inverter.name} ({self.level})" if self.level else self.inverter.name


def methods(
    generator: Generator, names: Sequence[str], qualities: Sequence[str] = ()
) -> list[Method]:
    """Every inverter that fits ``generator``, at each of its qualities.

    Only ``names`` and only ``qualities`` if any are given; raises BadInputError for unknown names.
    """
    installed = latentfu.inverters()
    unknown = [name for name in names if name not in installed]
    if unknown:
        raise BadInputError(
            f"There is no inverter {unknown[0]!r}; installed: {', '.join(installed)}."
        )
    found = []
    for inverter in installed.values():
        if (names and inverter.name not in names) or inverter.name == "optimise":
            continue
        if inverter.fits is not None and not inverter.fits(generator):
            continue
        levels = [Method(inverter, level.options, name) for name, level in inverter.levels.items()]
        found += levels or [Method(inverter)]
    return [method for method in found if not qualities or method.level in qualities]


def measured(
    method: Method,
    generator: Generator,
    pictures: Sequence[npt.NDArray[np.float32]],
    progress: Progress = silent,
    judge: Judge | None = None,
) -> dict[str, Any]:
    """One row: means over the pictures, one at a time; ``skipped`` says why there are none.

    ``seconds`` by the clock (median), ``cpu_seconds`` of this process, which other work on the
    machine does not lengthen. With ``judge`` also what edits of the found latents do.

    Losses that need weights which are not on this disk are replaced by the domain's own.
    """
    try:
        return row(method, generator, pictures, progress, judge)
    except latentfu.NotInstalledError as error:
        losses = str(method.inverter.options.get("losses", ""))
        if "vgg16" not in losses:
            return {"method": method.title, "skipped": str(error)}
    changed = {**method.options, "losses": losses.replace("vgg16", "auto")}
    other = Method(method.inverter, changed, method.level, "the domain's features for VGG16's")
    try:
        return row(other, generator, pictures, progress, judge)
    except LatentFuError as error:
        return {"method": method.title, "skipped": str(error)}


def row(
    method: Method,
    generator: Generator,
    pictures: Sequence[npt.NDArray[np.float32]],
    progress: Progress,
    judge: Judge | None,
) -> dict[str, Any]:
    """What ``measured`` gives when nothing is missing."""
    name, distance = perceptual_loss("auto", generator)
    options = {**method.inverter.options, **method.options}
    rows, latents = [], []
    for number, picture in enumerate(pictures):
        part = between(progress, number / len(pictures), (number + 1) / len(pictures))
        crop = Crop(picture, Quad.square(0, 0, generator.resolution), "whole")
        began, worked = time.perf_counter(), time.process_time()
        latent = method.inverter.invert(InversionRequest(crop, generator, part, options)).latent
        seconds, worked = time.perf_counter() - began, time.process_time() - worked
        latents.append(latent)
        target = torch.from_numpy(picture)[None].to(generator.device)
        with torch.no_grad():
            image = generator.render(latent).clamp(-1, 1)
            error = float((image - target).square().mean())
            far = float((distance or pyramid)(image, target)[0])
        rows.append((10 * np.log10(4 / max(error, 1e-10)), far, seconds, worked))
    psnr, far_each, seconds_each, worked_each = zip(*rows, strict=True)
    edits = asdict(judge.followed(latents)) if judge else None
    return {
        "method": method.title,
        "note": method.note,
        "pictures": len(pictures),
        "psnr": statistics.fmean(psnr),
        "psnr_lowest": min(psnr),
        "perceptual": statistics.fmean(far_each),
        "perceptual_name": name if distance else "pixels",
        "seconds": statistics.median(seconds_each),
        "cpu_seconds": statistics.median(worked_each),
        "edits": edits,
    }


def pictures_for(
    generator: Generator, folder: Path | None, count: int, own: bool = False, seed: int = 20261
) -> tuple[str, list[npt.NDArray[np.float32]]]:
    """``count`` pictures that the generator never saw, and what they are.

    From ``folder`` if it is given; else the domain's own renderer, else the generator's own
    (also for ``own``), whose codes are sampled at random.
    """
    if folder is not None:
        return f"pictures in {folder}", from_folder(generator, folder, count)
    if generator.domain == "portraits" and not own:
        return "unseen portraits of the renderer", rendered(generator, count, seed)
    with torch.no_grad():
        images = [
            generator.render(random_latents(generator, 1, seed + number))[0]
            for number in range(count)
        ]
    shown = [image.float().clamp(-1, 1).cpu().numpy() for image in images]
    return "pictures of the generator itself", shown


def rendered(generator: Generator, count: int, seed: int) -> list[npt.NDArray[np.float32]]:
    """Portraits by the renderer that taught the network, with factors it did not see."""
    from latentfu_builtin.portraits.renderer import render, sample

    factors = sample(count, seed=seed)
    parts = [render(part, generator.resolution) for part in torch.split(factors, 8)]
    return [np.asarray(image.numpy(), np.float32) for image in torch.cat(parts)]


def from_folder(generator: Generator, folder: Path, count: int) -> list[npt.NDArray[np.float32]]:
    """The first ``count`` pictures of a folder, their middle square at the generator's size."""
    from PIL import Image, ImageOps

    if not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)[:count]
    if not paths:
        raise BadInputError(f"There is no picture in {folder}.")
    size = (generator.resolution, generator.resolution)
    found = []
    for path in paths:
        try:
            with Image.open(path) as image:
                square = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.BOX)
        except OSError as error:
            raise BadInputError(f"{path} is no picture that can be read.") from error
        values = np.asarray(square, np.float32).transpose(2, 0, 1) / 127.5 - 1.0
        found.append(np.ascontiguousarray(values))
    return found


def all_rows(
    generator: Generator,
    pictures: Sequence[npt.NDArray[np.float32]],
    chosen: Sequence[Method],
    progress: Progress,
    judge: Judge | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows one after the other."""
    for number, method in enumerate(chosen):
        start, end = number / len(chosen), (number + 1) / len(chosen)
        progress(start, f"Measuring {method.title}")
        yield measured(method, generator, pictures, between(progress, start, end), judge)
