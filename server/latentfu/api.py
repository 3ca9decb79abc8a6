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
from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.latent import Inversion
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress, silent
from latentfu.hookspecs import kind_of
from latentfu.pipeline.generator_pool import best_device
from latentfu.plugin_manager import get_registry

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentfu.pipeline.align import Placement
    from latentfu.pipeline.editor import Editor
    from latentfu.protocol.pictures import PictureStore

T = TypeVar("T")
Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], "Image")
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
        layer=pictures.add(_to_layer(pixels)),
        mask=pictures.add_mask(_to_mask(mask)),
        generator=_name(editor, generator),
        inverter=inverter,
        aligner=aligner,
        quality=quality,
        options=dict(options or {}),
        **_placement_fields(placing),
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
        layer=pictures.add(_to_layer(pixels)),
        mask=pictures.add_mask(_to_mask(mask)),
        edits=_floats(edits),
        targets=_floats(targets or {}),
        only={name: _ints(layers) for name, layers in (only or {}).items()},
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
        **_value_fields(values or {}, pictures),
        **_placement_fields(placing),
    )
    return _match_kind(pixels, editor.edit(request, pictures, progress).layer)


def mix(
    pixels: Pixels,
    source: npt.NDArray[np.uint8] | Image,
    layers: tuple[int, int],
    *,
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
    """A picture with styles of another one.

    Args:
        pixels: uint8 ``[H, W]`` or ``[H, W, 1, 3 or 4]``, or a PIL image.
        source: the other picture, of any size.
        layers: the first and last layer whose style is taken, both included.
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
        layer=pictures.add(_to_layer(pixels)),
        mask=pictures.add_mask(_to_mask(mask)),
        source=pictures.add(_to_layer(source)),
        layers=_ints(layers),
        generator=_name(editor, generator),
        inverter=inverter,
        aligner=aligner,
        quality=quality,
        options=dict(options or {}),
        feather=float(feather),
        psi=float(psi),
        **_placement_fields(placing),
    )
    return _match_kind(pixels, editor.mix(request, pictures, progress).layer)


def find_regions(
    pixels: npt.NDArray[np.uint8] | Image,
    regions: Sequence[str] = (),
    *,
    generator: Which = None,
    aligner: str | None = None,
    mask: npt.NDArray[np.uint8] | Image | None = None,
    placing: Placement | None = None,
) -> npt.NDArray[np.uint8]:
    """Where regions such as "hair" are in a picture: uint8 ``[H, W]``, 255 inside, soft edges.

    Without ``regions``: a map of all, uint8 ``[H, W, 3]``, each in a color of its own. ``mask``
    and ``placing`` as for :func:`edit`. Raises BadInputError where no face is found, its regions
    are not sure, or it has none of these; NotInstalledError for an unknown region.
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import RegionsRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        RegionsRequest,
        layer=pictures.add(_to_layer(pixels)),
        mask=pictures.add_mask(_to_mask(mask)),
        regions=list(regions),
        generator=_name(editor, generator),
        aligner=aligner,
        **_placement_fields(placing),
    )
    found = editor.find_regions(request, pictures).layer.pixels
    return found[:, :, 0] if found.shape[2] == 1 else found


def _to_layer(pixels: npt.NDArray[np.uint8] | Image) -> Layer:
    """A numpy or PIL picture as a Layer; other modes than L, RGB and RGBA are converted."""
    if isinstance(pixels, np.ndarray):
        return Layer(pixels[:, :, None] if pixels.ndim == 2 else pixels)
    if not hasattr(pixels, "mode"):
        raise BadInputError(f"A picture is a numpy array or a PIL image, not {type(pixels)}.")
    if pixels.mode not in ("L", "RGB", "RGBA"):
        pixels = pixels.convert("RGBA" if pixels.has_transparency_data else "RGB")
    array = np.asarray(pixels)
    return Layer(array[:, :, None] if array.ndim == 2 else array)


def _to_mask(mask: npt.NDArray[np.uint8] | Image | None) -> npt.NDArray[np.uint8] | None:
    """A mask as uint8 ``[H, W]``; boolean arrays are taken too."""
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray):
        return np.asarray(mask.convert("L"))
    return mask.astype(np.uint8) * 255 if mask.dtype == np.bool_ else mask


def _match_kind(pixels: Pixels, layer: Layer) -> Pixels:
    """The layer as the kind of picture that ``pixels`` is."""
    result = layer.pixels[:, :, 0] if _is_gray(pixels, layer) else layer.pixels
    if isinstance(pixels, np.ndarray):
        return result
    from PIL import Image as PillowImage

    return PillowImage.fromarray(result)


def _is_gray(pixels: npt.NDArray[np.uint8] | Image, layer: Layer) -> bool:
    """Whether the picture has no axis for channels."""
    if isinstance(pixels, np.ndarray):
        return pixels.ndim == 2
    return bool(layer.pixels.shape[2] == 1)


def _editor(generator: Which) -> Editor:
    """The editor of the device that ``generator`` is on."""
    from latentfu.pipeline.editor import Editor

    device = str(generator.device) if isinstance(generator, Generator) else best_device()
    if device not in _editors:
        _editors[device] = Editor(device)
    return _editors[device]


def _name(editor: Editor, generator: Which) -> str | None:
    return editor.generators.adopt(generator) if isinstance(generator, Generator) else generator


def _floats(values: Mapping[str, float]) -> dict[str, float]:
    """Numbers of any library as Python's own."""
    return {name: float(value) for name, value in values.items()}


def _ints(layers: tuple[int, int]) -> tuple[int, ...]:
    return tuple(int(number) for number in layers)


def _placement_fields(placing: Placement | None) -> dict[str, Any]:
    """The fields of a request that say where in the layer it works."""
    if placing is None:
        return {}
    fields = {"corners": placing.corners, "eyes": placing.eyes}
    points: dict[str, Any] = {
        name: tuple((float(x), float(y)) for x, y in given)
        for name, given in fields.items()
        if given is not None
    }
    if placing.mouth is not None:
        points["mouth"] = tuple(float(value) for value in placing.mouth)
    return {"face": placing.face, **points}


def _value_fields(values: Mapping[str, Any], pictures: PictureStore) -> dict[str, Any]:
    """The fields of a request that set controls which are no sliders."""
    words: dict[str, Any] = {}
    exemplars: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, (bool, str)):
            words[name] = value
        elif isinstance(value, (tuple, list)):
            words[name] = tuple(float(part) for part in value)
        else:
            exemplars[name] = pictures.add(_to_layer(value))
    return {"values": words, "exemplars": exemplars}
