"""Every hook a plug-in can implement, and what each one returns.

A plug-in is a module (or any object) with functions marked ``@latentfu.hookimpl``. It is found
through the entry-point group ``latentfu`` or as a single ``.py`` file in the plug-in folder.
Hooks return iterables of the frozen objects of :mod:`latentfu.plugin_objects`.
Import torch inside ``load`` functions, never at the top of a plug-in module.

A kind of object is declared once: its class there, and its hook in :class:`Hooks` with the
decorator that enters it into :data:`KINDS`. The check of its fields, the rules for its names, the
words in sentences, ``latentfu.installed(...)`` and the reference pages come from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pluggy

from latentfu.core.control import Control
from latentfu.core.deprecation import old_arguments
from latentfu.core.errors import NotInstalledError
from latentfu.core.installable_network import InstallableNetwork
from latentfu.core.limits import QUALITIES
from latentfu.core.names import is_name
from latentfu.core.regions import RegionParser
from latentfu.core.setting import Setting
from latentfu.plugin_objects import (
    HIGHEST_RANK,
    Aligner,
    BuildStep,
    CheckpointFormat,
    Command,
    ControlMaker,
    Encoder,
    GeneratorSpec,
    Identity,
    Inverter,
    Loss,
    PublicNetwork,
    Route,
    SamplePicture,
    Scorer,
    StartupTask,
    WatchedFolder,
)

T = TypeVar("T")

hookspec = pluggy.HookspecMarker("latentfu")
hookimpl = pluggy.HookimplMarker("latentfu")
"""Marks a function of a plug-in as a hook: ``@latentfu.hookimpl`` before ``latentfu_...``."""


def _levels_fault(inverter: Inverter) -> str | None:
    for name, level in inverter.levels.items():
        if name not in QUALITIES:
            return f"the level {name!r} (there are: {', '.join(QUALITIES)})"
        if not 0 <= level.rank <= HIGHEST_RANK:
            return f"the rank {level.rank:g} of the level {name}, which is not 0 to {HIGHEST_RANK}"
        unknown = sorted(set(level.options) - set(inverter.options))
        if unknown:
            return f"the level {name} that sets {unknown[0]!r}, which is not among its options"
    return None


def _encoder_fault(encoder: Encoder) -> str | None:
    if encoder.generator_id or encoder.fits is not None:
        return None
    return "neither a generator_id nor fits"


def _regions_fault(parser: RegionParser) -> str | None:
    unlike = [name for name in parser.regions if not is_name(name) or name in ("auto", "whole")]
    if unlike:
        return f"the region {unlike[0]!r}, which is no name for one"
    return None if parser.regions else "no regions"


def _path_fault(command: Command) -> str | None:
    return None if command.path else "an empty path"


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of object that plug-ins bring.

    ``name``: in the plural, "losses"; its hook is ``latentfu_losses``. ``cls``: of the objects.
    ``word``: for sentences, "loss". ``doc``: what they are, one line. ``find_fault``: what the
    fields' types cannot say, as the end of "returned a Loss with ..."; None for no fault.
    """

    name: str
    cls: type[T]
    word: str
    doc: str
    find_fault: Callable[[T], str | None] | None = None

    @property
    def hook(self) -> str:
        """The name of the function that plug-ins implement."""
        return f"latentfu_{self.name}"


KINDS: dict[str, Kind[Any]] = {}
"""Every kind by its name, in the order in which plug-ins are asked."""


def kind_of(kind: type | str) -> Kind[Any]:
    """The kind of the objects of a class, or of that name.

    Raises:
        NotInstalledError: no hook returns such objects.

    >>> kind_of(Loss).name, kind_of("losses").word
    ('losses', 'loss')
    """
    found = [each for each in KINDS.values() if kind in (each.name, each.cls)]
    if not found:
        wanted = kind if isinstance(kind, str) else kind.__name__
        raise NotInstalledError(f"No hook returns {wanted!r}; there are: {', '.join(KINDS)}.")
    return found[0]


_Hook = TypeVar("_Hook", bound=Callable[..., Iterable[Any]])


