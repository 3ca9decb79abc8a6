"""What an inversion is worth, measured by the program: identity, and whether it can show it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from latentfu.core.crop import Crop
from latentfu.core.generator import Generator, random_latents
from latentfu.core.inversion import Inversion, Quality
from latentfu.core.latent import Latent
from latentfu.hookspecs import GeneratorSpec, Identity
from latentfu.plugin_manager import get_registry

if TYPE_CHECKING:
    import torch

SAMPLES = 8

_usual: WeakKeyDictionary[Generator, float] = WeakKeyDictionary()


def with_metrics(inversion: Inversion, crop: Crop, generator: Generator) -> Inversion:
    """``inversion`` with identity and ``out_of_domain`` measured (:class:`latentfu.Quality`)."""
    import torch

    target = torch.from_numpy(crop.image)[None].to(generator.device)
    with torch.no_grad():
        latent = inversion.latent
        shown = generator.render(latent).float().clamp(-1, 1)
        plain = shown
        if latent.bends or latent.details:
            plain = generator.render(_without_extras(latent)).float().clamp(-1, 1)
        beyond = float((plain - target).square().mean()) / _measure_usual_difference(generator)
        likeness = _compare_identity(shown, target, generator)
    return replace(
        inversion, quality=replace(inversion.quality, identity=likeness, out_of_domain=beyond)
    )


def _without_extras(latent: Latent) -> Latent:
    """The codes alone."""
    return replace(latent, bends=(), details=())


def _measure_usual_difference(generator: Generator) -> float:
    """Median squared difference of two pictures of the generator's own, measured once."""
    import torch

    if generator not in _usual:
        with torch.no_grad():
            images = [
                generator.render(random_latents(generator, 1, seed)).float().clamp(-1, 1)
                for seed in range(SAMPLES)
            ]
        pairs = [(images[a] - images[b]).square().mean() for a in range(SAMPLES) for b in range(a)]
        _usual[generator] = max(float(torch.stack(pairs).median()), 1e-8)
    return _usual[generator]


def _compare_identity(a: torch.Tensor, b: torch.Tensor, generator: Generator) -> float | None:
    """Cosine of the two pictures' identities by the first model for the domain; None without."""
    import torch.nn.functional as F

    models = get_registry().installed(Identity).values()
    model = next((item for item in models if generator.domain in item.domains), None)
    if model is None:
        return None
    embed = model.load(str(generator.device))
    return float(F.cosine_similarity(embed(a), embed(b), dim=1)[0])


def is_outside(quality: Quality, spec: GeneratorSpec) -> bool:
    """Whether the network's codes cannot show the picture."""
    return is_beyond(quality.out_of_domain, spec)


def is_beyond(beyond: float | None, spec: GeneratorSpec) -> bool:
    """The same of the measure alone (``Quality.out_of_domain``)."""
    return beyond is not None and beyond > spec.out_of_domain_limit


def describe_outside(quality: Quality, spec: GeneratorSpec) -> str:
    """A sentence about a picture that is outside what the network shows; empty if it is not."""
    if not is_outside(quality, spec):
        return ""
    return (
        f"This picture is outside what {spec.name} can show: expect edits to look wrong, or choose "
        f"another generator or a crop that fits it."
    )
