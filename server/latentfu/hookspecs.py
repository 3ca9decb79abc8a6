"""Every hook a plug-in can implement, and what each one returns.

A plug-in is a module (or any object) with functions marked ``@latentfu.hookimpl``. It is found
through the entry-point group ``latentfu`` or as a single ``.py`` file in the plug-in folder.
Hooks return iterables of the frozen objects defined here: cheap to list, loaded when used.
Import torch inside ``load`` functions, never at the top of a plug-in module.

A kind of object is declared once: its class, and its hook in :class:`Hooks` with the decorator
that enters it into :data:`KINDS`. The check of its fields, the rules for its names, the words in
sentences, ``latentfu.installed(...)`` and the reference pages come from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import pluggy

from latentfu.core.control import Control
from latentfu.core.deprecation import rename_fields
from latentfu.core.errors import NotInstalledError
from latentfu.core.limits import QUALITIES
from latentfu.core.names import (
    Name,
    OptionalSha256,
    RelativeFile,
    Resolution,
    Sha256,
    WebAddress,
)
from latentfu.core.setting import Setting

if TYPE_CHECKING:
    import click
    import numpy as np
    import torch

    from latentfu.core.crop import Crop, Point, Quad
    from latentfu.core.generator import Generator
    from latentfu.core.inversion import Inversion
    from latentfu.core.progress import Progress
    from latentfu.sandbox.tree import ConvertedWeights, ForeignFile

T = TypeVar("T")

hookspec = pluggy.HookspecMarker("latentfu")
hookimpl = pluggy.HookimplMarker("latentfu")
"""Marks a function of a plug-in as a hook: ``@latentfu.hookimpl`` before ``latentfu_...``."""


@rename_fields(outside="out_of_domain_limit")
@dataclass(frozen=True)
class GeneratorSpec:
    """A generator that can be opened by ``name``.

    ``load(device)`` gives the loaded network ("cpu", "cuda", "cuda:1", ...). ``id`` is the
    sha256 of its weights, known without loading. ``aligner``: the aligner that finds its crops.
    ``out_of_domain_limit``: above this ``Quality.out_of_domain`` a picture is called outside what
    the generator can show. ``family``: its architecture, or the checkpoint format that opens it,
    so that controls and encoders know networks that they can work with; empty where that says
    nothing.
    """

    name: Name
    title: str
    domain: str
    resolution: Resolution
    id: Sha256
    load: Callable[[str], Generator]
    aligner: str = "center"
    licence: str = ""
    description: str = ""
    out_of_domain_limit: float = 0.35
    family: str = ""


@dataclass(frozen=True)
class PublicNetwork:
    """A network that its authors published, for ``latentfu generators download``.

    The terms are shown and agreed to before anything is fetched; the file is checked by its
    ``sha256`` if there is one, and imported. Never guess a hash: leave it out.

    ``file``: what it is called there, with folders if need be. ``resolution`` in pixels.
    ``licence``: under which terms it was published; ``page``: where they can be read.
    ``address``: http or https; empty where only the hash is known. ``sha256``: of the file, in
    hex; empty where it is not known. ``size``: in bytes, if ``exact``, else about.
    """

    name: Name
    title: str
    file: RelativeFile
    domain: str
    resolution: Resolution
    licence: str
    non_commercial: bool
    page: str = ""
    format: str = ""
    address: WebAddress = ""
    sha256: OptionalSha256 = ""
    size: int | None = None
    exact: bool = False


@dataclass(frozen=True)
class CheckpointFormat:
    """A file format for weights: one that is opened as it is, or one that is imported.

    ``detect(path)`` looks at the content of a safetensors file, and ``load(path, device)`` gives
    the network. Files of other kinds (pickles and the like) are read in a child process, where
    nothing in them is run; ``convert(foreign)`` then makes the content (dicts, lists, numbers,
    numpy arrays, :class:`latentfu.OpaqueObject` s) into the tensors and metadata of a format that
    can be opened, gives None when the content is another format's, and raises BadInputError naming
    what it does not understand. The metadata are the format's own; these keys count for the
    program: ``title``, ``description``, ``domain``, ``licence``, ``aligner`` (a name),
    ``out_of_domain_limit`` (a number). A format that raises anything else is passed over.
    """

    name: Name
    title: str
    detect: Callable[[Path], bool] | None = None
    load: Callable[[Path, str], Generator] | None = None
    convert: Callable[[ForeignFile], ConvertedWeights | None] | None = None


@dataclass(frozen=True)
class Aligner:
    """Finds the squares in a layer that a generator of ``domains`` understands.

    ``find(rgb)``: uint8 ``[H, W, 3]`` -> quads, best first, empty when there is none.
    ``place(eyes, mouth)``: the same square from points that a person gave, in layer pixels: the
    two eyes ``((x, y), (x, y))``, left in the picture first, and the middle of the mouth; None
    where the aligner knows none. ``padding``: what stands outside the layer: "mirror", or "blur"
    for a mirror that fades into a blur, so that no second face appears there.
    """

    name: Name
    title: str
    domains: tuple[str, ...]
    find: Callable[[np.ndarray[Any, np.dtype[np.uint8]]], list[Quad]]
    place: Callable[[tuple[Point, Point], Point], Quad] | None = None
    padding: Literal["mirror", "blur"] = "mirror"


@dataclass(frozen=True)
class Loss:
    """A distance between two batches of images, for inversion.

    ``build(generator)`` gives a function of two ``[N, 3, R, R]`` tensors in -1..1 to ``[N]``,
    differentiable in the first. ``domains``: where it is meant for; empty for everywhere.
    """

    name: Name
    title: str
    build: Callable[[Generator], Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class InversionRequest:
    """What an inverter gets: the crop, the loaded generator, options and who watches.

    ``preview(image)`` may be called with a ``[1, 3, R, R]`` tensor to show work in progress.
    ``mask``: float32 ``[R, R]`` in 0..1; only what is inside it counts. None for everything.
    """

    crop: Crop
    generator: Generator
    progress: Progress
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    preview: Callable[[torch.Tensor], None] | None = None
    mask: np.ndarray[Any, np.dtype[np.float32]] | None = None


HIGHEST_RANK = 100


@dataclass(frozen=True)
class Level:
    """How an inverter serves one of the qualities "draft", "good" and "best".

    ``rank``: 0 to 100; among the inverters that fit a generator the highest rank of a quality is
    taken, and where it fails the next. The built-in ones have 5 and 10 (searches), 20 (encoders)
    and 30 (detail beside a code).
    ``options``: what it is called with then, over its defaults.
    """

    rank: float
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Inverter:
    """A method that finds the latent of a crop.

    ``invert(request)`` gives a :class:`latentfu.Inversion` with its measured
    :class:`latentfu.Quality`. ``spaces``: the latent spaces it works in. ``options``: names and
    default values of what can be tuned; they are part of the cache key. ``levels``: the qualities
    ("draft", "good", "best") for which it can be chosen when a person names none.
    ``fits(generator)``: whether it can work for that opened generator (an encoder may be missing);
    None for any with one of its spaces. ``invert_many``: the same for several requests with one
    generator and equal options, faster together than one by one; None if nothing is gained.
    """

    name: Name
    title: str
    spaces: tuple[str, ...]
    invert: Callable[[InversionRequest], Inversion]
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)
    description: str = ""
    levels: Mapping[str, Level] = field(default_factory=dict)
    fits: Callable[[Generator], bool] | None = None
    invert_many: Callable[[Sequence[InversionRequest]], list[Inversion]] | None = None


@dataclass(frozen=True)
class Encoder:
    """A network that gives the latent of a picture in one pass.

    The inverters ``encoder`` and ``encoder-refined`` use the first that is for the generator.
    ``generator_id``: sha256 of the weights it was trained for; empty for one that serves several,
    such as all networks of a checkpoint format, which ``fits(generator)`` then tells.
    ``load(generator)`` gives, on the
    generator's device, a function of pictures ``[N, 3, R, R]`` in -1..1 (R the generator's
    resolution) to float32 codes in ``space``: ``[N, num_ws, w_dim]`` for w+ and w++,
    ``[N, w_dim]`` for w, ``[N, z_dim]`` for z.
    """

    name: Name
    title: str
    generator_id: OptionalSha256
    load: Callable[[Generator], Callable[[torch.Tensor], torch.Tensor]]
    space: Literal["z", "w", "w+", "w++"] = "w+"
    licence: str = ""
    description: str = ""
    fits: Callable[[Generator], bool] | None = None

    def is_for(self, generator: Generator) -> bool:
        """Whether it encodes pictures for an opened generator."""
        if self.generator_id == generator.id:
            return True
        return self.fits is not None and bool(self.fits(generator))


@dataclass(frozen=True)
class Scorer:
    """Reads attributes from images: labels for training directions, figures for reports.

    ``attributes``: their names in order. ``score(images)``: ``[N, 3, R, R]`` in -1..1 ->
    ``[N, len(attributes)]`` float32.
    """

    name: Name
    title: str
    domain: str
    attributes: tuple[str, ...]
    load: Callable[[str], Callable[[torch.Tensor], torch.Tensor]]


@dataclass(frozen=True)
class Identity:
    """Tells whether two pictures show the same person (or thing).

    Every inversion for a generator of one of ``domains`` is measured with it, and the loss
    ``identity`` minimizes it.

    ``load(device)`` gives a function of pictures ``[N, 3, R, R]`` in -1..1, cropped for a
    generator of one of ``domains``, to embeddings ``[N, D]``, differentiable; their cosine is
    the likeness.
    """

    name: Name
    title: str
    domains: tuple[str, ...]
    load: Callable[[str], Callable[[torch.Tensor], torch.Tensor]]
    licence: str = ""


@dataclass(frozen=True)
class ControlRequest:
    """What a control maker gets: the generator, how many samples, a seed, options, progress."""

    generator: Generator
    attribute: str
    samples: int
    seed: int
    progress: Progress
    scorer: Scorer | None = None
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class ControlMaker:
    """A method that makes controls (boundary training, difference of pairs, PCA, ...).

    ``make(request, out)`` writes one or more direction files into the folder ``out`` and
    returns their paths.
    """

    name: Name
    title: str
    make: Callable[[ControlRequest, Path], list[Path]]
    options: Mapping[str, float | int | str | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A command of the program ``latentfu``.

    ``path``: where it stands; ``("train", "teapots")`` is ``latentfu train teapots``. ``load()``
    gives a click command, which takes ``--json`` (:func:`latentfu.json_option`). ``hidden``: it
    works, and ``--help`` does not list it; for old names.
    """

    path: tuple[Name, ...]
    help: str
    load: Callable[[], click.Command]
    hidden: bool = False