def _returns(
    cls: type[T], word: str, find_fault: Callable[[T], str | None] | None = None
) -> Callable[[_Hook], _Hook]:
    """Declare a kind by its hook: the hook's name and docstring are the kind's."""

    def declare(hook: _Hook) -> _Hook:
        name = hook.__name__.removeprefix("latentfu_")
        KINDS[name] = Kind(name, cls, word, (hook.__doc__ or "").strip(), find_fault)
        return hookspec(hook, warn_on_impl_args=old_arguments(hook.__name__))

    return declare


class Hooks:
    """The hook specifications. Any hook may be left out; an empty list is nothing, None a fault."""

    @_returns(GeneratorSpec, "generator")
    def latentfu_generators(self) -> Iterable[GeneratorSpec]:
        """Generators that this plug-in brings, ready to be opened by name."""
        return ()

    @_returns(CheckpointFormat, "checkpoint format")
    def latentfu_checkpoint_formats(self) -> Iterable[CheckpointFormat]:
        """File formats of weights that this plug-in can read."""
        return ()

    @_returns(Aligner, "aligner")
    def latentfu_aligners(self) -> Iterable[Aligner]:
        """Ways to find the square a generator understands in a picture."""
        return ()

    @_returns(Loss, "loss")
    def latentfu_losses(self) -> Iterable[Loss]:
        """Image distances that inverters can minimize, by name."""
        return ()

    @_returns(Inverter, "inverter", _levels_fault)
    def latentfu_inverters(self) -> Iterable[Inverter]:
        """Methods that find the latent of a picture."""
        return ()

    @_returns(Encoder, "encoder", _encoder_fault)
    def latentfu_encoders(self) -> Iterable[Encoder]:
        """Networks that give the latent of a picture in one pass."""
        return ()

    @_returns(Scorer, "scorer")
    def latentfu_scorers(self) -> Iterable[Scorer]:
        """Networks that read attributes from a picture."""
        return ()

    @_returns(Identity, "identity")
    def latentfu_identities(self) -> Iterable[Identity]:
        """Networks that tell whether two pictures show the same person."""
        return ()

    @_returns(RegionParser, "region parser", _regions_fault)
    def latentfu_region_parsers(self) -> Iterable[RegionParser]:
        """Networks that tell which part of a picture is hair, skin, clothes and so on."""
        return ()

    @_returns(Control, "control", Control.find_fault)
    def latentfu_controls(self, generator: GeneratorSpec) -> Iterable[Control]:
        """Directions and deformations for ``generator``; compare ``generator.id`` first."""
        return ()

    @_returns(ControlMaker, "control maker")
    def latentfu_control_makers(self) -> Iterable[ControlMaker]:
        """Methods that make new directions or deformations."""
        return ()

    @_returns(Command, "command", _path_fault)
    def latentfu_commands(self) -> Iterable[Command]:
        """Commands added to the ``latentfu`` program."""
        return ()

    @_returns(BuildStep, "build step")
    def latentfu_build_steps(self) -> Iterable[BuildStep]:
        """Parts of what is shipped for a generator, made again from its weights."""
        return ()

    @_returns(PublicNetwork, "public network")
    def latentfu_public_networks(self) -> Iterable[PublicNetwork]:
        """Networks that can be fetched by name."""
        return ()

    @_returns(InstallableNetwork, "installable network")
    def latentfu_installable_networks(self) -> Iterable[InstallableNetwork]:
        """Networks that a person can install by one name, also over HTTP and from GIMP."""
        return ()

    @_returns(SamplePicture, "sample picture")
    def latentfu_sample_pictures(self) -> Iterable[SamplePicture]:
        """Pictures that the demo and a person can try a generator on."""
        return ()

    @_returns(Setting, "setting", Setting.find_fault)
    def latentfu_settings(self) -> Iterable[Setting]:
        """What a person can choose about this plug-in."""
        return ()

    @_returns(Route, "route")
    def latentfu_routes(self) -> Iterable[Route]:
        """Addresses of the server that this plug-in answers."""
        return ()

    @_returns(StartupTask, "startup task")
    def latentfu_startup_tasks(self) -> Iterable[StartupTask]:
        """What this plug-in does when a worker of the server starts."""
        return ()

    @_returns(WatchedFolder, "watched folder")
    def latentfu_watched_folders(self) -> Iterable[WatchedFolder]:
        """Folders whose files decide what this plug-in lists."""
        return ()
