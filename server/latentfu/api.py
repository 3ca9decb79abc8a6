"""The Python side that stays stable: invert, edit, mix, and what is installed.

Editing here and through the server gives the same pixels: both go through
:class:`latentfu.pipeline.editor.Editor`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, overload

import numpy as np
import numpy.typing as npt

from latentfu import plugin_objects as objects
from latentfu.core.control import Control
from latentfu.core.generator import Generator
from latentfu.core.latent import Inversion
from latentfu.core.progress import Progress, silent
from latentfu.hookspecs import kind_of
from latentfu.pipeline.generator_pool import best_device
from latentfu.pipeline.python_arguments import (
    Pixels,
    collect_placement_fields,
    collect_value_fields,
    convert_to_floats,
    convert_to_ints,
    convert_to_layer,
    convert_to_mask,
    match_kind,
)
from latentfu.plugin_manager import get_registry

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from latentfu.pipeline.align import Placement
    from latentfu.pipeline.editor import Editor
    from latentfu.storage.directions import Direction

T = TypeVar("T")
PictureArray = Union[npt.NDArray[np.uint8], "Image"]
Which = Generator | str | None

_editors: dict[str, Editor] = {}


@overload
def installed(kind: type[T]) -> dict[str, T]: ...


@overload
def installed(kind: str) -> dict[str, Any]: ...


def installed(kind: type[Any] | str) -> dict[str, Any]:
    """What plug-ins bring of one kind.

    Args:
        kind: the class of the objects, such as ``latentfu.Loss``, or the kind's name ("losses").
            Sliders depend on a generator: see :func:`controls`.

    Returns:
        The objects by name, the default first.

    Raises:
        NotInstalledError: no hook returns such objects.
    """
    return get_registry().installed(kind)


def _listing(cls: type[T]) -> Callable[[], dict[str, T]]:
    """``installed(cls)`` as a function of its own."""
    kind = kind_of(cls)

    def listing() -> dict[str, T]:
        return installed(cls)

    listing.__name__ = listing.__qualname__ = kind.name
    listing.__annotations__ = {"return": f"dict[str, {cls.__name__}]"}
    listing.__doc__ = (
        f"Installed {cls.__name__} objects: ``installed({cls.__name__})``.\n\n"
        "Returns:\n    The objects by name, the default first."
    )
    return listing


generators = _listing(objects.GeneratorSpec)
checkpoint_formats = _listing(objects.CheckpointFormat)
aligners = _listing(objects.Aligner)
losses = _listing(objects.Loss)
inverters = _listing(objects.Inverter)
encoders = _listing(objects.Encoder)
scorers = _listing(objects.Scorer)
identities = _listing(objects.Identity)
control_makers = _listing(objects.ControlMaker)
build_steps = _listing(objects.BuildStep)
public_networks = _listing(objects.PublicNetwork)


def controls(generator: Which = None) -> dict[str, Control]:
    """The sliders of a generator.

    Args:
        generator: an opened one, a name, or None for the default.

    Returns:
        The controls by name.

    Raises:
        NotInstalledError: there is no generator of that name.
    """
    editor = _editor(generator)
    return get_registry().controls(editor.generators.find_spec(_name(editor, generator)))


def invert(
    pixels: Pixels,
    *,
    generator: Which = None,
    inverter: str | None = None,
    aligner: str | None = None,
    quality: str | None = None,
    placing: Placement | None = None,
    mask: npt.NDArray[np.uint8] | Image | None = None,
    options: Mapping[str, float | int | str | bool] | None = None,
    progress: Progress = silent,
) -> Inversion:
    """The latent of a picture's part, from the cache where it was found before.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 1, 3 or 4]``, or a PIL image.
        generator: an opened one, a name, or None for the default.
        inverter: by name; None chooses by ``quality``.
        aligner: what finds the part, by name; None takes the generator's own.
        quality: "draft", "good" or "best" instead of an inverter.
        placing: where in the picture, instead of what the aligner finds.
        mask: uint8 ``[H, W]``, 0 outside, 255 inside; only what is inside counts.
        options: of the inverter, over its defaults.
        progress: told how far it is; may raise CancelledError.

    Returns:
        One code with its quality.

    Raises:
        NotInstalledError: something that was named is not installed.
        BadInputError: the picture cannot be used, or an option does not fit.
        CancelledError: ``progress`` raised it.
    """
    from latentfu.pipeline.invert import InvertOptions
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import InvertRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        InvertRequest,
        layer=pictures.add(convert_to_layer(pixels)),
        mask=pictures.add_mask(convert_to_mask(mask)),
        generator=_name(editor, generator),
        inverter=inverter,
        aligner=aligner,
        quality=quality,
        options=dict(options or {}),
        **collect_placement_fields(placing),
    )
    how = InvertOptions(masked=True)
    return editor.find_inversion(request, pictures, progress, how)[1].inversion


def edit(
    pixels: Pixels,
    edits: Mapping[str, float],
    *,
    generator: Which = None,
    inverter: str | None = None,
    aligner: str | None = None,
    mask: npt.NDArray[np.uint8] | Image | None = None,
    feather: float = 12.0,
    psi: float = 1.0,
    quality: str | None = None,
    placing: Placement | None = None,
    progress: Progress = silent,
    targets: Mapping[str, float] | None = None,
    only: Mapping[str, tuple[int, int]] | None = None,
    truncation: Literal["first", "last"] = "last",
    identity: float = 0.0,
    options: Mapping[str, float | int | str | bool] | None = None,
    regions: Literal["auto", "whole"] | Sequence[str] = "auto",
    values: Mapping[str, bool | str | tuple[float, float] | PictureArray] | None = None,
) -> Pixels:
    """A picture with controls moved; what does not change keeps its bytes.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 1, 3 or 4]``, or a PIL image.
        edits: strengths by control, -100 to 100, in the control's unit.
        generator: an opened one, a name, or None for the default.
        inverter: as for :func:`invert`, like ``aligner``, ``quality``, ``placing``, ``options``.
        mask: uint8 ``[H, W]``, 0 outside, 255 inside; outside nothing changes.
        feather: how far the edge fades inside the mask, in pixels.
        psi: 1 leaves the code, 0 gives the generator's mean.
        progress: told how far it is; may raise CancelledError.
        targets: directions moved until the picture holds that much of them; 0 is the boundary.
        only: the first and last layer that a control may move.
        truncation: whether ``psi`` acts before ("first") or after the controls.
        identity: how hard the person is held while the rest moves (0 not at all).
        regions: where it may show: "auto" (in photographs where the controls act), "whole", or
            names of regions, such as ``["hair"]``.
        values: what controls are set to that are no sliders: a truth value, a text, a color as
            ``#rrggbb``, a point in pixels, or a picture as ``pixels`` is one.

    Returns:
        A picture of the same kind, size and channels.

    Raises:
        NotInstalledError: something that was named is not installed.
        BadInputError: the picture cannot be used, or a number is out of its range.
        CancelledError: ``progress`` raised it.
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        EditRequest,
        layer=pictures.add(convert_to_layer(pixels)),
        mask=pictures.add_mask(convert_to_mask(mask)),
        edits=convert_to_floats(edits),
        targets=convert_to_floats(targets or {}),
        only={name: convert_to_ints(layers) for name, layers in (only or {}).items()},
        truncation=truncation,
        identity=float(identity),
        generator=_name(editor, generator),
        inverter=inverter,
        aligner=aligner,
        quality=quality,
        options=dict(options or {}),
        feather=float(feather),
        psi=float(psi),
        regions=regions if isinstance(regions, str) else list(regions),
        **collect_value_fields(values or {}, pictures),
        **collect_placement_fields(placing),
    )
    return match_kind(pixels, editor.edit(request, pictures, progress).layer)


