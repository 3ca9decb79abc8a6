"""Opening generators: by name or from a file, and those that requests on one device name."""

from __future__ import annotations

import ctypes
import logging
import sys
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Protocol

from latentfu.core.control import Control
from latentfu.core.errors import BadInputError, LatentFuError, NotInstalledError
from latentfu.core.generator import Generator
from latentfu.pipeline.invert import Method, choose_inverters
from latentfu.pipeline.method_options import Options
from latentfu.pipeline.network_memory import measure_network, read_memory_limit
from latentfu.pipeline.plugin_calls import load_generator
from latentfu.pipeline.spare_memory import run_with_room
from latentfu.plugin_manager import get_registry, pick
from latentfu.plugin_manager.running import call_plugin, refuse_result
from latentfu.plugin_objects import Aligner, CheckpointFormat, GeneratorSpec, Inverter

_TRIM_THRESHOLD = -1
_MMAP_MAX = -4
_MOST_KEPT = 1 << 30


@cache
def keep_freed_pages() -> bool:
    """Let this process keep up to 1 GiB of freed memory at its heap's end; whether it could be.

    A layer's features are tens of megabytes. glibc takes blocks of that size from the system
    and gives them back each time, and the system hands them out page by page, cleared: on a
    CPU that can cost more than the convolutions. Other systems' allocators keep such blocks
    anyway. It acts on the whole process and is done once, when a network is opened.

    Holes are kept as well, so work must not leave small results between large ones that it frees
    (see `feature_warp`). `give_back_freed` ends what is kept, when networks are unloaded.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, _MOST_KEPT))


_log = logging.getLogger(__name__)


class RequestedNames(Protocol):
    """The names in a request; None is the default. ``options``: over the inverter's."""

    @property
    def generator(self) -> str | None: ...
    @property
    def inverter(self) -> str | None: ...
    @property
    def aligner(self) -> str | None: ...
    @property
    def quality(self) -> str | None: ...
    @property
    def options(self) -> Options: ...


@dataclass(frozen=True)
class ResolvedRequest:
    """The objects behind a request's names.

    ``methods``: the inverter and its options; then those that take over where it fails, which
    are more than one only if the person named none. ``aligners``: likewise.
    """

    spec: GeneratorSpec
    generator: Generator
    aligners: tuple[Aligner, ...]
    methods: tuple[Method, ...]
    controls: dict[str, Control]


