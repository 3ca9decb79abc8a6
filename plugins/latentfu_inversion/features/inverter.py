"""The inverter feature-detail: a code, and a map of features beside it."""

from __future__ import annotations

import time
from dataclasses import replace

from latentfu import Inversion, InversionRequest

from latentfu_inversion.features.detail import detailed, layer_of
from latentfu_inversion.features.options import Plan
from latentfu_inversion.pivot import begin
from latentfu_inversion.checks import one_thread


def invert(request: InversionRequest) -> Inversion:
    """The latent of ``request.crop`` with its detail; raises BadInputError for unusable pictures.

    A generator that shows no layers is refused at once.
    """
    begun = time.perf_counter()
    plan = Plan.of(request.options)
    generator = request.generator
    layer_of(generator, plan.side)
    start = begin(request, plan.pivot, plan.loss)
    with one_thread(generator):
        latent = detailed(start, plan, replace(request, progress=start.progress))
        steps = start.first.steps + plan.steps
        found = Inversion(latent, start.first.quality, "feature-detail", steps)
        quality = start.quality(found, time.perf_counter() - begun)
    return replace(found, quality=quality)
