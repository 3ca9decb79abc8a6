"""What an inversion is worth, measured by the program: identity, and whether it can show it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

import numpy as np

from latentfu.core.crop import Crop
from latentfu.core.errors import CancelledError
from latentfu.core.generator import Generator, random_latents
from latentfu.core.latent import Inversion, Latent, Quality
from latentfu.core.limits import RemedyName
from latentfu.pipeline.plugin_calls import draw, load_identity
from latentfu.pipeline.preview import render_quick
from latentfu.plugin_manager import get_registry
from latentfu.plugin_objects import Aligner, GeneratorSpec, Identity

if TYPE_CHECKING:
    import torch

SAMPLES = 8
_SEEN = 128
"""Pixels of the pictures that the usual difference is measured by."""
Fit = Literal["good", "fair", "poor"]
Embed = Callable[["torch.Tensor"], "torch.Tensor"]
_FAIR_DB, _POOR_DB = 21.0, 16.0
"""Below these an inversion is fair, and poor, whatever the codes alone show.

The quickest inverter (encoder, draft) shows portraits of the network's own kind with 21.9 dB or
more; a portrait upside down with 13.5 dB.
"""
_FAIR_PART = 0.6
"""Above this part of the network's limit a picture is fair, above the limit poor.

Portraits of the network's own kind reach 0.14 of its limit of 0.25; photographs are at 0.53.
"""

_log = logging.getLogger(__name__)
_usual: WeakKeyDictionary[Generator, float] = WeakKeyDictionary()


def with_metrics(inversion: Inversion, crop: Crop, generator: Generator) -> Inversion:
    """``inversion`` with identity and ``out_of_domain`` measured (:class:`latentfu.Quality`)."""
    import torch

    target = torch.from_numpy(crop.image)[None].to(generator.device)
    with torch.no_grad():
        latent = inversion.latent
        shown = draw(generator, latent).float().clamp(-1, 1)
        plain = shown
        if latent.bends or latent.details:
            plain = draw(generator, _without_extras(latent)).float().clamp(-1, 1)
        beyond = float((plain - target).square().mean()) / _measure_usual_difference(generator)
        likeness = _compare_identity(shown, target, generator)
    return replace(
        inversion, quality=replace(inversion.quality, identity=likeness, out_of_domain=beyond)
    )


def _without_extras(latent: Latent) -> Latent:
    """The codes alone."""
    return replace(latent, bends=(), details=())


def _measure_usual_difference(generator: Generator) -> float:
    """Median squared difference of two pictures of the generator's own, measured once.

    By quick pictures: what two people differ by, they differ by at ``_SEEN`` pixels.
    """
    if generator not in _usual:
        images = [
            render_quick(generator, random_latents(generator, 1, seed), _SEEN).clip(-1, 1)
            for seed in range(SAMPLES)
        ]
        pairs = [np.square(images[a] - images[b]).mean() for a in range(SAMPLES) for b in range(a)]
        _usual[generator] = max(float(np.quantile(pairs, 0.5, method="lower")), 1e-8)
    return _usual[generator]


def _compare_identity(a: torch.Tensor, b: torch.Tensor, generator: Generator) -> float | None:
    """Cosine of the two pictures' identities by the first model for the domain that can tell.

    It is only a measurement: a model that fails is left out and logged.
    """
    import torch.nn.functional as F

    for model in get_registry().installed(Identity).values():
        if generator.domain not in model.domains:
            continue
        try:
            embed = _load_once(model, str(generator.device))
            return float(F.cosine_similarity(embed(a), embed(b), dim=1)[0])
        except CancelledError:
            raise
        except Exception as error:
            _log.warning("%s It is left out.", error)
    return None


_identities: dict[tuple[str, str], tuple[Identity, Embed]] = {}


def _load_once(model: Identity, device: str) -> Embed:
    """The model's function, loaded once for a device."""
    known = _identities.get((model.name, device))
    if known is None or known[0] is not model:
        known = model, load_identity(model, device)
        _identities[model.name, device] = known
    return known[1]


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


def rate_fit(quality: Quality, spec: GeneratorSpec) -> Fit:
    """How well the network shows the picture: by ``out_of_domain`` and by the inversion's dB.

    The dB alone would flatter: a method that adds detail reaches 39 dB with pictures whose edits
    look wrong.
    """
    beyond = quality.out_of_domain or 0.0
    if beyond > spec.out_of_domain_limit or quality.psnr < _POOR_DB:
        return "poor"
    if beyond > _FAIR_PART * spec.out_of_domain_limit or quality.psnr < _FAIR_DB:
        return "fair"
    return "good"


@dataclass(frozen=True)
class FitRemedy:
    """What helps a poor fit: a better method or another crop ("method"), the installed ``network``
    ("network"), one that is to be installed first ("install"), or "" where nothing is needed.

    ``advice``: the same as a sentence for the command line.
    """

    kind: RemedyName = ""
    network: str = ""
    advice: str = ""


def find_remedy(quality: Quality, spec: GeneratorSpec, crop: Crop) -> FitRemedy:
    """What to do about a poor fit; nothing if it is not poor."""
    if rate_fit(quality, spec) != "poor":
        return FitRemedy()
    if not is_outside(quality, spec):
        return FitRemedy(
            "method",
            advice=f"The inversion shows this picture only poorly ({quality.psnr:.1f} dB): take a "
            f"better method (--quality best), or a crop that shows the subject larger and upright.",
        )
    other = _find_other_network(spec, crop)
    if other is not None:
        sentence = f"Try the network {other.name} (--generator {other.name})."
        return FitRemedy("network", other.name, sentence)
    return FitRemedy(
        "install",
        advice="No other network for such pictures is installed: `latentfu generators download` "
        "lists those that can be had.",
    )


def _find_other_network(spec: GeneratorSpec, crop: Crop) -> GeneratorSpec | None:
    """Another installed network of the same domain, else one whose aligner finds its subject."""
    installed = get_registry().installed(GeneratorSpec).values()
    others = [item for item in installed if item.id != spec.id]
    same = next((item for item in others if item.domain == spec.domain), None)
    return same or next((item for item in others if _is_subject_found(item, crop)), None)


def _is_subject_found(spec: GeneratorSpec, crop: Crop) -> bool:
    """Whether the network's aligner finds something in the crop; one that fails does not.

    An aligner without domains, such as center, takes anything and says nothing.
    """
    aligner = get_registry().installed(Aligner).get(spec.aligner)
    if aligner is None or not aligner.domains:
        return False
    levels = np.rint((crop.image.transpose(1, 2, 0) + 1.0) * 127.5).clip(0, 255)
    try:
        return bool(aligner.find(np.ascontiguousarray(levels.astype(np.uint8))))
    except Exception as error:
        _log.warning("The aligner %s cannot say whether it fits: %s", aligner.name, error)
        return False
