"""Directions by an installed maker: asked for by a request, measured, and kept when wanted.

The maker works in a folder of its own: what it writes is read again and checked before anybody
sees it, and where it fails or is cancelled nothing stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from latentfu.core.control import Control
from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.progress import Progress, Stopwatch, between, silent
from latentfu.pipeline.generator_pool import GeneratorPool
from latentfu.pipeline.method_options import Options, merge_options
from latentfu.plugin_manager import get_registry, pick
from latentfu.plugin_manager.running import call_plugin, refuse_result
from latentfu.plugin_objects import ControlMaker, ControlRequest, Scorer
from latentfu.protocol.replies import MadeDirectionReply, MadeReply
from latentfu.protocol.requests import MakeRequest
from latentfu.storage.directions import Direction, read_direction
from latentfu.storage.own_directions import (
    drop_draft,
    open_scratch,
    read_draft,
    refuse_control_name,
    save_direction,
    write_draft,
)


def choose_scorer(domain: str, attribute: str = "") -> Scorer | None:
    """The first installed scorer for ``domain`` that reads the attribute; else its first."""
    scorers = get_registry().installed(Scorer).values()
    found = [scorer for scorer in scorers if scorer.domain == domain]
    return next((each for each in found if attribute in each.attributes), next(iter(found), None))


class DirectionMaking:
    """Makes what requests ask for with the networks of a pool, and keeps what was wanted."""

    def __init__(self, generators: GeneratorPool) -> None:
        self._generators = generators

    def make(self, request: MakeRequest, progress: Progress = silent) -> list[Direction]:
        """The directions, measured by their maker; nothing is kept.

        Raises:
            NotInstalledError: there is no such maker or generator.
            BadInputError: an option is not the maker's, or nothing can be learned.
            PluginFailedError: the maker failed, or gave something else.
            CancelledError: ``progress`` raised it.
        """
        maker, options = _resolve_maker(request)  # a wrong name costs no loading
        progress(0.0, "Loading the network")
        generator = self._generators.open(self._generators.find_spec(request.generator))
        return _run_maker(request, generator, maker, options, progress)

    def report(self, request: MakeRequest, progress: Progress = silent) -> MadeReply:
        """The same with a report; with ``keep`` they are put among the user's own.

        What was reported and not kept waits for a day: to keep it is to ask for the same again.

        Raises:
            BadInputError: a name is taken; and as :meth:`make`.
        """
        watch = Stopwatch()
        maker, _ = _resolve_maker(request)
        spec = self._generators.find_spec(request.generator)
        controls = get_registry().controls(spec)
        refuse_control_name(request.direction_name, controls)
        key = _name_draft(request, spec.id)
        made = read_draft(key) if request.keep else []
        if not made:
            made = self.make(request, between(progress, 0.0, 0.99))
        for direction in made:
            refuse_control_name(direction.name, controls)
        progress(0.99, "Keeping the direction" if request.keep else "")
        files: list[Path | None] = [None] * len(made)
        if request.keep:
            files = [save_direction(direction) for direction in made]
            drop_draft(key)
        else:
            write_draft(key, made)
        watch.lap("made")
        rows = zip(made, files, strict=True)
        return MadeReply(
            directions=[_describe_made(direction, file, controls) for direction, file in rows],
            generator=spec.name,
            maker=maker.name,
            kept=request.keep,
            seconds=watch.seconds["made"],
        )


def _resolve_maker(request: MakeRequest) -> tuple[ControlMaker, Options]:
    """The maker that the request names, and all of its options."""
    maker = pick(get_registry().installed(ControlMaker), request.maker, "maker")
    return maker, merge_options("maker", maker, request.options)


def _run_maker(
    request: MakeRequest,
    generator: Generator,
    maker: ControlMaker,
    options: Options,
    progress: Progress,
) -> list[Direction]:
    """What the maker writes into a folder of its own, read again and checked."""
    words = {"name": request.direction_name, **({"plus": request.plus} if request.plus else {})}
    told = {**options, **words, **request.options}
    with open_scratch() as folder:
        asked = ControlRequest(
            generator=generator,
            attribute=request.attribute,
            samples=request.samples,
            seed=request.seed,
            progress=progress,
            scorer=choose_scorer(generator.domain, request.attribute),
            options=told,
        )
        paths = call_plugin(maker, "worked", lambda: maker.make(asked, folder))
        is_list = isinstance(paths, list) and all(isinstance(path, Path) for path in paths)
        if not is_list or not paths:
            raise refuse_result(maker, "no files" if is_list else paths, "a list of files")
        made = [_read_made(maker, path, generator) for path in paths]
    return [_name_as_asked(made[0], request)] if len(made) == 1 else made


def _read_made(maker: ControlMaker, path: Path, generator: Generator) -> Direction:
    try:
        direction = read_direction(path)
    except BadInputError as error:
        raise refuse_result(maker, f"a file that is none ({error})", "a direction") from error
    if direction.generator_id != generator.id:
        raise refuse_result(maker, "another network's direction", f"one of {generator.name}")
    return direction


def _name_as_asked(direction: Direction, request: MakeRequest) -> Direction:
    """A direction under the name that was asked for; what its maker says of it stays."""
    return replace(
        direction,
        name=request.direction_name,
        attribute=direction.attribute or request.attribute,
        plus=request.plus or direction.plus,
        group="own" if direction.group == "other" else direction.group,
    )


def _name_draft(request: MakeRequest, generator_id: str) -> str:
    """A name that only the same request has, whether to keep or not; 64 hex digits."""
    asked = {**request.to_wire(), "keep": 0, "interactive": 0, "generator": generator_id}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _describe_made(
    direction: Direction, file: Path | None, controls: Mapping[str, Control]
) -> MadeDirectionReply:
    facts = {
        **direction.facts(),
        "replaces": direction.name in controls,
        "file": str(file) if file else None,
    }
    return MadeDirectionReply.model_validate(facts)
