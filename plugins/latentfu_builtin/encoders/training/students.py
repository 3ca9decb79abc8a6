"""The networks that can be trained as encoders: our own, and the published architectures.

Whatever they give themselves, a run sees offsets from the mean code in spreads of the generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import cast

from latentfu import BadInputError, Generator, StorageError
from torch import Tensor, nn

from latentfu_builtin.encoders.detect_encoder import PUBLISHED_ARCHITECTURES, PublishedArchitecture
from latentfu_builtin.encoders.encoder_file import save_encoder
from latentfu_builtin.encoders.import_encoder import (
    PUBLISHED_SIDE,
    read_checkpoint_tree,
    write_published_encoder,
)
from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.inversion.coordinates import Spread, measure_code_shape
from latentfu_builtin.networks.encoders.published_sizes import PublishedSizes
from latentfu_builtin.networks.encoders.pyramid_encoder import (
    EncoderConfig,
    PictureEncoder,
    resized,
)

_LARGEST_LOOK = 64
"""Our own looks at larger pictures from this size: the code says nothing that is smaller."""
_LAST_SIDE = 4
"""Pixels of our own encoder's last features, where the trunk has no dense layer that tells."""
_HEADS = ("dense.weight", "dense.bias", "shared.weight", "apart.weight", "mean", "axes")
_LEAST_WIDTH = 16
"""Of a published trunk: a narrower one has nothing left where channels are squeezed."""


class PyramidStudent(PictureEncoder):
    """Our own encoder, which counts in spreads itself.

    Attributes:
        convolutions: How the names begin of what may be taken over from another network.
    """

    convolutions = ("stages.",)

    @property
    def size(self) -> int:
        """Pixels of the pictures that it is shown."""
        return self.config.size

    def describe(self) -> str:
        """Its sizes, as :func:`build_student` takes them."""
        return self.config.to_json()

    def save(self, path: Path, generator: Generator, notes: Mapping[str, str]) -> None:
        """Write the encoder's file; raises StorageError."""
        save_encoder(path, self, generator.id, notes)


