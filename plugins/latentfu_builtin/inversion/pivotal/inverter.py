"""The inverter pivotal: a code, then the weights bent around it."""

from __future__ import annotations

from dataclasses import replace

from latentfu import Inversion, InversionRequest

from latentfu_builtin.inversion.checks import one_thread
from latentfu_builtin.inversion.pivot import begin
from latentfu_builtin.inversion.pivotal.options import Plan
from latentfu_builtin.inversion.pivotal.tune import fresh_shifts, tuned


def invert(request: InversionRequest) -> Inversion:
    """The latent of ``request.crop`` with its bends; raises BadInputError for unusable pictures.

    The generator is left as it is. A generator that shows no layers is refused at once.
    """
    plan = Plan.of(request.options)
    fresh_shifts(request.generator)
    start = begin(request, plan.pivot, plan.loss)
    with one_thread(request.generator):
        latent = tuned(start, plan, replace(request, progress=start.progress))
        start.watch.lap("tune")
        steps = start.first.steps + plan.steps
        return start.judged(replace(start.first, latent=latent, method="pivotal", steps=steps))
