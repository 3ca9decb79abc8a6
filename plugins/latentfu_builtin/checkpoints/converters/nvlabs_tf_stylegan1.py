"""NVIDIA's TensorFlow pickles of StyleGAN1, read without TensorFlow."""

from __future__ import annotations

from latentfu import BadInputError, ConvertedWeights, ForeignFile

from latentfu_builtin.checkpoints.fit_network import fit_stylegan1
from latentfu_builtin.checkpoints.formats import ForeignFormat
from latentfu_builtin.checkpoints.state_dict import (
    Array,
    Tensors,
    find_tf_generator,
    list_tf_variables,
)


def recognize(foreign: ForeignFile) -> bool:
    """Whether it is a tuple (G, D, Gs) whose layers are styled."""
    return "4x4/Const/StyleMod/weight" in list_tf_variables(find_tf_generator(foreign))


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """Variables of Gs as ours."""
    variables = list_tf_variables(find_tf_generator(foreign))
    tensors = Tensors(variables, "TensorFlow StyleGAN1", "StyleGAN1")
    ours: dict[str, Array] = {}
    if "LabelConcat/weight" in tensors:
        ours["mapping.embed"] = tensors.take("LabelConcat/weight", (None, None))
    check_grown(tensors, "lod")
    ours["mapping.w_avg"] = tensors.take("dlatent_avg")
    place = 0
    while f"Dense{place}/weight" in tensors:
        ours[f"mapping.layers.{place}.weight"] = tensors.take(f"Dense{place}/weight").T
        ours[f"mapping.layers.{place}.bias"] = tensors.take(f"Dense{place}/bias")
        place += 1
    ours["synthesis.const"] = tensors.take("4x4/Const/const", (1, None, 4, 4))[0]
    side, layer = 4, 0
    while f"{side}x{side}/Conv/weight" in tensors or f"{side}x{side}/Conv1/weight" in tensors:
        for name in ("Const", "Conv") if side == 4 else ("Conv0_up", "Conv1"):
            _take_layer(tensors, ours, f"{side}x{side}/{name}", layer)
            layer += 1
        side *= 2
    weight = tensors.take("ToRGB_lod0/weight", (1, 1, None, None)).transpose(3, 2, 0, 1)
    bias = tensors.take("ToRGB_lod0/bias", (None,))
    ours["synthesis.rgb.weight"], ours["synthesis.rgb.bias"] = tensors.three_colors(weight, bias)
    tensors.drop(*(name for name in variables if name.startswith("ToRGB_lod")))
    tensors.finish()
    return tensors.label(fit_stylegan1(ours))


def _take_layer(tensors: Tensors, ours: dict[str, Array], theirs: str, layer: int) -> None:
    """One layer by TensorFlow's names: kernels (kh, kw, in, out), dense (in, out)."""
    mine = f"synthesis.convs.{layer}"
    if layer:
        kernel = tensors.take(f"{theirs}/weight", (3, 3, None, None))
        ours[f"{mine}.weight"] = kernel.transpose(3, 2, 0, 1)
    ours[f"{mine}.bias"] = tensors.take(f"{theirs}/bias")
    ours[f"{mine}.noise_weight"] = tensors.take(f"{theirs}/Noise/weight")
    ours[f"{mine}.noise_const"] = tensors.take(f"noise{layer}")[0, 0]
    ours[f"{mine}.style.weight"] = tensors.take(f"{theirs}/StyleMod/weight").T
    ours[f"{mine}.style.bias"] = tensors.take(f"{theirs}/StyleMod/bias")


def check_grown(tensors: Tensors, name: str) -> None:
    """A network that was still growing draws a blend of two sizes, which is not supported."""
    if name in tensors and float(tensors.one(name)) != 0.0:
        raise BadInputError("This StyleGAN1 network had not grown to its full size (lod is not 0).")


FORMAT = ForeignFormat.declare(
    "nvlabs-tf1",
    "StyleGAN1, NVIDIA's TensorFlow pickle",
    recognize=recognize,
    convert=convert,
    files="StyleGAN1 `.pkl`, with or without labels",
    publisher="NVIDIA, TensorFlow",
    told_by="a tuple of three `Network`s with `StyleMod`",
)
