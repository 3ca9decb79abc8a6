"""StyleGAN1 as genforce (and InterFaceGAN) keeps it, and as NVIDIA's TensorFlow pickles do."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile, tensors_of
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.nvlabs_tf import averaged, variables_of
from latentfu_builtin.checkpoints.stylegan2 import Tensors

Named = dict[str, NDArray[Any]]


def convert_genforce(foreign: ForeignFile) -> ConvertedWeights | None:
    """From a flat state dict with ``synthesis.layer0.first_layer``; None for anything else."""
    state = tensors_of(foreign.content)
    if "synthesis.layer0.first_layer" not in state:
        return None
    tensors, ours = Tensors(state, "StyleGAN1"), {}
    check_lod(tensors, "synthesis.lod")
    ours["mapping.w_avg"] = tensors.take("truncation.w_avg")
    place = 0
    while f"mapping.dense{place}.linear.weight" in tensors:
        theirs, mine = f"mapping.dense{place}", f"mapping.layers.{place}"
        ours[f"{mine}.weight"] = tensors.take(f"{theirs}.linear.weight")
        ours[f"{mine}.bias"] = tensors.take(f"{theirs}.wscale.bias")
        place += 1
    ours["synthesis.const"] = tensors.take("synthesis.layer0.first_layer", (1, None, 4, 4))[0]
    count = sum(name.endswith(".epilogue.bias") for name in state)
    for layer in range(count):
        take_genforce_layer(tensors, ours, layer)
    last = f"synthesis.output{count // 2 - 1}"
    ours["synthesis.rgb.weight"] = tensors.take(f"{last}.conv.weight", (3, None, 1, 1))
    ours["synthesis.rgb.bias"] = tensors.take(f"{last}.bias", (3,))
    tensors.drop(*(name for name in state if name.startswith("synthesis.output")))
    tensors.finish()
    return converted(ours)


def take_genforce_layer(tensors: Tensors, ours: Named, layer: int) -> None:
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


def convert_tf(foreign: ForeignFile) -> ConvertedWeights | None:
    """From NVIDIA's tuple (G, D, Gs), of which Gs counts; None for anything else."""
    network = averaged(foreign)
    variables = variables_of(network) if network else {}
    if "4x4/Const/StyleMod/weight" not in variables:
        return None
    tensors, ours = Tensors(variables, "TensorFlow StyleGAN1"), {}
    if "LabelConcat/weight" in tensors:
        ours["mapping.embed"] = tensors.take("LabelConcat/weight", (None, None))
    check_lod(tensors, "lod")
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
            take_tf_layer(tensors, ours, f"{side}x{side}/{name}", layer)
            layer += 1
        side *= 2
    colours = tensors.take("ToRGB_lod0/weight", (1, 1, None, 3))
    ours["synthesis.rgb.weight"] = colours.transpose(3, 2, 0, 1)
    ours["synthesis.rgb.bias"] = tensors.take("ToRGB_lod0/bias", (3,))
    tensors.drop(*(name for name in variables if name.startswith("ToRGB_lod")))
    tensors.finish()
    return converted(ours)


def take_tf_layer(tensors: Tensors, ours: Named, theirs: str, layer: int) -> None:
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


def check_lod(tensors: Tensors, name: str) -> None:
    """A network that was still growing draws a blend of two sizes, which is not supported."""
    if name in tensors and float(tensors.one(name)) != 0.0:
        raise BadInputError("This StyleGAN1 network had not grown to its full size (lod is not 0).")


def converted(ours: Named) -> ConvertedWeights:
    """Our tensors as a file; the config is read from their shapes."""
    import torch

    from latentfu_builtin.networks.stylegan.stylegan1 import StyleGAN1, StyleGAN1Config

    count = sum(name.endswith(".noise_const") for name in ours)
    depth = sum(name.startswith("mapping.layers.") for name in ours) // 2
    labels = ours.get("mapping.embed")
    c_dim = 0 if labels is None else labels.shape[0]
    try:
        config = StyleGAN1Config(
            resolution=2 << (count // 2),
            z_dim=ours["mapping.layers.0.weight"].shape[1] // (2 if c_dim else 1),
            mapping=tuple(ours[f"mapping.layers.{i}.weight"].shape[0] for i in range(depth)),
            channels=tuple(
                ours[f"synthesis.convs.{2 * i}.bias"].shape[0] for i in range(count // 2)
            ),
            c_dim=c_dim,
        )
        with torch.device("meta"):
            expected = StyleGAN1(config).state_dict()
    except (ValueError, KeyError) as error:
        raise BadInputError(f"The sizes of this network do not fit together: {error}.") from error
    for name, tensor in expected.items():
        have = ours[name].shape if name in ours else None
        if have != tuple(tensor.shape):
            raise BadInputError(
                f"This StyleGAN1 network has {name} of shape {have and list(have)}, expected "
                f"{list(tensor.shape)}."
            )
    floats = {name: np.array(ours[name], np.float32, order="C") for name in expected}
    return ConvertedWeights(floats, {"architecture": "stylegan1", "config": config.to_json()})
