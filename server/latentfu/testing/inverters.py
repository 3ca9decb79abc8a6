"""Does an inverter keep the contract of :class:`latentfu.Inverter`?"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from latentfu.core.crop import Crop, Quad
from latentfu.core.errors import CancelledError
from latentfu.core.generator import Generator, random_latents
from latentfu.core.inversion import Inversion
from latentfu.core.progress import Progress
from latentfu.hookspecs import InversionRequest, Inverter, kind_of
from latentfu.plugin_manager.validation import checked_items
from latentfu.testing.require import SAME, apart, finite, require

Options = Mapping[str, float | int | str | bool]


def check_inverter(
    inverter: Inverter, generator: Generator, options: Options | None = None
) -> Inversion:
    """Invert a picture of ``generator`` itself, three times; gives the inversion.

    ``options`` replace the inverter's defaults (fewer steps make the check fast). Raises
    AssertionError naming the first thing that is wrong.
    """
    checked_items(kind_of(Inverter), [inverter])
    unknown = set(options or {}) - set(inverter.options)
    require(not unknown, f"The inverter does not list the options {sorted(unknown)}.")
    crop = _own_picture(generator)
    chosen = {**inverter.options, **(options or {})}
    told: list[float] = []

    def note(fraction: float, message: str = "") -> None:
        told.append(fraction)

    found = inverter.invert(InversionRequest(crop, generator, note, chosen))
    _check_inversion(inverter, generator, found)
    _check_quality(generator, found, crop)
    require(bool(told), "The inverter never calls progress, so it cannot be cancelled.")
    require(all(0 <= part <= 1 for part in told), "progress is called with fractions outside 0..1.")
    require(told == sorted(told), "progress goes backwards.")
    again = inverter.invert(InversionRequest(crop, generator, note, chosen))
    off = apart(found.latent.codes, again.latent.codes)
    require(off <= SAME, f"The same crop gives other codes the second time ({off:.4f} apart).")
    _check_cancel(inverter, crop, generator, chosen)
    return found


def _own_picture(generator: Generator) -> Crop:
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed=7))[0]
    side = float(generator.resolution)
    return Crop(image.clamp(-1, 1).cpu().numpy(), Quad.square(0, 0, side), "whole")


def _check_inversion(inverter: Inverter, generator: Generator, found: Inversion) -> None:
    require(isinstance(found, Inversion), "invert must give a latentfu.Inversion.")
    require(len(found.latent) == 1, f"The inversion has {len(found.latent)} codes, not 1.")
    found.latent.check_generator(generator.id)
    space = found.latent.space
    require(space in inverter.spaces, f"The latent is in {space}, not in {inverter.spaces}.")
    require(space in generator.spaces, f"The generator takes no latents in {space}.")
    require(finite(found.latent.codes), "The codes are not finite.")
    require(found.method == inverter.name, f"method is {found.method!r}, not {inverter.name!r}.")
    require(not found.latent.codes.requires_grad, "The codes still carry gradients: detach them.")
    require(all(finite(part) for part in found.detail.values()), "The detail is not finite.")


def _check_quality(generator: Generator, found: Inversion, crop: Crop) -> None:
    quality = found.quality
    for word in ("psnr", "perceptual", "seconds"):
        value = getattr(quality, word)
        require(math.isfinite(value), f"quality.{word} is {value}.")
    require(bool(quality.perceptual_name), "quality.perceptual_name is empty.")
    with torch.no_grad():
        ours = _psnr(generator.render(found.latent), crop)
        mean = _psnr(generator.render(generator.mean_latent()), crop)
    if not found.detail:  # with detail the method renders in its own way
        honest = abs(ours - quality.psnr) < 1.0 or min(ours, quality.psnr) > 50
        require(honest, f"quality.psnr is {quality.psnr:.1f} dB, the codes give {ours:.1f} dB.")
        require(ours > mean - 1.0, f"{ours:.1f} dB is worse than the mean latent ({mean:.1f} dB).")


def _psnr(image: torch.Tensor, crop: Crop) -> float:
    target = torch.from_numpy(crop.image).to(image.device)
    error = float((image[0].clamp(-1, 1) - target).square().mean())
    return 10 * math.log10(4 / max(error, 1e-12))


def _check_cancel(inverter: Inverter, crop: Crop, generator: Generator, options: Options) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise CancelledError

    watcher: Progress = stop
    try:
        inverter.invert(InversionRequest(crop, generator, watcher, options))
    except CancelledError:
        return
    raise AssertionError("The inverter goes on after progress raised CancelledError.")
