"""The generator inside the checkpoint of an encoder: pSp, e4e, ReStyle, HyperStyle."""

from __future__ import annotations

from latentfu import ConvertedWeights, ForeignFile

from latentfu_builtin.checkpoints.converters.rosinality import ATTENTION, convert_state
from latentfu_builtin.checkpoints.find_tensors import StateDict
from latentfu_builtin.checkpoints.formats import ForeignFormat, HasTensors

STATE = HasTensors(("input.input", "conv1.conv.weight"), (ATTENTION,), decoder=True)


def convert(foreign: ForeignFile) -> ConvertedWeights:
    """The decoder's tensors are rosinality's; the mean w may be given for each layer."""
    return convert_state(STATE.find(foreign) or StateDict())


FORMAT = ForeignFormat.declare(
    "encoder-decoder",
    "The decoder of pSp, e4e and ReStyle",
    recognize=STATE,
    convert=convert,
    files="the decoder of pSp, e4e, ReStyle, HyperStyle `.pt`",
    publisher="their authors",
    told_by="`decoder.*` below `state_dict`",
)
