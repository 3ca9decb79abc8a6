"""Does a generator keep the contract of :class:`latentfu.Generator`?"""

from __future__ import annotations

from dataclasses import replace

import torch

from latentfu.core.errors import BadInputError, LatentFuError, WrongGeneratorError
from latentfu.core.generator import Generator, random_latents
from latentfu.core.latent import Latent
from latentfu.hookspecs import GeneratorSpec, kind_of
from latentfu.plugin_manager.validation import checked_items
from latentfu.testing.require import SAME, apart, finite, require


def check_generator(spec: GeneratorSpec, device: str = "cpu") -> Generator:
    """Load ``spec`` and check everything the house relies on; gives the loaded generator.

    Raises AssertionError naming the first thing that is wrong.
    """
    checked_items(kind_of(GeneratorSpec), [spec])
    generator = spec.load(device)
    require(isinstance(generator, Generator), "load(device) must give a latentfu.Generator.")
    _check_words(spec, generator)
    with torch.no_grad():
        latents = _check_map(generator)
        images = _check_render(generator, latents)
        _check_mean(generator)
        _check_features(generator, latents, images)
        _check_mix(generator, latents, images)
    _check_foreign(generator, latents)
    _check_gradients(generator, latents)
    return generator


def _check_words(spec: GeneratorSpec, generator: Generator) -> None:
    for word in ("name", "id", "domain", "resolution"):
        listed, loaded = getattr(spec, word), getattr(generator, word)
        require(listed == loaded, f"The spec's {word} is {listed!r}, the network's {loaded!r}.")
    require(bool(generator.spaces), "spaces names no latent space.")
    require(generator.z_dim > 0, f"z_dim is {generator.z_dim}.")
    layered = any(space in ("w+", "w++") for space in generator.spaces)
    sized = generator.num_ws > 0 and generator.w_dim > 0
    require(not layered or sized, "A generator with w+ needs num_ws and w_dim.")


def shape_of(generator: Generator, latent: Latent) -> tuple[int, ...]:
    """What the shape of ``latent.codes`` has to be."""
    shapes = {
        "z": (len(latent), generator.z_dim),
        "w": (len(latent), generator.w_dim),
        "w+": (len(latent), generator.num_ws, generator.w_dim),
    }
    return shapes.get(latent.space, tuple(latent.codes.shape))


def _check_map(generator: Generator) -> Latent:
    latents = random_latents(generator, 3, seed=1)
    require(isinstance(latents, Latent), "map(z) must give a latentfu.Latent.")
    require(latents.generator_id == generator.id, "map(z) gives a latent with another id.")
    require(latents.space in generator.spaces, f"map(z) gives {latents.space}, not in spaces.")
    wanted = shape_of(generator, latents)
    require(tuple(latents.codes.shape) == wanted, f"map(z): {latents.codes.shape}, not {wanted}.")
    require(latents.codes.dtype == torch.float32, "map(z) must give float32 codes.")
    require(finite(latents.codes), "map(z) gives codes that are not finite.")
    again = random_latents(generator, 3, seed=1)
    require(apart(latents.codes, again.codes) <= SAME, "map(z) gives other codes the second time.")
    mean = generator.mean_latent().codes.expand_as(latents.codes)
    still = random_latents(generator, 3, seed=1, psi=0.0).codes
    require(apart(still, mean) <= SAME, "map(z, psi=0) is not the mean latent.")
    return latents


def _check_render(generator: Generator, latents: Latent) -> torch.Tensor:
    before = latents.codes.clone()
    images = generator.render(latents)
    side = generator.resolution
    require(
        tuple(images.shape) == (3, 3, side, side),
        f"render of 3 codes is {list(images.shape)}, not [3, 3, {side}, {side}].",
    )
    require(images.dtype == torch.float32, f"render gives {images.dtype}, not float32.")
    require(finite(images), "render gives pixels that are not finite.")
    outside = float((images.abs() > 2.0).float().mean())
    require(
        outside < 0.01, f"{outside:.0%} of the pixels are outside -2..2 (about -1..1 is right)."
    )
    require(float(images.std()) > 1e-4, "render gives one colour.")
    require(apart(images[0], images[1]) > 1e-4, "Different codes give the same picture.")
    require(apart(latents.codes, before) == 0, "render changes the codes it is given.")
    require(apart(images, generator.render(latents)) <= SAME, "render is not deterministic.")
    for index in range(3):
        alone = generator.render(latents.with_codes(latents.codes[index : index + 1]))
        off = apart(images[index : index + 1], alone)
        require(off <= SAME, f"Code {index} renders otherwise alone than in a batch ({off:.4f}).")
    return images


def _check_mean(generator: Generator) -> None:
    mean = generator.mean_latent()
    require(len(mean) == 1, f"mean_latent() has {len(mean)} codes, not 1.")
    require(mean.generator_id == generator.id, "mean_latent() has another generator's id.")
    require(finite(generator.render(mean)), "The mean latent renders pixels that are not finite.")


def _check_features(generator: Generator, latents: Latent, images: torch.Tensor) -> None:
    """A generator may refuse features; if it gives them they must fit the picture."""
    try:
        image, features = generator.render(latents, "const", [0])
    except (LatentFuError, NotImplementedError):
        return
    require(apart(image, images) <= SAME, "Asking for features changes the picture.")
    require(set(features) == {0}, f"features=[0] gives features {sorted(features)}.")
    feature = features[0]
    right = feature.ndim == 4 and feature.shape[0] == 3 and finite(feature)
    require(right, "A feature must be a finite tensor [N, C, H, W].")


def _check_mix(generator: Generator, latents: Latent, images: torch.Tensor) -> None:
    a, b = (latents.with_codes(latents.codes[i : i + 1]) for i in (0, 1))
    layers = range(generator.num_ws)
    try:
        whole = generator.mix(a, b, layers)
    except BadInputError:
        return
    require(generator.num_ws > 0, "A generator without layers must refuse to mix.")
    require(apart(whole, images[1:2]) <= SAME, "Mixing all layers of b does not give b.")
    nowhere = torch.zeros(1, 1, generator.resolution, generator.resolution, device=a.codes.device)
    kept = generator.mix(a, b, layers, nowhere)
    require(apart(kept, images[0:1]) <= SAME, "Mixing inside an empty mask does not give a.")


def _check_foreign(generator: Generator, latents: Latent) -> None:
    foreign = replace(latents, generator_id="0" * 64)
    try:
        generator.render(foreign)
    except WrongGeneratorError:
        return
    raise AssertionError("render takes another generator's latent: call latent.check_generator.")


def _check_gradients(generator: Generator, latents: Latent) -> None:
    codes = latents.codes.detach().clone().requires_grad_(True)
    generator.render(latents.with_codes(codes)).square().mean().backward()  # type: ignore[no-untyped-call]
    require(codes.grad is not None, "No gradient flows from the picture to the codes.")
    if codes.grad is not None:
        require(finite(codes.grad), "The gradient of the codes is not finite.")
        require(bool(codes.grad.abs().max() > 0), "The gradient of the codes is zero.")