class PublishedStudent(nn.Module):
    """A published architecture, whose plain offsets are counted in spreads here.

    One style for all layers stands for each of them.

    Attributes:
        size: Pixels of the pictures that it is shown.
        taken: Whether its trunk was another network's before.
        convolutions: How the names begin of what may be taken over from another network.
    """

    convolutions = ("network.input_layer.", "network.body.")

    def __init__(
        self,
        kind: PublishedArchitecture,
        sizes: PublishedSizes,
        spread: Spread,
        generator: Generator,
    ) -> None:
        super().__init__()
        self.kind, self.sizes, self.spread = kind, sizes, spread
        self.layers, _ = measure_code_shape(generator)
        self.size, self.taken = min(PUBLISHED_SIDE, generator.resolution), False
        self.network = kind.build(sizes)

    def offsets(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in -1..1 -> offsets in spreads [N, layers, D]."""
        plain = self.network(resized(x, PUBLISHED_SIDE)).float()  # [N, styles, D]
        return self.spread.whitened(self.spread.mean + plain.expand(-1, self.layers, -1))

    def describe(self) -> str:
        """Its sizes, as :func:`build_student` takes them."""
        return self.sizes.to_json()

    def save(self, path: Path, generator: Generator, notes: Mapping[str, str]) -> None:
        """Write the encoder's file; raises StorageError."""
        mean = self.spread.mean.reshape(-1, self.sizes.depth)
        if self.sizes.styles > 1:
            mean = mean.expand(self.layers, -1)
        tensors = self.network.state_dict()
        write_published_encoder(path, (self.kind, self.sizes), tensors, mean, generator, notes)


Student = PyramidStudent | PublishedStudent


def list_trainable() -> list[str]:
    """The architectures that can be trained, our own first."""
    known = PUBLISHED_ARCHITECTURES.values()
    return ["pyramid", *(k.name for k in known if not (k.looks_back or k.absolute))]


def build_student(
    generator: Generator,
    options: EncoderTrainingOptions,
    spread: Spread,
    trunk: Mapping[str, Tensor] | None = None,
    sizes: str | None = None,
) -> Student:
    """The network that ``options.architecture`` names, for ``generator``.

    Args:
        generator: Whose codes it gives.
        options: Its architecture and width.
        spread: Of the generator's codes; a mean for each layer where they have their own.
        trunk: Tensors of a network to begin with, as :func:`read_trunk` gives them.
        sizes: What ``describe`` said of an interrupted run.

    Raises:
        BadInputError: There is no such architecture, or the trunk does not fit it.
    """
    if options.architecture not in list_trainable():
        raise BadInputError(
            f"There is no architecture {options.architecture!r} to train: "
            f"{', '.join(list_trainable())}."
        )
    if options.architecture != "pyramid":
        return _build_published(generator, options, spread, trunk, sizes)
    config = EncoderConfig.from_json(sizes) if sizes else _choose_config(generator, trunk)
    encoder = PyramidStudent(config)
    encoder.mean.copy_(spread.mean.expand_as(encoder.mean))
    encoder.axes.copy_(spread.axes)
    if trunk is not None:
        _take_over_trunk(encoder, trunk)
    if options.one_style:
        encoder.apart.requires_grad_(False)  # it begins at zero
    return encoder


def read_trunk(path: Path) -> dict[str, Tensor]:
    """The tensors of a network that an encoder can begin with; raises BadInputError.

    Our own encoders, scorers, and the face-recognition trunk that pSp begins with, whose .pth
    file is read without running anything in it.
    """
    try:
        tree = read_checkpoint_tree(path)
    except StorageError as error:
        raise BadInputError(str(error)) from error
    named = cast("Mapping[str, object]", tree if isinstance(tree, Mapping) else {})
    found = {
        str(name): value.float() if value.is_floating_point() else value
        for name, value in named.items()
        if isinstance(value, Tensor)
    }
    if not ({"stages.0.0.0.weight", "input_layer.0.weight"} & set(found)):
        raise BadInputError(f"{path} holds no convolutions that an encoder can begin with.")
    return found


def _build_published(
    generator: Generator,
    options: EncoderTrainingOptions,
    spread: Spread,
    trunk: Mapping[str, Tensor] | None,
    sizes: str | None,
) -> PublishedStudent:
    kind = PUBLISHED_ARCHITECTURES[options.architecture]
    chosen = PublishedSizes.from_json(sizes) if sizes else _choose_sizes(kind, options, generator)
    student = PublishedStudent(kind, chosen, spread, generator)
    if trunk is not None:
        begun = {
            name: value
            for name, value in trunk.items()
            if f"network.{name}".startswith(PublishedStudent.convolutions)
        }
        own = student.network.state_dict()
        wrong = [n for n, v in begun.items() if n not in own or own[n].shape != v.shape]
        if wrong or not begun:
            raise BadInputError(
                f"The network to begin with does not fit: {(wrong or ['its names'])[0]} differs; "
                f"published trunks are of --set width=1 and 512 numbers of w."
            )
        student.network.load_state_dict(begun, strict=False)
        student.taken = True
    return student


def _choose_sizes(
    kind: PublishedArchitecture, options: EncoderTrainingOptions, generator: Generator
) -> PublishedSizes:
    """The published proportions for the generator's codes, ``options.width`` times as wide."""
    layers, depth = measure_code_shape(generator)
    widths = [max(_LEAST_WIDTH, round(depth * options.width / part)) for part in (8, 4, 2, 1)]
    into_w = kind.name == "psp-w"  # its last features are the style itself
    widths[-1] = depth if into_w else widths[-1]
    return PublishedSizes(3, widths[0], tuple(widths), 1 if into_w else layers, depth)


def _choose_config(
    generator: Generator, trunk: Mapping[str, Tensor] | None = None
) -> EncoderConfig:
    """An encoder's sizes for ``generator``: those of the trunk, where there is one."""
    mean = generator.mean_latent()
    shape = tuple(mean.codes.shape[1:])
    if trunk is None:
        size = max(4 * _LAST_SIDE, min(_LARGEST_LOOK, generator.resolution))
        return EncoderConfig(size, shape, mean.space)
    widths: list[int] = []
    while f"stages.{len(widths)}.0.0.weight" in trunk:
        widths.append(int(trunk[f"stages.{len(widths)}.0.0.weight"].shape[0]))
    last = _LAST_SIDE
    if "dense.weight" in trunk:
        last = isqrt(trunk["dense.weight"].shape[1] // widths[-1])
    return EncoderConfig(last << (len(widths) - 1), shape, mean.space, tuple(widths))


def _take_over_trunk(encoder: PictureEncoder, tensors: Mapping[str, Tensor]) -> None:
    """Begin with the convolutions of another network of the same sizes (a scorer's, say).

    What is learned for one reading of a picture serves for another: training is several times
    shorter. An encoder for earlier weights of the generator gives its other layers too.
    """
    own = encoder.state_dict()
    stages = {k: v for k, v in tensors.items() if k.startswith("stages.") and k in own}
    if not all(own[name].shape == value.shape for name, value in stages.items()):
        raise BadInputError("The network to begin with has other sizes than the encoder.")
    encoder.load_state_dict(stages, strict=False)
    encoder.taken = True
    whole = all(name in tensors and tensors[name].shape == own[name].shape for name in _HEADS)
    if whole:
        _take_over_heads(encoder, tensors)


def _take_over_heads(encoder: PictureEncoder, tensors: Mapping[str, Tensor]) -> None:
    """The dense layers of an encoder whose offsets are counted along other axes.

    An offset p there is the code mean + A p, and so here the offset (B^-1)(mean + A p - mean').
    """
    spread = Spread(encoder.mean[0], encoder.axes)
    zero = encoder.mean.new_zeros(1, encoder.axes.shape[0])
    turn = spread.whitened(tensors["axes"].T + spread.mean)  # [D, D]: p here = p there @ turn
    moved = spread.whitened(tensors["mean"] - encoder.mean + spread.mean + zero)  # [layers, D]
    layers, depth = moved.shape
    apart = tensors["apart.weight"].reshape(layers, depth, -1)
    state = {name: value for name, value in tensors.items() if name.startswith(("dense.", "norm."))}
    state["shared.weight"] = turn.T @ tensors["shared.weight"]
    state["shared.bias"] = tensors["shared.bias"] @ turn
    state["apart.weight"] = (turn.T @ apart).reshape(layers * depth, -1)
    bias = tensors["apart.bias"].reshape(layers, depth) @ turn + moved
    state["apart.bias"] = bias.reshape(-1)
    encoder.load_state_dict(state, strict=False)
