"""The objects that plug-ins bring: generators, inverters, controls' makers, commands and so on.

Frozen, cheap to list, loaded when used. Their kinds and hooks stand in :mod:`latentfu.hookspecs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from latentfu.core.deprecation import rename_fields
from latentfu.core.names import Name, OptionalSha256, RelativeFile, Resolution, Sha256, WebAddress

if TYPE_CHECKING:
    import click
    import numpy as np
    import torch

    from latentfu.core.crop import Crop, Point, Quad
    from latentfu.core.generator import Generator
    from latentfu.core.latent import Inversion
    from latentfu.core.progress import Progress
    from latentfu.sandbox.tree import ConvertedWeights, ForeignFile


@rename_fields(outside="out_of_domain_limit")
@dataclass(frozen=True)
class GeneratorSpec:
    """A generator that can be opened by ``name``.

    ``load(device)`` gives the loaded network ("cpu", "cuda", "cuda:1", ...). ``id`` is the
    sha256 of its weights, known without loading. ``aligner``: the aligner that finds its crops.
    ``out_of_domain_limit``: above this ``Quality.out_of_domain`` a picture is called outside what
    the generator can show. ``photograph_distance``: above this one a picture is treated as a
    photograph, whose pixels are kept, and not as one of the generator's own; None for half of the
    limit. ``family``: its architecture, or the checkpoint format that opens it,
    so that controls and encoders know networks that they can work with; empty where that says
    nothing. ``file``: where its weights lie. ``remove()``: takes it from this machine and gives a
    sentence on what was kept, or none; None for one that stays as long as its plug-in.
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
    photograph_distance: float | None = None
    family: str = ""
    file: Path | None = None
    remove: Callable[[], str] | None = None


@dataclass(frozen=True)
class PublicNetwork:
    """A network that its authors published, for ``latentfu generators download``.

    The terms are shown and agreed to before anything is fetched; the file is checked by its
    ``sha256`` if there is one, and imported. Never guess a hash: leave it out.

    ``file``: what it is called there, with folders if need be. ``resolution`` in pixels.
    ``licence``: under which terms it was published; ``page``: where they can be read.
    ``address``: http or https; empty where only the hash is known. ``sha256``: of the file, in
    hex; empty where it is not known. ``size``: in bytes, if ``exact``, else about. ``weights``:
    which training it is, where several files hold the same.
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
    weights: str = ""


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
    ``fits(generator)``: whether it can be chosen for that opened generator (an encoder may be
    missing); None for any with one of its spaces. It may raise a :class:`latentfu.LatentFuError`
    that says why not, which lists show. One that a person names is tried all the same, as options
    may bring what is missing; where it fails, that reason is told. ``invert_many``: the same for
    several requests with one generator and equal options, faster together than one by one; None if
    nothing is gained.
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
    ``[N, w_dim]`` for w, ``[N, z_dim]`` for z. ``stamp`` changes with its weights, so that what an
    earlier one found is not taken for what this one finds.
    """

    name: Name
    title: str
    generator_id: OptionalSha256
    load: Callable[[Generator], Callable[[torch.Tensor], torch.Tensor]]
    space: Literal["z", "w", "w+", "w++"] = "w+"
    licence: str = ""
    description: str = ""
    fits: Callable[[Generator], bool] | None = None
    stamp: str = ""

    def is_for(self, generator: Generator) -> bool:
        """Whether it encodes pictures for an opened generator."""
        if self.generator_id == generator.id:
            return True
        return self.fits is not None and bool(self.fits(generator))


@dataclass(frozen=True)
class Scorer:
    """Reads attributes from images: labels for training directions, figures for reports.

    ``attributes``: their names in order. ``score(images)``: ``[N, 3, R, R]`` in -1..1 ->
    ``[N, len(attributes)]`` float32, with gradients where the images ask for them if mappings are
    to learn from it. ``units``: what the numbers of some attributes count, such as
    ``{"age": "years"}``: directions trained with them are moved by so many, and say so.
    """

    name: Name
    title: str
    domain: str
    attributes: tuple[str, ...]
    load: Callable[[str], Callable[[torch.Tensor], torch.Tensor]]
    units: Mapping[str, str] = field(default_factory=dict)


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
    returns their paths. ``options``: what people can set at every door, with the default values;
    ``request.options`` has all of them, beside them ``name`` (of the direction) and, where somebody
    said it, ``plus`` (what more of it means).
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
class StartupTask:
    """What a plug-in does when a worker of the server starts, before its first job.

    ``run(device)``: in the worker process, once for each; ``device`` is "cpu", "cuda", "cuda:1".
    The server takes work when all have ended: keep it short. What it raises is logged, and the
    server starts without it.
    """

    plugin: Name
    name: Name
    title: str
    run: Callable[[str], object]


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
