"""The inverter w-plus: the mean first, then one code for all layers, then one for each."""

from __future__ import annotations

from latentfu import Inversion, InversionRequest

from latentfu_builtin.inversion import optimise
from latentfu_builtin.inversion.checks import check_target, one_thread
from latentfu_builtin.inversion.presets import PRESETS

__all__ = ["check_target", "invert", "one_thread"]


def invert(request: InversionRequest) -> Inversion:
    """The w+ code of ``request.crop``; options that are not given are those of w-plus."""
    options = {**PRESETS["w-plus"].options, **request.options}
    whole = InversionRequest(
        request.crop, request.generator, request.progress, options, request.preview, request.mask
    )
    return optimise.invert(whole, "w-plus")
