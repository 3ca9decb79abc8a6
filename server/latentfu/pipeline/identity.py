"""Holding the person while something else moves: steps of the code towards the same identity.

After the first seed of this project (A. Mikheev, stylegan-editing): gradient ascent on the
likeness of the two pictures' identities, with the part along the edit taken out, layer by layer,
so that the edit itself stays.
"""

from __future__ import annotations

from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.latent import Latent
from latentfu.hookspecs import Identity
from latentfu.plugin_manager import get_registry

STEPS = 12
STEP = 0.004
"""The length of one step for weight 1, as a part of the code's own length."""


def with_identity(
    before: Latent, after: Latent, generator: Generator, weight: float, steps: int = STEPS
) -> Latent:
    """``after`` with its codes moved so that it shows the person of ``before``.

    What the edit moved the codes along is not touched. Raises BadInputError where no installed
    network knows persons in this generator's domain.
    """
    import torch

    known = get_registry().installed(Identity).values()
    network = next((item for item in known if generator.domain in item.domains), None)
    if network is None:
        raise BadInputError(f"No network that knows persons in {generator.domain} is installed.")
    identify = network.load(str(generator.device))
    with torch.no_grad():
        wanted = identify(generator.render(before).float().clamp(-1, 1))
    edit = after.codes - before.codes
    unit = edit / edit.norm(dim=-1, keepdim=True).clamp(min=1e-12)  # [N, (L,) D]
    codes = after.codes.detach()
    length = STEP * min(weight, 10.0) * codes.norm(dim=-1, keepdim=True)
    best, nearest = codes, -1.0
    for step in range(steps + 1):
        codes = codes.detach().requires_grad_(step < steps)
        shown = identify(generator.render(after.with_codes(codes)).float().clamp(-1, 1))
        likeness = torch.cosine_similarity(shown, wanted).mean()
        if float(likeness.detach()) > nearest:
            best, nearest = codes.detach(), float(likeness.detach())
        if step == steps:
            break
        (slope,) = torch.autograd.grad(likeness, codes)
        slope = slope - (slope * unit).sum(dim=-1, keepdim=True) * unit
        slope = slope / slope.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        codes = codes.detach() + length * (1 - step / steps) * slope
    return after.with_codes(best)
