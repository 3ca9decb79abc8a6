"""The Python side that stays stable: open, invert, edit, mix, and what is installed.

Editing here and through the server gives the same pixels: both go through
:class:`latentfu.pipeline.editor.Editor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from latentfu.core._malloc import keep_freed_pages
from latentfu.core.control import Control
from latentfu.core.errors import BadInputError, NotInstalledError
from latentfu.core.generator import Generator
from latentfu.core.inversion import Inversion
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress, silent
from latentfu.hookspecs import (
    Aligner,
    BuildStep,
    CheckpointFormat,
    ControlMaker,
    Encoder,
    GeneratorSpec,
    Identity,
    Inverter,
    Loss,
    PublicNetwork,
    Scorer,
)
from latentfu.plugin_manager import get_registry

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentfu.pipeline.align import Placement
    from latentfu.pipeline.editor import Editor

Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], "Image")
Which = Generator | str | None

_editors: dict[str, Editor] = {}


def generators() -> dict[str, GeneratorSpec]:
    """Installed generators by name, the default first."""
    return get_registry().generators()


def inverters() -> dict[str, Inverter]:
    """Installed inverters by name, the default first."""
    return get_registry().inverters()


def aligners() -> dict[str, Aligner]:
    """Installed aligners by name."""
    return get_registry().aligners()


def checkpoint_formats() -> dict[str, CheckpointFormat]:
    """Installed file formats for weights by name."""
    return get_registry().checkpoint_formats()


def losses() -> dict[str, Loss]:
    """Installed image distances by name."""
    return get_registry().losses()


def encoders() -> dict[str, Encoder]:
    """Installed encoders by name."""
    return get_registry().encoders()


def build_steps() -> dict[str, BuildStep]:
    """What ``latentfu build`` makes, by name."""
    return get_registry().build_steps()


def public_networks() -> dict[str, PublicNetwork]:
    """Networks that plug-ins offer for fetching, by name."""
    return get_registry().public_networks()


def scorers() -> dict[str, Scorer]:
    """Installed scorers by name."""
    return get_registry().scorers()


def identities() -> dict[str, Identity]:
    """Installed networks that know a person again, by name."""
    return get_registry().identities()


def control_makers() -> dict[str, ControlMaker]:
    """Installed makers of directions and deformations by name."""
    return get_registry().control_makers()


def controls(generator: Which = None) -> dict[str, Control]:
    """The sliders of a generator (an opened one, a name, or None for the default)."""
    editor = _editor(generator)
    return get_registry().controls(editor.generators.find_spec(_name(editor, generator)))


def open_generator(name_or_path: str | Path, device: str = "auto") -> Generator:
    """An installed generator by name, or a checkpoint file in a known format.

    ``device``: "cpu", "cuda", ... or "auto" for the best there is. Raises NotInstalledError.
    """
    keep_freed_pages()
    device = best_device() if device == "auto" else device
    spec = get_registry().generators().get(str(name_or_path))
    if spec is not None:
        return spec.load(device)
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(get_registry().generators()) or "none"
        raise NotInstalledError(
            f"There is no generator {str(name_or_path)!r} and no such file; installed: {known}."
        )
    for known_format in get_registry().checkpoint_formats().values():
        if known_format.detect and known_format.load and known_format.detect(path):
            return known_format.load(path, device)
    raise BadInputError(
        f"{path} is in no format that is opened as it is: try `latentfu generators import {path}`."
    )


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
    """The latent of ``pixels``: uint8 ``[H, W, 1, 3 or 4]`` (or ``[H, W]``) or a PIL image.

    ``quality``: "draft", "good" or "best" instead of an inverter. ``placing``: where in the
    picture. ``mask``: only what is inside it counts. ``options``: of the inverter.
    """
    from latentfu.pipeline.invert import InvertOptions
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import InvertRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        InvertRequest,
        layer=pictures.add(layer_of(pixels)),
        mask=pictures.add_mask(mask_of(mask)),
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
) -> Pixels:
    """``pixels`` with the controls in ``edits`` moved; the same kind of picture comes back.

    ``mask``: 0 outside, 255 inside, of the picture's size. ``feather``: in pixels. ``quality``,
    ``placing`` and ``options`` as for :func:`invert`. ``targets``: directions moved until the
    picture holds that much of them; 0 is the boundary. ``only``: the first and last layer that a
    control may move. ``truncation``: whether ``psi`` acts before or after the controls.
    ``identity``: how hard the person is held while the rest moves (0 not at all).
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        EditRequest,
        layer=pictures.add(layer_of(pixels)),
        mask=pictures.add_mask(mask_of(mask)),
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
        **_placement_fields(placing),
    )
    return like(pixels, editor.edit(request, pictures, progress).layer)


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
    """``pixels`` with the styles of ``source`` in ``layers`` (first, last), inside ``mask``.

    The other arguments are those of :func:`edit`.
    """
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import MixRequest, build_request

    editor, pictures = _editor(generator), PictureStore()
    request = build_request(
        MixRequest,
        layer=pictures.add(layer_of(pixels)),
        mask=pictures.add_mask(mask_of(mask)),
        source=pictures.add(layer_of(source)),
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
    return like(pixels, editor.mix(request, pictures, progress).layer)


def best_device() -> str:
    """ "cuda" where there is one, else "cpu"."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def layer_of(pixels: npt.NDArray[np.uint8] | Image) -> Layer:
    """A numpy or PIL picture as a Layer; other modes than L, RGB and RGBA are converted."""
    if isinstance(pixels, np.ndarray):
        return Layer(pixels[:, :, None] if pixels.ndim == 2 else pixels)
    if not hasattr(pixels, "mode"):
        raise BadInputError(f"A picture is a numpy array or a PIL image, not {type(pixels)}.")
    if pixels.mode not in ("L", "RGB", "RGBA"):
        pixels = pixels.convert("RGBA" if pixels.has_transparency_data else "RGB")
    array = np.asarray(pixels)
    return Layer(array[:, :, None] if array.ndim == 2 else array)


def mask_of(mask: npt.NDArray[np.uint8] | Image | None) -> npt.NDArray[np.uint8] | None:
    """A mask as uint8 ``[H, W]``; boolean arrays are taken too."""
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray):
        return np.asarray(mask.convert("L"))
    return mask.astype(np.uint8) * 255 if mask.dtype == np.bool_ else mask


def like(pixels: Pixels, layer: Layer) -> Pixels:
    """The layer as the kind of picture that ``pixels`` is."""
    result = layer.pixels[:, :, 0] if gray(pixels, layer) else layer.pixels
    if isinstance(pixels, np.ndarray):
        return result
    from PIL import Image as PillowImage

    return PillowImage.fromarray(result)


def gray(pixels: npt.NDArray[np.uint8] | Image, layer: Layer) -> bool:
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
