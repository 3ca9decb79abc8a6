"""Where the search begins: the mean, what another inverter found, or a latent in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import latentfu
import torch
from latentfu import BadInputError, InversionRequest, Latent, NotInstalledError, silent
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Coordinates, Noises
from latentfu_builtin.inversion.settings import Settings
from latentfu_builtin.inversion.terms import Objective

AT_ONCE = 16
FOR_NOISE = 16


def starting_points(
    space: Coordinates, settings: Settings, requests: Sequence[InversionRequest]
) -> Tensor:
    """Points ``[N, rows, D]``, one for each request.

    Raises NotInstalledError or BadInputError when the named start can not be had.
    """
    if settings.start == "mean":
        return space.origin().expand(len(requests), -1, -1)
    points = [first_point(space, settings, request) for request in requests]
    return torch.cat(points).detach()


def first_point(space: Coordinates, settings: Settings, request: InversionRequest) -> Tensor:
    """The starting point ``[1, rows, D]`` of one picture."""
    name = settings.start
    if name == "auto":
        try:
            return space.points(asked("encoder", settings, request))
        except (NotInstalledError, BadInputError):
            return space.origin()
    if name in latentfu.inverters():
        return space.points(asked(name, settings, request))
    path = Path(name).expanduser()
    if not path.is_file():
        raise BadInputError(
            f"The start {name!r} is neither mean, auto, an inverter's name nor a file."
        )
    return space.points(latentfu.load_inversion(path, request.generator).latent)


def asked(name: str, settings: Settings, request: InversionRequest) -> Latent:
    """What the inverter ``name`` finds."""
    inverters = latentfu.inverters()
    if name not in inverters:
        raise NotInstalledError(f"There is no inverter {name!r} to start from.")
    options = dict(inverters[name].options)
    if "encoder" in options:
        options["encoder"] = settings.encoder
    request = replace(request, options=options, preview=None, progress=silent)
    return inverters[name].invert(request).latent


@torch.no_grad()
def nearer_candidates(
    space: Coordinates, settings: Settings, objective: Objective, targets: Tensor, points: Tensor
) -> Tensor:
    """``points``, replaced by random latents where those look more like the targets."""
    count = settings.candidates
    if isinstance(space, Noises) and settings.start == "mean":
        count = max(count, FOR_NOISE)  # z = 0 is where its normalisation has no slope
    if count == 0:
        return points
    generator = space.generator
    lowest = objective(generator.render(space.latent(points)), targets)
    best = points.clone().contiguous()
    draw = torch.Generator().manual_seed(settings.seed)
    z = torch.randn(count, generator.z_dim, generator=draw).to(generator.device)
    for part in torch.split(z, AT_ONCE):
        latents = generator.map(part)
        images = generator.render(latents)
        by_noise = isinstance(space, Noises)
        found = part[:, None] if by_noise else space.points(latents)
        for row, target in enumerate(targets):
            pick = objective.of(torch.tensor([row], device=targets.device))
            distances = pick(images, target[None].expand_as(images))
            nearest = int(distances.argmin())
            if float(distances[nearest]) < float(lowest[row]):
                lowest[row] = distances[nearest]
                best[row] = found[nearest]
    return best
