"""TransStyleGAN's checkpoints (StyleGAN of W++): rosinality's layers behind attention."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.converters.rosinality import ATTENTION, take_synthesis
from latentfu_builtin.checkpoints.find_tensors import StateDict
from latentfu_builtin.checkpoints.fit_network import fit_stylegan2, with_mean
from latentfu_builtin.checkpoints.formats import ForeignFormat, HasTensors
from latentfu_builtin.checkpoints.state_dict import Tensors

SOURCE = "TransStyleGAN"
SAMPLES = 4096
"""The originals keep no means; with so many samples these are right to 1.6 % of the spread."""
PARTS = {
    "skip": "proj",
    "attention.query": "atten.q_transform",
    "attention.key": "atten.k_transform",
    "attention.value": "atten.v_transform",
    "attention.out": "atten.proj",
    "dense0": "mlp.0",
    "dense1": "mlp.2",
}


STATE = HasTensors(("input.input", ATTENTION))


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """From ``{"g_ema": ...}``, or the decoder of an encoder for W++."""
    state = STATE.find(foreign) or StateDict()
    tensors = Tensors(state, SOURCE, "StyleGAN2 of W++")
    ours: dict[str, NDArray[Any]] = {}
    place = 0
    while f"style.{place + 1}.mlp.0.weight" in tensors:
        _take_block(tensors, ours, place)
        place += 1
    _check_names(tensors)
    take_synthesis(tensors, ours)
    tensors.finish()
    average = state.average
    if average is not None and average.ndim == 2:
        ours["mapping.w_avg"] = average.astype(np.float32)
        return tensors.label(fit_stylegan2(ours, mapping="attention"))
    layers = sum(name.endswith(".noise_const") for name in ours)
    w_dim = ours["synthesis.convs.0.affine.weight"].shape[1]
    ours["mapping.w_avg"] = np.zeros((layers + 1, w_dim), np.float32)
    return tensors.label(with_mean(fit_stylegan2(ours, mapping="attention"), SAMPLES))


def _take_block(tensors: Tensors, ours: dict[str, NDArray[Any]], place: int) -> None:
    """One block; only one that changes the width of its tokens has a ``proj``."""
    for mine, theirs in PARTS.items():
        name = f"style.{place + 1}.{theirs}"
        if mine == "skip" and f"{name}.weight" not in tensors:
            continue
        for part in ("weight", "bias"):
            ours[f"mapping.layers.{place}.{mine}.{part}"] = tensors.take(f"{name}.{part}")


def _check_names(tensors: Tensors) -> None:
    """How tokens are told which they are: by one-hot vectors, as everywhere."""
    if "token" not in tensors:
        return
    names = tensors.take("token")
    count = names.shape[-1]
    if names.size != count * count or not np.allclose(names.reshape(count, -1), np.eye(count)):
        raise BadInputError(f"This {SOURCE} network names its tokens otherwise than by one-hots.")


FORMAT = ForeignFormat.declare(
    "transstylegan",
    "StyleGAN of W++",
    recognize=STATE,
    convert=convert,
    files="StyleGAN of W++ `.pt`, and the decoder of its encoder",
    publisher="TransStyleGAN",
    told_by="`style.1.atten.q_transform.weight`",
)