class GeneratorPool:
    """Opens generators on ``device``, and keeps them within the memory that networks may hold.

    When one more is too many, those that were used least recently go; the one that is opened
    stays, however large it is, and so do those that were adopted.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._open: dict[str, Generator] = {}
        self._guests: dict[str, GeneratorSpec] = {}

    def adopt(self, generator: Generator) -> str:
        """Take in an opened generator; gives the name under which requests find it."""
        installed = get_registry().installed(GeneratorSpec).get(generator.name)
        if installed is None or installed.id != generator.id:
            self._guests[generator.id] = _make_guest_spec(generator)
            self._open[generator.id] = generator
            return generator.id
        self._open.setdefault(generator.id, generator)
        return generator.name

    def find_spec(self, name: str | None) -> GeneratorSpec:
        """The spec of a generator's name (None: the default); NotInstalledError if unknown."""
        if name is not None and name in self._guests:
            return self._guests[name]
        return pick(get_registry().installed(GeneratorSpec), name, "generator")

    def open(self, spec: GeneratorSpec) -> Generator:
        """The network of ``spec``, loaded when it is not there."""
        generator = self._open.pop(spec.id, None)
        if generator is None:
            keep_freed_pages()
            generator = self._load(spec)
            self._make_room(measure_network(generator))
        self._open[spec.id] = generator  # the last is the one used last
        return generator

    def _load(self, spec: GeneratorSpec) -> Generator:
        def make_room() -> bool:
            if not self._loaded():
                return False
            _log.warning("No room for %s: the other networks are unloaded.", spec.name)
            self.release()
            return True

        return run_with_room(lambda: load_generator(spec, self.device), make_room)

    def _make_room(self, wanted: int) -> None:
        """Unload what was used least recently until ``wanted`` bytes fit."""
        room = read_memory_limit(self.device) - wanted
        sizes = {known: measure_network(self._open[known]) for known in self._loaded()}
        for known, size in list(sizes.items()):
            if sum(sizes.values()) <= room:
                return
            _log.info("The network %s is unloaded: %d MB", self._open[known].name, size / 1e6)
            del self._open[known], sizes[known]

    def _loaded(self) -> list[str]:
        """The ids of networks that can be loaded again, the least recently used first."""
        return [known for known in self._open if known not in self._guests]

    def find_aligner(self, names: RequestedNames) -> Aligner:
        """The aligner that ``names`` means; NotInstalledError for what is not there."""
        wanted = names.aligner or self.find_spec(names.generator).aligner
        return pick(get_registry().installed(Aligner), wanted, "aligner")

    def resolve(self, names: RequestedNames) -> ResolvedRequest:
        """Everything that ``names`` names; NotInstalledError for what is not there."""
        registry = get_registry()
        spec = self.find_spec(names.generator)
        aligner = self.find_aligner(names)
        inverters = registry.installed(Inverter)
        if names.inverter is not None:
            pick(inverters, names.inverter, "inverter")  # a wrong name costs no loading
        generator = self.open(spec)
        chosen = choose_inverters(inverters, generator, names.inverter, names.quality)
        methods = [Method(item, {**options, **names.options}) for item, options in chosen]
        first, *others = methods
        able = [each for each in others if set(names.options) <= set(each.inverter.options)]
        aligners = [aligner]
        if names.aligner is None and aligner.domains:
            others_known = registry.installed(Aligner).values()
            aligners += [
                each
                for each in others_known
                if each is not aligner and set(each.domains) & set(aligner.domains)
            ]
        controls = registry.controls(spec)
        return ResolvedRequest(spec, generator, tuple(aligners), (first, *able), controls)

    def release(self) -> None:
        """Let go of the networks that can be loaded again."""
        for known in self._loaded():
            del self._open[known]


def _make_guest_spec(generator: Generator) -> GeneratorSpec:
    """A spec for a generator that no plug-in lists, such as one opened from a file."""
    specs = get_registry().installed(GeneratorSpec).values()
    related = next((spec for spec in specs if spec.domain == generator.domain), None)
    return GeneratorSpec(
        name=generator.name,
        title=generator.name,
        domain=generator.domain,
        resolution=generator.resolution,
        id=generator.id,
        load=lambda device: generator,
        aligner=related.aligner if related else "center",
    )


def open_generator(name_or_path: str | Path, device: str = "auto") -> Generator:
    """An installed generator by name, or a checkpoint file in a known format.

    Args:
        name_or_path: the name goes first, where both exist.
        device: "cpu", "cuda", ... or "auto" for the best there is.

    Returns:
        The generator with its weights loaded.

    Raises:
        NotInstalledError: there is neither such a generator nor such a file.
        BadInputError: the file is in no format that is opened as it is, or is damaged.
    """
    keep_freed_pages()
    device = best_device() if device == "auto" else device
    known_specs = get_registry().installed(GeneratorSpec)
    spec = known_specs.get(str(name_or_path))
    if spec is not None:
        return load_generator(spec, device)
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(known_specs) or "none"
        raise NotInstalledError(
            f"There is no generator {str(name_or_path)!r} and no such file; installed: {known}."
        )
    known_format = detect_format(path)
    if known_format is not None and known_format.load is not None:
        opened = call_plugin(
            known_format, f"opened {path.name}", partial(known_format.load, path, device)
        )
        if not isinstance(opened, Generator):
            raise refuse_result(known_format, opened, "a latentfu.Generator")
        return opened
    raise BadInputError(
        f"{path} is in no format that is opened as it is: try `latentfu generators import {path}`."
    )


def detect_format(path: Path) -> CheckpointFormat | None:
    """The first installed format that opens the file as it is; one that fails is passed over."""
    for known in get_registry().installed(CheckpointFormat).values():
        if known.detect is None or known.load is None:
            continue
        try:
            if call_plugin(known, f"looked at {path.name}", partial(known.detect, path)):
                return known
        except LatentFuError as error:
            _log.warning("%s", error)
    return None


def best_device() -> str:
    """ "cuda" where there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
