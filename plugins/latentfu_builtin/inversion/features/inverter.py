"""The inverter feature-detail: a code, and a map of features beside it."""

from __future__ import annotations

from dataclasses import replace

from latentfu import Inversion, InversionRequest

from latentfu_builtin.inversion.checks import one_thread
from latentfu_builtin.inversion.features.detail import detailed, layer_of
from latentfu_builtin.inversion.features.options import Plan
from latentfu_builtin.inversion.pivot import begin


def invert(request: InversionRequest) -> Inversion:
    """The latent of ``request.crop`` with its detail; raises BadInputError for unusable pictures.

    A generator that shows no layers is refused at once.
    """
    plan = Plan.of(request.options)
    layer_of(request.generator, plan.side)
    start = begin(request, plan.pivot, plan.loss, plan.for_pivot)
    with one_thread(request.generator):
        latent = detailed(start, plan, replace(request, progress=start.progress))
        start.watch.lap("detail")
        steps = start.first.steps + plan.steps
        return start.judged(
            replace(start.first, latent=latent, method="feature-detail", steps=steps)
        )