@dataclass(frozen=True)
class RouteRequest:
    """What a route gets: the address's query, the JSON object that was sent, and who watches."""

    query: Mapping[str, str]
    body: Mapping[str, Any]
    progress: Progress


@dataclass(frozen=True)
class Route:
    """An address of the server: ``/v1/plugins/PLUGIN/NAME``, behind its token and its limits.

    ``handle(request)`` runs in the worker process, between jobs, with the networks at hand. It
    gives what JSON can hold, and raises a :class:`latentfu.LatentFuError` for people. ``method``:
    "GET" for what changes nothing; a "POST" has a JSON object as its body.
    """

    plugin: Name
    name: Name
    title: str
    handle: Callable[[RouteRequest], Any]
    method: Literal["GET", "POST"] = "GET"


@dataclass(frozen=True)
class WatchedFolder:
    """A folder whose files decide what a plug-in lists.

    When a file is put into ``path`` or taken away, the plug-ins of a running program are asked
    again. The folder need not exist.
    """

    name: Name
    path: Path


@dataclass(frozen=True)
class BuildStep:
    """A part of what is shipped for a generator that is made from its weights.

    ``latentfu build GENERATOR`` runs the steps of that generator by ``order`` (lowest first)
    and writes into the folders that they ship from. ``run(folder, progress)``: makes the files
    in ``folder`` instead when it is not None.
    """

    name: Name
    title: str
    generator: str
    order: int
    run: Callable[[Path | None, Progress], None]


@dataclass(frozen=True)
class SamplePicture:
    """A picture to try generators of ``domain`` on, which none of them was trained with.

    ``render()`` gives its pixels, uint8 ``[H, W, 3]``; that may take a minute. ``version()`` gives
    a text that changes with the pixels, so that a picture is rendered once and then kept.
    """

    name: Name
    title: str
    domain: str
    render: Callable[[], np.ndarray[Any, np.dtype[np.uint8]]]
    version: Callable[[], str]
    licence: str = ""


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


def _range_fault(control: Control) -> str | None:
    if control.minimum < control.maximum:
        return None
    return f"the range {control.minimum}..{control.maximum}"


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
        return hookspec(hook)

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

    @_returns(Control, "control", _range_fault)
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

    @_returns(WatchedFolder, "watched folder")
    def latentfu_watched_folders(self) -> Iterable[WatchedFolder]:
        """Folders whose files decide what this plug-in lists."""
        return ()
