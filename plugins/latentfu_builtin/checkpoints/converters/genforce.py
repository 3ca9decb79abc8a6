"""StyleGAN1 as genforce and InterFaceGAN keep it: a flat state dict."""

from __future__ import annotations

from latentfu import ConvertedWeights, ForeignFile

from latentfu_builtin.checkpoints.converters.nvlabs_tf_stylegan1 import check_grown
from latentfu_builtin.checkpoints.find_tensors import StateDict
from latentfu_builtin.checkpoints.fit_network import fit_stylegan1
from latentfu_builtin.checkpoints.formats import ForeignFormat, HasTensors
from latentfu_builtin.checkpoints.state_dict import Array, Tensors

STATE = HasTensors(("synthesis.layer0.first_layer",))


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """From a flat state dict."""
    state = STATE.find(foreign) or StateDict()
    tensors = Tensors(state, "StyleGAN1", "StyleGAN1")
    ours: dict[str, Array] = {}
    check_grown(tensors, "synthesis.lod")
    ours["mapping.w_avg"] = tensors.take("truncation.w_avg")
    place = 0
    while f"mapping.dense{place}.linear.weight" in tensors:
        theirs, mine = f"mapping.dense{place}", f"mapping.layers.{place}"
        ours[f"{mine}.weight"] = tensors.take(f"{theirs}.linear.weight")
        ours[f"{mine}.bias"] = tensors.take(f"{theirs}.wscale.bias")
        place += 1
    ours["synthesis.const"] = tensors.take("synthesis.layer0.first_layer", (1, None, 4, 4))[0]
    count = sum(name.endswith(".epilogue.bias") for name in state.tensors)
    for layer in range(count):
        _take_layer(tensors, ours, layer)
    last = f"synthesis.output{count // 2 - 1}"
    weight = tensors.take(f"{last}.conv.weight", (None, None, 1, 1))
    bias = tensors.take(f"{last}.bias", (None,))
    ours["synthesis.rgb.weight"], ours["synthesis.rgb.bias"] = tensors.three_colors(weight, bias)
    tensors.drop(*(name for name in state.tensors if name.startswith("synthesis.output")))
    tensors.finish()
    return tensors.label(fit_stylegan1(ours))


def _take_layer(tensors: Tensors, ours: dict[str, Array], layer: int) -> None:
    """One layer; doubling ones from 128 px on keep their kernel as TensorFlow does."""
    theirs, mine = f"synthesis.layer{layer}", f"synthesis.convs.{layer}"
    end = f"{theirs}.epilogue"
    if layer and f"{theirs}.weight" in tensors:
        kernel = tensors.take(f"{theirs}.weight", (3, 3, None, None))
        ours[f"{mine}.weight"] = kernel.transpose(3, 2, 0, 1)
    elif layer:
        ours[f"{mine}.weight"] = tensors.take(f"{theirs}.conv.weight", (None, None, 3, 3))
    ours[f"{mine}.bias"] = tensors.take(f"{end}.bias")
    ours[f"{mine}.noise_weight"] = tensors.take(f"{end}.apply_noise.weight")
    ours[f"{mine}.noise_const"] = tensors.take(f"{end}.apply_noise.noise")[0, 0]
    ours[f"{mine}.style.weight"] = tensors.take(f"{end}.style_mod.dense.linear.weight")
    ours[f"{mine}.style.bias"] = tensors.take(f"{end}.style_mod.dense.wscale.bias")
    tensors.drop(f"{theirs}.blur.kernel")


FORMAT = ForeignFormat.declare(
    "genforce",
    "StyleGAN1 by genforce",
    recognize=STATE,
    convert=convert,
    files="StyleGAN1 `.pth`",
    publisher="genforce, InterFaceGAN",
    told_by="`synthesis.layer0.first_layer`",
)
