"""latentfu.testing: whole plug-ins, region parsers, routes, tasks, pictures; each breach named."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu.testing import (
    check_plugin,
    check_region_parser,
    check_route,
    check_sample_picture,
    check_startup_task,
)


def plugin(**fields: Any) -> SimpleNamespace:
    @latentfu.hookimpl
    def latentfu_settings() -> list[latentfu.Setting]:
        known = {"plugin": "pots", "name": "size", "title": "Size", "default": 1}
        return [latentfu.Setting(**{**known, "widget": "number", **fields})]

    return SimpleNamespace(latentfu_settings=latentfu_settings, __name__="pots")


def test_a_whole_plug_in() -> None:
    assert check_plugin(plugin(), "pots").provides == {"settings": ("pots.size",)}
    with pytest.raises(AssertionError, match="the plug-in 'pots', and this one is 'pans'"):
        check_plugin(plugin(), "pans")
    with pytest.raises(AssertionError, match="the widget choice and no choices"):
        check_plugin(plugin(widget="choice"), "pots")


Parse = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def parser(count: int = 2, total: float = 1.0, surety: float = 0.9, **more: Any) -> Any:
    def load(device: str) -> Parse:
        return lambda images: (
            torch.full((len(images), count, 8, 8), total / count),
            torch.full((len(images),), surety),
        )

    return latentfu.RegionParser("mine", "Mine", ("test",), ("hair", "skin"), load, **more)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (parser(count=3), r"gives \[2, 3, 8, 8\], not \[2, 2, S, S\]"),
        (parser(total=2.0), "do not add up to 1"),
        (parser(total=float("nan")), "gives no numbers"),
        (parser(surety=7.0), "surety is not in 0..1"),
        (parser(changes=lambda: [1]), "changes\\(\\) gives no mapping"),
        (parser(things=("sky",)), "the thing \\['sky'\\]"),
    ],
)
def test_region_parsers(broken: Any, says: str) -> None:
    check_region_parser(parser())
    with pytest.raises(AssertionError, match=says):
        check_region_parser(broken)


def test_routes() -> None:
    route = latentfu.Route("pots", "echo", "Echo", lambda request: dict(request.query))
    assert check_route(route, {"cup": "blue"}) == {"cup": "blue"}
    for answer in ({1, 2}, {"x": float("nan")}):
        with pytest.raises(AssertionError, match="what JSON cannot hold"):
            check_route(latentfu.Route("pots", "odd", "Odd", lambda request, a=answer: a))


def test_startup_tasks() -> None:
    seen: list[str] = []
    check_startup_task(latentfu.StartupTask("pots", "warm", "Warm", seen.append))
    assert seen == ["cpu", "cpu"]
    with pytest.raises(AssertionError, match="when it is run twice: IndexError"):
        once = [1]
        check_startup_task(latentfu.StartupTask("pots", "pop", "Pop", lambda device: once.pop()))


def test_sample_pictures() -> None:
    def picture(render: Callable[[], Any]) -> latentfu.SamplePicture:
        return latentfu.SamplePicture("a", "A", "test", render, lambda: "1")

    check_sample_picture(picture(lambda: np.zeros((4, 5, 3), np.uint8)))
    with pytest.raises(AssertionError, match="float64"):
        check_sample_picture(picture(lambda: np.zeros((4, 5, 3))))
    draw = np.random.default_rng(1)
    with pytest.raises(AssertionError, match="another picture the second time"):
        check_sample_picture(picture(lambda: draw.integers(0, 255, (4, 5, 3), np.uint8)))
