"""The inverter pivotal: a code, then the weights bent around it."""

from __future__ import annotations

import time
from dataclasses import replace

from latentfu import Inversion, InversionRequest

from latentfu_inversion.pivot import begin
from latentfu_inversion.pivotal.options import Plan
from latentfu_inversion.pivotal.tune import Subject, fresh_shifts, tuned
from latentfu_inversion.checks import one_thread


def invert(request: InversionRequest) -> Inversion:
    """The latent of ``request.crop`` with its bends; raises BadInputError for unusable pictures.

    The generator is left as it is. A generator that shows no layers is refused at once.
    """
    begun = time.perf_counter()
    plan = Plan.of(request.options)
    fresh_shifts(request.generator)
    start = begin(request, plan.pivot, plan.loss)
    subject = Subject(request.generator, start.first.latent, start.target, start.perceptual)
    with one_thread(request.generator):
        latent = tuned(subject, plan, replace(request, progress=start.progress))
        found = Inversion(latent, start.first.quality, "pivotal", start.first.steps + plan.steps)
        quality = start.quality(found, time.perf_counter() - begun)
    return replace(found, quality=quality)
