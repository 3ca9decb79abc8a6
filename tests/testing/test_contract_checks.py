"""latentfu.testing: what keeps the contract passes, each breach is found and named."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import latentfu
import pytest
import torch
from latentfu.core.errors import LatentFuError
from latentfu.testing import (
    TinyGenerator,
    check_controls,
    check_generator,
    check_inverter,
    spec_of,
    tiny_spec,
)


def test_the_tiny_generator_keeps_the_contract() -> None:
    check_generator(tiny_spec())
    assert tiny_spec(1).id != tiny_spec(2).id


class LooseGenerator(TinyGenerator):
    """Keeps the contract but for one method, replaced by a test."""

    def mix(self, *arguments: Any, **options: Any) -> torch.Tensor:
        return super().mix(*arguments, **options)


def other_render(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., Any]:
    def render(self: TinyGenerator, latent: Any, noise: str = "const", features: Any = None) -> Any:
        if features is not None:
            raise latentfu.BadInputError("no features here")
        return change(TinyGenerator.render(self, latent))

    return render


def foreign_render(self: TinyGenerator, latent: Any, noise: str = "const", features: Any = None):
    return TinyGenerator.render(self, replace(latent, generator_id=self.id), noise, features)


def in_place_render(self: TinyGenerator, latent: Any, noise: str = "const", features: Any = None):
    image = TinyGenerator.render(self, latent, noise, features)
    if not latent.codes.requires_grad:
        latent.codes.add_(1)
    return image


BREACHES: dict[str, tuple[str, Any, str]] = {
    "doubles": ("render", other_render(lambda image: image.double()), "float32"),
    "small": ("render", other_render(lambda image: image[:, :, ::2, ::2]), "not \\[3, 3, 16, 16"),
    "bytes": ("render", other_render(lambda image: image * 127.5 + 127.5), "outside -2..2"),
    "nan": ("render", other_render(lambda image: image / 0 * 0), "not finite"),
    "one color": ("render", other_render(lambda image: image * 0), "one color"),
    "batch": ("render", other_render(lambda image: image - image.mean()), "alone than in a batch"),
    "random": (
        "render",
        other_render(lambda image: image + torch.rand_like(image) * 0.1),
        "not deterministic",
    ),
    "no gradient": ("render", other_render(lambda image: image.detach()), "gradient|grad"),
    "foreign": ("render", foreign_render, "another generator's latent"),
    "in place": ("render", in_place_render, "changes the codes"),
    "mean": (
        "mean_latent",
        lambda self: latentfu.Latent(torch.ones(1, 8), "z", self.id),
        "mean latent",
    ),
    "mixes": ("mix", lambda self, a, b, layers, mask=None: self.render(b), "refuse to mix"),
    "resolution": ("resolution", 32, "resolution is 16, the network's 32|not \\[3, 3"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_each_breach_of_a_generator_is_named(breach: str) -> None:
    attribute, value, sentence = BREACHES[breach]
    broken = type("Broken", (LooseGenerator,), {attribute: value})
    spec = replace(tiny_spec(), load=lambda device: broken())
    with pytest.raises((AssertionError, RuntimeError), match=sentence):
        check_generator(spec)


def affine_map(self: TinyGenerator, z: Any, psi: float = 1.0, *rest: Any, **more: Any) -> Any:
    return latentfu.Latent(1 + 2 * z * psi, "z", self.id)


def test_a_z_that_is_changed_by_map_is_named() -> None:
    mean = lambda self: latentfu.Latent(torch.ones(1, 8), "z", self.id)  # noqa: E731
    broken = type("Broken", (LooseGenerator,), {"map": affine_map, "mean_latent": mean})
    spec = replace(tiny_spec(), load=lambda device: broken())
    with pytest.raises(AssertionError, match="must give z itself"):
        check_generator(spec)


def test_a_control_that_gives_nothing_is_named(tiny_generator: TinyGenerator) -> None:
    class Nothing(latentfu.ControlEffect):
        def apply(self, latent: Any, strength: float, generator: Any) -> Any:
            return None

    plugin = types.SimpleNamespace(__name__="nothing")

    @latentfu.hookimpl
    def latentfu_controls(generator: latentfu.GeneratorSpec) -> list[latentfu.Control]:
        return [latentfu.Control("gone", "Gone", "more", generator.id, Nothing)]

    plugin.latentfu_controls = latentfu_controls
    with pytest.raises(AssertionError, match="gone=0 gives a NoneType, not a Latent"):
        check_controls(plugin, tiny_generator)


def quality_of(image: torch.Tensor, crop: latentfu.Crop) -> latentfu.Quality:
    error = float((image[0] - torch.from_numpy(crop.image)).square().mean())
    psnr = -10 * float(torch.log10(torch.tensor(error / 4 + 1e-12)))
    return latentfu.Quality(psnr, error, "mean square", 0.0)


def descend(request: latentfu.InversionRequest) -> latentfu.Inversion:
    """A small but honest inverter."""
    generator = request.generator
    target = torch.from_numpy(request.crop.image)[None]
    codes = generator.mean_latent().codes.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([codes], 0.1)
    steps = int(request.options["steps"])
    for step in range(steps):
        request.progress(step / steps)
        optimizer.zero_grad()
        latent = generator.mean_latent().with_codes(codes)
        (generator.render(latent) - target).square().mean().backward()
        optimizer.step()
    found = generator.mean_latent().with_codes(codes.detach())
    quality = quality_of(generator.render(found), request.crop)
    return latentfu.Inversion(found, quality, "descend", steps)


INVERTER = latentfu.Inverter("descend", "Descend", ("z",), descend, {"steps": 20})


def test_an_honest_inverter_passes(tiny_generator: TinyGenerator) -> None:
    found = check_inverter(INVERTER, tiny_generator, {"steps": 10})
    assert found.steps == 10


def deaf(request: latentfu.InversionRequest) -> latentfu.Inversion:
    def tell(fraction: float, message: str = "") -> None:
        with contextlib.suppress(LatentFuError):
            request.progress(fraction, message)

    return descend(replace(request, progress=tell))


def wandering(request: latentfu.InversionRequest) -> latentfu.Inversion:
    found = descend(request)
    codes = found.latent.codes + 0.05 * torch.rand(found.latent.codes.shape)
    return replace(found, latent=found.latent.with_codes(codes))


def changed(**changes: Any) -> Callable[[latentfu.InversionRequest], latentfu.Inversion]:
    return lambda request: replace(descend(request), **changes)


BAD_INVERTERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "gives nothing": (lambda request: None, "latentfu.Inversion"),
    "deaf": (deaf, "goes on"),
    "silent": (
        lambda request: descend(replace(request, progress=lambda *told: None)),
        "never calls progress",
    ),
    "wandering": (wandering, "the second time"),
    "other name": (changed(method="else"), "method is"),
    "boasting": (changed(quality=latentfu.Quality(45.0, 0.0, "none", 0.0)), "the codes give"),
    "nan": (changed(quality=latentfu.Quality(float("nan"), 0.0, "none", 0.0)), "psnr is nan"),
    "two codes": (
        changed(latent=latentfu.Latent(torch.zeros(2, 8), "z", tiny_spec().id)),
        "2 codes",
    ),
    "foreign": (changed(latent=latentfu.Latent(torch.zeros(1, 8), "z", "0" * 64)), "was made for"),
}


@pytest.mark.parametrize("name", BAD_INVERTERS)
def test_each_breach_of_an_inverter_is_named(tiny_generator: TinyGenerator, name: str) -> None:
    invert, sentence = BAD_INVERTERS[name]
    bad = replace(INVERTER, invert=invert, options={"steps": 3})
    with pytest.raises((AssertionError, LatentFuError), match=sentence):
        check_inverter(bad, tiny_generator)


def source(move: Callable[[Any, float], Any], **fields: Any) -> types.ModuleType:
    """A plug-in with one control that moves like ``move(codes, strength)``."""

    class Move(latentfu.ControlEffect):
        def apply(self, latent: Any, strength: float, generator: Any) -> Any:
            return latent.with_codes(move(latent.codes, strength))

    @latentfu.hookimpl
    def latentfu_controls(generator: latentfu.GeneratorSpec) -> Iterator[latentfu.Control]:
        known = {"generator_id": generator.id, "load": Move} | fields
        yield latentfu.Control(name="tilt", title="Tilt", positive_means="more", **known)

    module = types.ModuleType("source")
    module.latentfu_controls = latentfu_controls  # type: ignore[attr-defined]
    return module


def test_a_direction_passes(tiny_generator: TinyGenerator) -> None:
    (control,) = check_controls(source(lambda codes, k: codes + k), tiny_generator)
    assert control.name == "tilt"


BAD_MOVES: dict[str, tuple[Callable[[Any, float], Any], dict[str, Any], str]] = {
    "not the identity": (lambda codes, k: codes + k + 1, {}, "strength 0"),
    "in place": (lambda codes, k: codes.add_(k), {}, "changes the latent it is given"),
    "nan": (lambda codes, k: codes + (k and float("nan")), {}, "not finite"),
    "nothing": (lambda codes, k: codes.clone(), {}, "changes nothing"),
    "another shape": (lambda codes, k: codes[:, :3] if k else codes, {}, "gives z"),
    "batch": (lambda codes, k: codes + k * codes.mean(), {}, "than in a batch"),
    "another generator": (lambda codes, k: codes + k, {"generator_id": "b" * 64}, "quarantined"),
    "no mover": (lambda codes, k: codes + k, {"load": dict}, "latentfu.ControlEffect"),
}


@pytest.mark.parametrize("name", BAD_MOVES)
def test_each_breach_of_a_control_is_named(tiny_generator: TinyGenerator, name: str) -> None:
    move, fields, sentence = BAD_MOVES[name]
    with pytest.raises(AssertionError, match=sentence):
        check_controls(source(move, **fields), tiny_generator)


def test_a_source_without_controls_is_named(tiny_generator: TinyGenerator) -> None:
    module = source(lambda codes, k: codes)
    module.latentfu_controls = latentfu.hookimpl(lambda generator: [])  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="no control for generator tiny"):
        check_controls(module, tiny_generator)


def test_registered_plug_ins_are_what_the_process_uses(
    registered: Callable[..., Any], tiny_generator: TinyGenerator
) -> None:
    registry = registered(source(lambda codes, k: codes + k))
    assert list(registry.controls(spec_of(tiny_generator)))[-1] == "tilt"
    assert latentfu.generators() == registry.installed("generators")
