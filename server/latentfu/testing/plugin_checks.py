"""Does a plug-in as a whole keep its contract, and what it brings beside networks and methods?

Each check raises AssertionError with a sentence about the first thing that is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from latentfu.core.progress import silent
from latentfu.core.regions import RegionParser
from latentfu.hookspecs import kind_of
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.plugin import PluginStatus
from latentfu.plugin_manager.sources import Source
from latentfu.plugin_manager.validation import checked_items
from latentfu.plugin_objects import Route, RouteRequest, SamplePicture, StartupTask


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)


def check_plugin(plugin: object, name: str) -> PluginStatus:
    """Register ``plugin`` alone under its ``name``: all hooks are asked, and it is well.

    That covers what is listed by every hook, also of settings, networks and folders, which need no
    more. Controls depend on a generator: see :func:`check_controls`.
    """
    status = Registry([Source(name, "a test", "", lambda: plugin)]).statuses()[0]
    _require(status.state == "ok", f"It would be quarantined: it {status.reason}.")
    _require(not status.left_out, f"It has names that are taken: {'; '.join(status.left_out)}.")
    return status


def check_region_parser(parser: RegionParser, side: int = 64, device: str = "cpu") -> None:
    """Probabilities ``[N, K, S, S]`` that add up to 1, and how sure it is, ``[N]`` in 0..1."""
    checked_items(kind_of(RegionParser), [parser])
    pictures = torch.linspace(-1, 1, 2 * 3 * side * side, device=device).reshape(2, 3, side, side)
    with torch.no_grad():
        parts, surety = parser.load(device)(pictures)
    count = len(parser.regions)
    right = parts.ndim == 4 and tuple(parts.shape[:2]) == (2, count)
    _require(right, f"{parser.name} gives {list(parts.shape)}, not [2, {count}, S, S].")
    _require(tuple(surety.shape) == (2,), f"{parser.name}: surety {list(surety.shape)}, not [2].")
    _require(bool(parts.isfinite().all()), f"{parser.name} gives no numbers.")
    off = float((parts.sum(dim=1) - 1).abs().max())
    _require(off < 1e-2, f"{parser.name}: the regions' probabilities do not add up to 1.")
    _require(bool(((surety >= 0) & (surety <= 1)).all()), f"{parser.name}: surety is not in 0..1.")
    _require(isinstance(parser.changes(), Mapping), f"{parser.name}: changes() gives no mapping.")
    unknown = sorted(set(parser.things) - set(parser.regions))
    _require(not unknown, f"{parser.name} names the thing {unknown[:1]}, which is no region of it.")


def check_route(
    route: Route, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
) -> Any:
    """What it answers is what JSON can hold; gives it."""
    checked_items(kind_of(Route), [route])
    found = route.handle(RouteRequest(query or {}, body or {}, silent))
    try:
        json.dumps(found, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{route.name} gives what JSON cannot hold: {error}.") from error
    return found


def check_startup_task(task: StartupTask, device: str = "cpu") -> None:
    """It runs, and a second time too: a worker may be started again."""
    checked_items(kind_of(StartupTask), [task])
    for times in ("once", "twice"):
        try:
            task.run(device)
        except Exception as error:
            raise AssertionError(f"{task.name} fails when it is run {times}: {error!r}.") from error


def check_sample_picture(picture: SamplePicture) -> None:
    """Pixels uint8 ``[H, W, 3]``, the same each time, and a version that stays."""
    checked_items(kind_of(SamplePicture), [picture])
    first, second = picture.render(), picture.render()
    right = first.ndim == 3 and first.shape[2] == 3 and first.dtype == np.uint8
    _require(right, f"{picture.name} gives {first.dtype} {list(first.shape)}, not uint8 [H, W, 3].")
    same = np.array_equal(first, second) and picture.version() == picture.version()
    _require(same, f"{picture.name} is another picture the second time.")