def mix(
    pixels: Pixels,
    source: npt.NDArray[np.uint8] | Image,
    layers: tuple[int, int] | None = None,
    *,
    regions: Sequence[str] = (),
    generator: Which = None,
    inverter: str | None = None,
    aligner: str | None = None,
    mask: npt.NDArray[np.uint8] | Image | None = None,
    feather: float = 12.0,
    psi: float = 1.0,
    progress: Progress = silent,
    quality: str | None = None,
    placing: Placement | None = None,
    options: Mapping[str, float | int | str | bool] | None = None,
) -> Pixels:
    """A picture with styles or regions of another one.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 1, 3 or 4]``, or a PIL image.
        source: the other picture, of any size.
        layers: the first and last layer whose style is taken, both included.
        regions: instead of layers: what is taken as the other picture shows it, such as "hair".
        mask: uint8 ``[H, W]``, 0 outside, 255 inside; outside nothing changes.
        generator: as for :func:`edit`, like all other arguments.

    Returns:
        A picture of the same kind, size and channels as ``pixels``.

    Raises:
        NotInstalledError: something that was named is not installed.
        BadInputError: a picture cannot be used, or the generator has no such layers.
        CancelledError: ``progress`` raised it.
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import MixRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        MixRequest,
        layer=pictures.add(convert_to_layer(pixels)),
        mask=pictures.add_mask(convert_to_mask(mask)),
        source=pictures.add(convert_to_layer(source)),
        layers=None if layers is None else convert_to_ints(layers),
        regions=list(regions),
        generator=_name(editor, generator),
        inverter=inverter,
        aligner=aligner,
        quality=quality,
        options=dict(options or {}),
        feather=float(feather),
        psi=float(psi),
        **collect_placement_fields(placing),
    )
    return match_kind(pixels, editor.mix(request, pictures, progress).layer)


def transfer(
    pixels: Pixels,
    source: npt.NDArray[np.uint8] | Image,
    along: Sequence[str] = (),
    *,
    attributes: Sequence[str] = (),
    method: Literal["directions", "mapping"] = "directions",
    scale: float = 1.0,
    generator: Which = None,
    inverter: str | None = None,
    aligner: str | None = None,
    mask: npt.NDArray[np.uint8] | Image | None = None,
    feather: float = 12.0,
    identity: float = 0.0,
    progress: Progress = silent,
    quality: str | None = None,
    placing: Placement | None = None,
    options: Mapping[str, float | int | str | bool] | None = None,
    regions: Literal["auto", "whole"] | Sequence[str] = "auto",
) -> Pixels:
    """A picture moved along directions to where another one stands.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 1, 3 or 4]``, or a PIL image.
        source: the other picture, of any size.
        along: the directions that are moved, and controls that take a picture and are set to
            ``source``; all others stay.
        attributes: groups of directions that are moved whole, such as "expression" or "hair".
        method: along directions, or by the conditional mappings of the attributes.
        scale: how far of the way: 1 is where ``source`` stands; what takes a picture goes the
            whole way.
        generator: as for :func:`edit`, like all other arguments.

    Returns:
        A picture of the same kind, size and channels as ``pixels``.

    Raises:
        NotInstalledError: something that was named is not installed.
        BadInputError: a picture cannot be used, or a control is no direction.
        CancelledError: ``progress`` raised it.
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import TransferRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        TransferRequest,
        layer=pictures.add(convert_to_layer(pixels)),
        mask=pictures.add_mask(convert_to_mask(mask)),
        source=pictures.add(convert_to_layer(source)),
        along=list(along),
        attributes=list(attributes),
        method=method,
        scale=float(scale),
        identity=float(identity),
        generator=_name(editor, generator),
        inverter=inverter,
        aligner=aligner,
        quality=quality,
        options=dict(options or {}),
        feather=float(feather),
        regions=regions if isinstance(regions, str) else list(regions),
        **collect_placement_fields(placing),
    )
    return match_kind(pixels, editor.transfer(request, pictures, progress).layer)


