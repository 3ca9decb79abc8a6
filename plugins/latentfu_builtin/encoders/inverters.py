"""The inverters: an encoder's answer as it is, and the same refined by a few steps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from latentfu import Generator, Inversion, InversionRequest, Latent, Quality
from torch import Tensor

from latentfu_builtin.encoders.choose_encoder import choose_encoder, encode_pictures
from latentfu_builtin.inversion.losses import build_perceptual_loss, pyramid
from latentfu_builtin.inversion.optimize import one_thread, optimize_latents
from latentfu_builtin.inversion.settings import OptionValues
from latentfu_builtin.inversion.vgg import Distance


@dataclass(frozen=True)
class _Target:
    """What an inversion is judged by: the target [1, 3, R, R] and a perceptual distance."""

    generator: Generator
    target: Tensor
    name: str
    perceptual: Distance | None

    @staticmethod
    def of(request: InversionRequest) -> _Target:
        """The picture of a request."""
        generator = request.generator
        target = torch.from_numpy(request.crop.image)[None].to(generator.device)
        name, perceptual = build_perceptual_loss(
            str(request.options.get("loss", "auto")), generator
        )
        return _Target(generator, target, name, perceptual)

    @torch.no_grad()
    def quality(self, latent: Latent, seconds: float) -> Quality:
        """How well ``latent`` shows the target, rendered with constant noise."""
        image = self.generator.render(latent).float().clamp(-1, 1)
        error = float((image - self.target).square().mean())
        distance = self.perceptual or pyramid
        return Quality(
            psnr=10.0 * math.log10(4.0 / max(error, 1e-10)),
            perceptual=float(distance(image, self.target)[0]),
            perceptual_name=self.name if self.perceptual else "pixels",
            seconds=seconds,
        )


def invert_by_encoder(request: InversionRequest) -> Inversion:
    """One forward pass; raises NotInstalledError when there is no encoder for the generator."""
    begun = time.perf_counter()
    view = _Target.of(request)
    request.progress(0.1, "Encoding the picture")
    with one_thread(view.generator):
        latent = _first_latent(view, request.options)
        request.progress(0.9, "Measuring")
        quality = view.quality(latent, time.perf_counter() - begun)
    return Inversion(latent, quality, "encoder")


def refine_latent(request: InversionRequest) -> Inversion:
    """One forward pass and a few steps of optimization from there (arXiv 2004.00049)."""
    return refine_latents([request])[0]


def refine_latents(requests: Sequence[InversionRequest]) -> list[Inversion]:
    """The same for several pictures together; raises NotInstalledError without an encoder."""
    for request in requests:
        choose_encoder(request.generator, str(request.options.get("encoder", "auto")))
    return optimize_latents(requests, "encoder-refined")


@torch.no_grad()
def _first_latent(view: _Target, options: OptionValues) -> Latent:
    """What the encoder says, in the generator's editing space."""
    codes, _ = encode_pictures(view.generator, view.target, str(options.get("encoder", "auto")))
    return view.generator.mean_latent().with_codes(codes)
