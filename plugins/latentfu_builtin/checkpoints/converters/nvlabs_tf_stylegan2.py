"""NVIDIA's TensorFlow pickles of StyleGAN2, read without TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.fit_network import fit_stylegan2
from latentfu_builtin.checkpoints.formats import ForeignFormat
from latentfu_builtin.checkpoints.state_dict import Tensors, find_tf_generator, list_tf_variables

SOURCE = "TensorFlow StyleGAN2"


def recognize(foreign: ForeignFile) -> bool:
    """Whether it is a tuple (G, D, Gs) whose layers have modulation weights."""
    variables = list_tf_variables(find_tf_generator(foreign))
    return "4x4/Const/const" in variables and "4x4/Conv/mod_weight" in variables


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """Variables of Gs as ours: kernels (kh, kw, in, out), affine biases less 1."""
    tensors = Tensors(list_tf_variables(find_tf_generator(foreign)), SOURCE, "StyleGAN2")
    ours: dict[str, NDArray[Any]] = {"mapping.w_avg": tensors.take("dlatent_avg")}
    place = 0
    while f"Dense{place}/weight" in tensors:
        ours[f"mapping.layers.{place}.weight"] = tensors.take(f"Dense{place}/weight").T
        ours[f"mapping.layers.{place}.bias"] = tensors.take(f"Dense{place}/bias")
        place += 1
    ours["synthesis.const"] = tensors.take("4x4/Const/const", (1, None, 4, 4))[0]
    side, layer = 4, 0
    while f"{side}x{side}/ToRGB/weight" in tensors:
        for name in ("Conv",) if side == 4 else ("Conv0_up", "Conv1"):
            _take_layer(tensors, ours, f"{side}x{side}/{name}", layer, side)
            layer += 1
        _take_rgb(tensors, ours, f"{side}x{side}/ToRGB", layer // 2)
        side *= 2
    tensors.drop("lod")
    if any(name.startswith("ToRGB_lod") for name in tensors.left):
        raise BadInputError(f"This {SOURCE} network is of config a to d, expected e or f.")
    c_dim, mapping = _take_labels(tensors, ours)
    tensors.finish()
    return tensors.label(fit_stylegan2(ours, c_dim=c_dim, mapping=mapping))


def _take_labels(tensors: Tensors, ours: dict[str, NDArray[Any]]) -> tuple[int, str]:
    """The embedding of labels: how many there are, and the kind of mapping that they need.

    StyleGAN2 multiplies them by a matrix and normalizes them with z; StyleGAN2-ADA has a layer
    for them and normalizes them apart.
    """
    if "LabelConcat/weight" in tensors:
        matrix = tensors.take("LabelConcat/weight", (None, None))
        count, width = matrix.shape
        ours["mapping.embed.weight"] = matrix.T * np.sqrt(count, dtype=np.float32)
        ours["mapping.embed.bias"] = np.zeros(width, np.float32)
        return count, "joined"
    if "LabelEmbed/weight" in tensors:
        matrix = tensors.take("LabelEmbed/weight", (None, None))
        ours["mapping.embed.weight"] = matrix.T
        ours["mapping.embed.bias"] = tensors.take("LabelEmbed/bias")
        return matrix.shape[0], "mlp"
    return 0, "mlp"


def _take_affine(tensors: Tensors, ours: dict[str, NDArray[Any]], theirs: str, mine: str) -> None:
    """The layer from w to the scales of channels."""
    ours[f"{mine}.affine.weight"] = tensors.take(f"{theirs}/mod_weight").T
    ours[f"{mine}.affine.bias"] = tensors.take(f"{theirs}/mod_bias") + 1.0


def _take_layer(
    tensors: Tensors, ours: dict[str, NDArray[Any]], theirs: str, layer: int, side: int
) -> None:
    """One convolution. Those that double the size are stored turned round here as there."""
    mine = f"synthesis.convs.{layer}"
    kernel = tensors.take(f"{theirs}/weight", (3, 3, None, None))
    ours[f"{mine}.weight"] = kernel.transpose(3, 2, 0, 1)
    ours[f"{mine}.bias"] = tensors.take(f"{theirs}/bias")
    ours[f"{mine}.noise_strength"] = tensors.one(f"{theirs}/noise_strength")
    ours[f"{mine}.noise_const"] = tensors.take(f"noise{layer}", (1, 1, side, side))[0, 0]
    _take_affine(tensors, ours, theirs, mine)


def _take_rgb(tensors: Tensors, ours: dict[str, NDArray[Any]], theirs: str, place: int) -> None:
    """The layer that makes colors at one size."""
    mine = f"synthesis.rgbs.{place}"
    weight = tensors.take(f"{theirs}/weight", (1, 1, None, None)).transpose(3, 2, 0, 1)
    colors = tensors.three_colors(weight, tensors.take(f"{theirs}/bias"))
    ours[f"{mine}.weight"], ours[f"{mine}.bias"] = colors
    _take_affine(tensors, ours, theirs, mine)


FORMAT = ForeignFormat.declare(
    "nvlabs-tf",
    "StyleGAN2, NVIDIA's TensorFlow pickle",
    recognize=recognize,
    convert=convert,
    files="StyleGAN2 `.pkl`, config e and f, with or without labels",
    publisher="NVIDIA, TensorFlow",
    told_by="a tuple of three `Network`s",
)