def find_regions(
    pixels: npt.NDArray[np.uint8] | Image,
    regions: Sequence[str] = (),
    *,
    controls: Sequence[str] = (),
    generator: Which = None,
    aligner: str | None = None,
    mask: npt.NDArray[np.uint8] | Image | None = None,
    placing: Placement | None = None,
) -> npt.NDArray[np.uint8]:
    """Where regions such as "hair" are in a picture: uint8 ``[H, W]``, 255 inside, soft edges.

    ``controls``: those in which these controls of the generator act join them. Without both: a map
    of all, uint8 ``[H, W, 3]``, each in a color of its own. ``mask`` and ``placing`` as for
    :func:`edit`. Raises BadInputError where no face is found, its regions are not sure, or it has
    none of these, or where a control acts cannot be told; NotInstalledError for an unknown one.
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import RegionsRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        RegionsRequest,
        layer=pictures.add(convert_to_layer(pixels)),
        mask=pictures.add_mask(convert_to_mask(mask)),
        regions=list(regions),
        controls=list(controls),
        generator=_name(editor, generator),
        aligner=aligner,
        **collect_placement_fields(placing),
    )
    found = editor.find_regions(request, pictures).layer.pixels
    return found[:, :, 0] if found.shape[2] == 1 else found


def make_directions(
    attribute: str,
    *,
    generator: Which = None,
    maker: str | None = None,
    options: Mapping[str, float | int | str | bool] | None = None,
    samples: int = 4000,
    seed: int = 0,
    name: str | None = None,
    plus: str = "",
    progress: Progress = silent,
) -> list[Direction]:
    """Directions by an installed maker, measured; :func:`save_direction` keeps one.

    Args:
        attribute: what more of it shall mean, as a scorer calls it.
        generator: an opened one, a name, or None for the default.
        maker: by name; None takes the first of :func:`control_makers`.
        options: of the maker, over its defaults.
        samples: how many pictures of the generator are drawn and read.
        seed: of the samples: the same gives the same direction.
        name: what edits name it by; None: my- and the attribute.
        plus: what more of it means, for people; empty: the maker's words.
        progress: told how far it is; may raise CancelledError.

    Returns:
        One, or as many as the maker makes; nothing of it is on the disk.

    Raises:
        NotInstalledError: there is no such maker or generator.
        BadInputError: an option is not the maker's, or nothing can be learned.
        CancelledError: ``progress`` raised it.
    """
    from latentfu.protocol.requests import MakeRequest, build_request

    editor = _editor(generator)
    request = build_request(
        MakeRequest,
        attribute=attribute,
        generator=_name(editor, generator),
        maker=maker,
        options=dict(options or {}),
        samples=samples,
        seed=seed,
        name=name,
        plus=plus,
    )
    return editor.making.make(request, progress)


def refuse_taken_name(name: str, folder: Path, generator: Which = None) -> None:
    """Refuse a name for a direction of the user's own that something else has.

    Args:
        name: what the direction is to be called.
        folder: where it will be; names count in :func:`own_directions_dir` alone.
        generator: whose it is: an opened one, a name, or None for the default.

    Raises:
        BadInputError: another control has it; a direction of one's own may be replaced.
        NotInstalledError: there is no such generator.
    """
    from latentfu.storage.own_directions import own_directions_dir, refuse_control_name

    if folder == own_directions_dir():
        refuse_control_name(name, controls(generator))


def _editor(generator: Which) -> Editor:
    """The editor of the device that ``generator`` is on."""
    from latentfu.pipeline.editor import Editor

    device = str(generator.device) if isinstance(generator, Generator) else best_device()
    if device not in _editors:
        _editors[device] = Editor(device)
    return _editors[device]


def _name(editor: Editor, generator: Which) -> str | None:
    return editor.generators.adopt(generator) if isinstance(generator, Generator) else generator
