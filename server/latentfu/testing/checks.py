"""Does a plug-in's generator, inverter or source of controls keep its contract?

Each check raises AssertionError with a sentence about the first thing that is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch

from latentfu.core.control import Control, ControlEffect
from latentfu.core.crop import Crop, Quad
from latentfu.core.errors import BadInputError, CancelledError, LatentFuError, WrongGeneratorError
from latentfu.core.generator import Generator, random_latents
from latentfu.core.latent import Inversion, Latent
from latentfu.core.progress import Progress
from latentfu.core.value_effect import ControlValue, Exemplar, ValueEffect
from latentfu.hookspecs import kind_of
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import Source
from latentfu.plugin_manager.validation import checked_items
from latentfu.plugin_objects import GeneratorSpec, InversionRequest, Inverter
from latentfu.testing.tiny import spec_of

Options = Mapping[str, float | int | str | bool]
_SAME = 2e-3


def check_generator(spec: GeneratorSpec, device: str = "cpu") -> Generator:
    """Load ``spec`` and check everything the house relies on; gives the loaded generator.

    Raises AssertionError naming the first thing that is wrong.
    """
    checked_items(kind_of(GeneratorSpec), [spec])
    generator = spec.load(device)
    _require(isinstance(generator, Generator), "load(device) must give a latentfu.Generator.")
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
        _require(listed == loaded, f"The spec's {word} is {listed!r}, the network's {loaded!r}.")
    _require(bool(generator.spaces), "spaces names no latent space.")
    _require(generator.z_dim > 0, f"z_dim is {generator.z_dim}.")
    layered = any(space in ("w+", "w++") for space in generator.spaces)
    sized = generator.num_ws > 0 and generator.w_dim > 0
    _require(not layered or sized, "A generator with w+ needs num_ws and w_dim.")


def _shape_of(generator: Generator, latent: Latent) -> tuple[int, ...]:
    """What the shape of ``latent.codes`` has to be."""
    shapes = {
        "z": (len(latent), generator.z_dim),
        "w": (len(latent), generator.w_dim),
        "w+": (len(latent), generator.num_ws, generator.w_dim),
    }
    return shapes.get(latent.space, tuple(latent.codes.shape))


def _check_map(generator: Generator) -> Latent:
    latents = random_latents(generator, 3, seed=1)
    _require(isinstance(latents, Latent), "map(z) must give a latentfu.Latent.")
    _require(latents.generator_id == generator.id, "map(z) gives a latent with another id.")
    _require(latents.space in generator.spaces, f"map(z) gives {latents.space}, not in spaces.")
    wanted = _shape_of(generator, latents)
    _require(tuple(latents.codes.shape) == wanted, f"map(z): {latents.codes.shape}, not {wanted}.")
    _require(latents.codes.dtype == torch.float32, "map(z) must give float32 codes.")
    _require(_finite(latents.codes), "map(z) gives codes that are not finite.")
    again = random_latents(generator, 3, seed=1)
    _require(
        _apart(latents.codes, again.codes) <= _SAME, "map(z) gives other codes the second time."
    )
    if set(generator.spaces) == {"z"}:
        draw = torch.Generator().manual_seed(1)
        z = torch.randn(3, generator.z_dim, generator=draw).to(latents.codes)
        own = _apart(latents.codes, z) <= _SAME
        _require(own, "map(z) of a generator with only a z space must give z itself.")
    mean = generator.mean_latent().codes.expand_as(latents.codes)
    still = random_latents(generator, 3, seed=1, psi=0.0).codes
    _require(_apart(still, mean) <= _SAME, "map(z, psi=0) is not the mean latent.")
    return latents


def _check_render(generator: Generator, latents: Latent) -> torch.Tensor:
    before = latents.codes.clone()
    images = generator.render(latents)
    _require(
        isinstance(images, torch.Tensor), f"render gives a {type(images).__name__}, not a tensor."
    )
    side = generator.resolution
    _require(
        tuple(images.shape) == (3, 3, side, side),
        f"render of 3 codes is {list(images.shape)}, not [3, 3, {side}, {side}].",
    )
    _require(images.dtype == torch.float32, f"render gives {images.dtype}, not float32.")
    _require(_finite(images), "render gives pixels that are not finite.")
    outside = float((images.abs() > 2.0).float().mean())
    _require(
        outside < 0.01, f"{outside:.0%} of the pixels are outside -2..2 (about -1..1 is right)."
    )
    _require(float(images.std()) > 1e-4, "render gives one color.")
    _require(_apart(images[0], images[1]) > 1e-4, "Different codes give the same picture.")
    _require(_apart(latents.codes, before) == 0, "render changes the codes it is given.")
    _require(_apart(images, generator.render(latents)) <= _SAME, "render is not deterministic.")
    for index in range(3):
        alone = generator.render(latents.with_codes(latents.codes[index : index + 1]))
        off = _apart(images[index : index + 1], alone)
        _require(off <= _SAME, f"Code {index} renders otherwise alone than in a batch ({off:.4f}).")
    return images


def _check_mean(generator: Generator) -> None:
    mean = generator.mean_latent()
    _require(len(mean) == 1, f"mean_latent() has {len(mean)} codes, not 1.")
    _require(mean.generator_id == generator.id, "mean_latent() has another generator's id.")
    _require(_finite(generator.render(mean)), "The mean latent renders pixels that are not finite.")


def _check_features(generator: Generator, latents: Latent, images: torch.Tensor) -> None:
    """A generator may refuse features; if it gives them they must fit the picture."""
    try:
        image, features = generator.render(latents, "const", [0])
    except (LatentFuError, NotImplementedError):
        return
    _require(_apart(image, images) <= _SAME, "Asking for features changes the picture.")
    _require(
        set(features) == {0},
        f"features=[0] gives features {sorted(features)}: give those, or raise BadInputError where "
        f"no layers are shown.",
    )
    feature = features[0]
    right = feature.ndim == 4 and feature.shape[0] == 3 and _finite(feature)
    _require(right, "A feature must be a finite tensor [N, C, H, W].")


def _check_mix(generator: Generator, latents: Latent, images: torch.Tensor) -> None:
    a, b = (latents.with_codes(latents.codes[i : i + 1]) for i in (0, 1))
    layers = range(generator.num_ws)
    try:
        whole = generator.mix(a, b, layers)
    except BadInputError:
        return
    _require(generator.num_ws > 0, "A generator without layers must refuse to mix.")
    _require(_apart(whole, images[1:2]) <= _SAME, "Mixing all layers of b does not give b.")
    nowhere = torch.zeros(1, 1, generator.resolution, generator.resolution, device=a.codes.device)
    kept = generator.mix(a, b, layers, nowhere)
    _require(_apart(kept, images[0:1]) <= _SAME, "Mixing inside an empty mask does not give a.")


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
    _require(codes.grad is not None, "No gradient flows from the picture to the codes.")
    if codes.grad is not None:
        _require(_finite(codes.grad), "The gradient of the codes is not finite.")
        _require(bool(codes.grad.abs().max() > 0), "The gradient of the codes is zero.")


def check_controls(
    plugin: object, generator: Generator, spec: GeneratorSpec | None = None
) -> list[Control]:
    """Register ``plugin`` alone and check every control it has for ``generator``.

    ``spec``: what the plug-in is asked with, made from ``generator`` if left out. Raises
    AssertionError naming the first thing that is wrong, also when there is no control at all.
    """
    asked = spec or spec_of(generator)
    registry = Registry([Source("checked", "a test", "", lambda: plugin)])
    controls = list(registry.controls(asked).values())
    status = registry.statuses()[0]
    _require(status.state == "ok", f"The plug-in would be quarantined: it {status.reason}.")
    _require(bool(controls), f"The plug-in has no control for generator {asked.name}.")
    registry.controls(spec_of(generator, id="0" * 64, name="stranger", domain=asked.domain))
    status = registry.statuses()[0]
    _require(status.state == "ok", f"Asked for another generator, the plug-in {status.reason}.")
    for control in controls:
        _check_control(control, generator)
    return controls


@torch.no_grad()
def _check_control(control: Control, generator: Generator) -> None:
    """One control: strength 0 is identity, inputs stay, results are finite and fit."""
    effect = control.load_for(generator)
    _require(
        isinstance(effect, ControlEffect),
        f"{control.name}: load() must give a latentfu.ControlEffect.",
    )
    if control.widget != "slider":
        _check_valued_control(control, effect, generator)
        return
    latents = random_latents(generator, 2, seed=3)
    before = latents.codes.clone()
    still = effect.apply(latents, 0.0, generator)
    _require(
        isinstance(still, Latent), f"{control.name}=0 gives a {type(still).__name__}, not a Latent."
    )
    _require(_apart(still.codes, before) == 0, f"{control.name}: strength 0 changes the latent.")
    for strength in (control.minimum, control.maximum):
        moved = effect.apply(latents, strength, generator)
        where = f"{control.name}={strength:g}"
        _require(_apart(latents.codes, before) == 0, f"{where} changes the latent it is given.")
        _check_moved(where, latents, moved, generator)
        if control.kind == "direction" and strength != 0:
            _require(_apart(moved.codes, before) > 0, f"{where} changes nothing.")
        _check_layers(where, control, latents, moved)
        alone = effect.apply(latents.with_codes(before[:1]), strength, generator)
        _require(
            _apart(alone.codes, moved.codes[:1]) <= _SAME,
            f"{where} moves a code otherwise alone than in a batch.",
        )


def _check_valued_control(control: Control, effect: object, generator: Generator) -> None:
    """One that is no slider: what it can be set to gives a latent that fits."""
    where = f"{control.name} ({control.widget})"
    _require(isinstance(effect, ValueEffect), f"{where}: load() must give a latentfu.ValueEffect.")
    assert isinstance(effect, ValueEffect)
    latents = random_latents(generator, 2, seed=3)
    before = latents.codes.clone()
    one = latents.with_codes(before[:1])
    tried: dict[str, list[ControlValue]] = {
        "check": [True],
        "choice": list(control.choices),
        "color": [(0.0, 0.0, 0.0), (1.0, 0.5, 0.0)],
        "point": [(0.5, 0.5), (0.0, 1.0)],
        "text": ["a word", "Zeichen \u00e4\u00f6\u00fc \u2603"],
        "picture": [Exemplar(generator.render(one), one)],
    }
    for value in tried[control.widget]:
        moved = effect.apply_value(latents, value, generator)
        _require(_apart(latents.codes, before) == 0, f"{where} changes the latent it is given.")
        _check_moved(where, latents, moved, generator)


def _check_moved(where: str, before: Latent, moved: Latent, generator: Generator) -> None:
    _require(isinstance(moved, Latent), f"{where} does not give a latentfu.Latent.")
    same = moved.space == before.space and moved.codes.shape == before.codes.shape
    _require(same, f"{where} gives {moved.space} {list(moved.codes.shape)}.")
    _require(
        moved.generator_id == before.generator_id, f"{where} gives another generator's latent."
    )
    _require(_finite(moved.codes), f"{where} gives codes that are not finite.")
    _require(_finite(generator.render(moved)), f"{where} renders pixels that are not finite.")


def _check_layers(where: str, control: Control, before: Latent, moved: Latent) -> None:
    """Layers that the control does not name stay as they are."""
    if control.layers is None or before.codes.ndim != 3:
        return
    first, last = control.layers
    _require(last < before.codes.shape[1], f"{where}: there is no layer {last}.")
    others = [i for i in range(before.codes.shape[1]) if not first <= i <= last]
    if others:
        off = _apart(before.codes[:, others], moved.codes[:, others])
        _require(off == 0, f"{where} moves layers outside {first}-{last}.")


def check_inverter(
    inverter: Inverter, generator: Generator, options: Options | None = None
) -> Inversion:
    """Invert a picture of ``generator`` itself, three times; gives the inversion.

    ``options`` replace the inverter's defaults (fewer steps make the check fast). Raises
    AssertionError naming the first thing that is wrong.
    """
    checked_items(kind_of(Inverter), [inverter])
    unknown = set(options or {}) - set(inverter.options)
    _require(not unknown, f"The inverter does not list the options {sorted(unknown)}.")
    crop = _own_picture(generator)
    chosen = {**inverter.options, **(options or {})}
    told: list[float] = []

    def note(fraction: float, message: str = "") -> None:
        told.append(fraction)

    found = inverter.invert(InversionRequest(crop, generator, note, chosen))
    _check_inversion(inverter, generator, found)
    _check_quality(generator, found, crop)
    _require(bool(told), "The inverter never calls progress, so it cannot be cancelled.")
    _require(
        all(0 <= part <= 1 for part in told), "progress is called with fractions outside 0..1."
    )
    _require(told == sorted(told), "progress goes backwards.")
    again = inverter.invert(InversionRequest(crop, generator, note, chosen))
    off = _apart(found.latent.codes, again.latent.codes)
    _require(off <= _SAME, f"The same crop gives other codes the second time ({off:.4f} apart).")
    _check_cancel(inverter, crop, generator, chosen)
    return found


def _own_picture(generator: Generator) -> Crop:
    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed=7))[0]
    side = float(generator.resolution)
    return Crop(image.clamp(-1, 1).cpu().numpy(), Quad.square(0, 0, side), "whole")


def _check_inversion(inverter: Inverter, generator: Generator, found: Inversion) -> None:
    _require(isinstance(found, Inversion), "invert must give a latentfu.Inversion.")
    _require(len(found.latent) == 1, f"The inversion has {len(found.latent)} codes, not 1.")
    found.latent.check_generator(generator.id)
    space = found.latent.space
    _require(space in inverter.spaces, f"The latent is in {space}, not in {inverter.spaces}.")
    _require(space in generator.spaces, f"The generator takes no latents in {space}.")
    _require(_finite(found.latent.codes), "The codes are not finite.")
    _require(found.method == inverter.name, f"method is {found.method!r}, not {inverter.name!r}.")
    _require(not found.latent.codes.requires_grad, "The codes still carry gradients: detach them.")
    _require(all(_finite(part) for part in found.detail.values()), "The detail is not finite.")


def _check_quality(generator: Generator, found: Inversion, crop: Crop) -> None:
    quality = found.quality
    for word in ("psnr", "perceptual", "seconds"):
        value = getattr(quality, word)
        _require(math.isfinite(value), f"quality.{word} is {value}.")
    _require(bool(quality.perceptual_name), "quality.perceptual_name is empty.")
    with torch.no_grad():
        ours = _psnr(generator.render(found.latent), crop)
        mean = _psnr(generator.render(generator.mean_latent()), crop)
    if not found.detail:  # with detail the method renders in its own way
        honest = abs(ours - quality.psnr) < 1.0 or min(ours, quality.psnr) > 50
        _require(honest, f"quality.psnr is {quality.psnr:.1f} dB, the codes give {ours:.1f} dB.")
        _require(ours > mean - 1.0, f"{ours:.1f} dB is worse than the mean latent ({mean:.1f} dB).")


def _psnr(image: torch.Tensor, crop: Crop) -> float:
    target = torch.from_numpy(crop.image).to(image.device)
    error = float((image[0].clamp(-1, 1) - target).square().mean())
    return 10 * math.log10(4 / max(error, 1e-12))


def _check_cancel(inverter: Inverter, crop: Crop, generator: Generator, options: Options) -> None:
    def stop(fraction: float, message: str = "") -> None:
        raise CancelledError

    watcher: Progress = stop
    try:
        inverter.invert(InversionRequest(crop, generator, watcher, options))
    except CancelledError:
        return
    raise AssertionError("The inverter goes on after progress raised CancelledError.")


def _require(condition: bool, sentence: str) -> None:
    """Raise AssertionError with ``sentence`` unless ``condition``, under ``python -O`` too."""
    if not condition:
        raise AssertionError(sentence)


def _finite(tensor: torch.Tensor) -> bool:
    """No NaN and no infinity in it."""
    return bool(tensor.isfinite().all())


def _apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference of two tensors of one shape; infinite if the shapes differ."""
    return float((a - b).abs().max()) if a.shape == b.shape else float("inf")
