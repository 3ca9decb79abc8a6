"""Which inverter a quality chooses, what is measured afterwards, and what is never cached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from latentfu import (
    Aligner,
    BadInputError,
    CancelledError,
    Crop,
    GeneratorSpec,
    InversionRequest,
    Inverter,
    Level,
    NotInstalledError,
    PluginFailedError,
    Quad,
    Quality,
    hookimpl,
    random_latents,
)
from latentfu.core.progress import silent
from latentfu.pipeline.cache import InversionCache
from latentfu.pipeline.invert import choose_inverters, invert_crop
from latentfu.pipeline.metrics import (
    describe_outside,
    find_remedy,
    is_outside,
    rate_fit,
    with_metrics,
)
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from latentfu.protocol.requests import InvertRequest, build_request
from latentfu.storage.inversion_cache import InversionStore
from latentfu_builtin.inversion.optimize import optimize_latent as optimise

from tests.support.small_world import ID, SIDE, instant, small_generator

GENERATOR = small_generator()
SPEC = GeneratorSpec("small", "Small", "test", SIDE, ID, lambda device: GENERATOR)


def inverter(name: str, fits: Any = None, **ranks: float) -> Inverter:
    levels = {level: Level(rank) for level, rank in ranks.items()}
    return Inverter(name, name, ("w+",), instant, levels=levels, fits=fits)


def table(*items: Inverter) -> dict[str, Inverter]:
    return {item.name: item for item in items}


def refuse(generator: Any) -> bool:
    raise RuntimeError("broken")


PLAIN = inverter("plain", draft=1, good=1)
BETTER = inverter("better", good=2, best=1)
MISSING = inverter("missing", fits=lambda generator: False, good=9)
BROKEN = inverter("broken", fits=refuse, good=9)


@pytest.mark.parametrize(("items", "quality", "name"), [
    ((PLAIN, BETTER), None, "better"), ((PLAIN, BETTER), "draft", "plain"),
    ((PLAIN, BETTER), "best", "better"), ((PLAIN,), "best", "plain"),
    ((MISSING, BROKEN, PLAIN), "good", "plain"),
    ((inverter("only"),), "best", "only"),
])  # fmt: skip
def test_the_highest_rank_that_fits_is_taken(
    items: tuple[Inverter, ...], quality: str | None, name: str
) -> None:
    assert choose_inverters(table(*items), GENERATOR, None, quality)[0][0].name == name


def test_a_name_counts_more_than_a_quality_and_wrong_words_are_one_sentence() -> None:
    known = table(PLAIN, BETTER)
    assert choose_inverters(known, GENERATOR, "plain", None)[0][0].name == "plain"
    with pytest.raises(BadInputError, match="has no quality best"):
        choose_inverters(known, GENERATOR, "plain", "best")
    with pytest.raises(BadInputError, match="is 'perfect': give 'draft', 'good' or 'best'"):
        build_request(InvertRequest, layer="0" * 64, quality="perfect")
    with pytest.raises(NotInstalledError, match="no inverter"):
        choose_inverters(known, GENERATOR, "nobody", None)
    with pytest.raises(NotInstalledError, match="works for the generator"):
        choose_inverters(table(MISSING), GENERATOR, None, "good")


def crop_of(image: np.ndarray) -> Crop:
    return Crop(np.asarray(image, np.float32), Quad.square(0, 0, SIDE), "test")


def own_picture() -> np.ndarray:
    with torch.no_grad():
        return GENERATOR.render(random_latents(GENERATOR, 1, 3))[0].clamp(-1, 1).numpy()


OPTIONS: dict[str, float | int | str | bool] = {"losses": "pixels", "steps": 60}


def test_a_foreign_picture_is_called_outside_and_an_own_one_is_not() -> None:
    noise = np.random.default_rng(0).choice([-1.0, 1.0], (3, SIDE, SIDE))
    for image, outside in ((own_picture(), False), (noise, True)):
        asked = InversionRequest(crop_of(image), GENERATOR, silent, OPTIONS)
        quality = with_metrics(optimise(asked), asked.crop, GENERATOR).quality
        assert is_outside(quality, SPEC) is outside
        assert bool(describe_outside(quality, SPEC)) is outside


@pytest.mark.parametrize(("psnr", "beyond", "fit"), [
    (39.0, 0.1, "good"), (25.0, None, "good"), (39.0, 0.3, "fair"), (18.0, 0.1, "fair"),
    (39.0, 0.5, "poor"), (13.5, 0.1, "poor"),
])  # fmt: skip
def test_the_fit_is_a_word_with_advice_when_it_is_poor(
    psnr: float, beyond: float | None, fit: str
) -> None:
    quality = Quality(psnr, 0.1, "none", 0.0, out_of_domain=beyond)
    with use_registry(Registry([])):
        assert rate_fit(quality, SPEC) == fit
        assert bool(find_remedy(quality, SPEC, crop_of(own_picture())).kind) is (fit == "poor")


def test_the_advice_names_another_network_for_the_same_pictures() -> None:
    def spec(name: str, domain: str, aligner: str = "center") -> GeneratorSpec:
        return GeneratorSpec(name, name, domain, 16, name[0] * 64, lambda _: GENERATOR, aligner)

    def fail(_: object) -> list[Quad]:
        raise RuntimeError

    found = [
        Aligner("sees", "x", ("people",), lambda _: [Quad.square(0, 0, 9)]),
        Aligner("blind", "x", ("cars",), lambda _: []),
        Aligner("broken", "x", ("cats",), fail),
        Aligner("center", "x", (), lambda _: [Quad.square(0, 0, 9)]),
    ]

    remedies: list[tuple[str, str]] = []

    def advise(*specs: GeneratorSpec) -> str:
        plugin = SimpleNamespace(
            latentfu_generators=hookimpl(lambda: specs),
            latentfu_aligners=hookimpl(lambda: found),
            __name__="many",
        )
        with use_registry(Registry([Source("many", "tests", "", lambda: plugin)])):
            found_remedy = find_remedy(quality, specs[0], crop_of(own_picture()))
            remedies.append((found_remedy.kind, found_remedy.network))
            return found_remedy.advice

    quality = Quality(39.0, 0.1, "none", 0.0, out_of_domain=0.9)
    drawn, cars, people = spec("aa", "drawn"), spec("cc", "cars", "blind"), spec("bb", "p", "sees")
    lists = "latentfu generators download"
    assert lists in advise(drawn, cars, spec("ee", "cats", "broken"), spec("ff", "any"))
    assert "--generator bb" in advise(drawn, cars, people)
    assert "--generator dd" in advise(drawn, people, spec("dd", "drawn"))
    assert remedies == [("install", ""), ("network", "bb"), ("network", "dd")]


def test_parts_of_the_time_add_up() -> None:
    quality = optimise(InversionRequest(crop_of(own_picture()), GENERATOR, silent, OPTIONS)).quality
    assert sum(quality.parts.values()) == pytest.approx(quality.seconds)
    assert "optimise" in quality.parts


def stop(fraction: float, message: str = "") -> None:
    if fraction > 0.3:
        raise CancelledError


def no_numbers(request: InversionRequest) -> Any:
    found = instant(request)
    return replace(found, latent=found.latent.with_codes(found.latent.codes * torch.nan))


WPLUS = Inverter("w-plus", "x", ("w+",), optimise, options={**OPTIONS})


@pytest.mark.parametrize(("image", "inverter", "progress", "error"), [
    (np.full((3, SIDE, SIDE), np.nan), WPLUS, silent, BadInputError),
    (np.full((3, SIDE, SIDE), -1.0), WPLUS, silent, BadInputError),
    (None, WPLUS, stop, CancelledError),
    (None, Inverter("nan", "x", ("w+",), no_numbers), silent, PluginFailedError),
])  # fmt: skip
def test_what_fails_or_is_cancelled_leaves_no_cache_entry(
    tmp_path: Path, image: Any, inverter: Inverter, progress: Any, error: type[Exception]
) -> None:
    shelf = InversionCache(InversionStore(tmp_path))
    crop = crop_of(own_picture() if image is None else image)
    with pytest.raises(error) as caught:
        invert_crop(InversionRequest(crop, GENERATOR, progress), inverter, cache=shelf)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_cached_one_is_taken_unless_it_is_wanted_again(tmp_path: Path) -> None:
    shelf = InversionCache(InversionStore(tmp_path))
    asked = InversionRequest(crop_of(own_picture()), GENERATOR, silent)
    calls = []
    counted = Inverter("i", "i", ("w+",), lambda request: calls.append(1) or instant(request))
    for again, cached in ((False, False), (False, True), (True, False)):
        assert invert_crop(asked, counted, cache=shelf, refresh=again).cached is cached
    assert len(calls) == 2
