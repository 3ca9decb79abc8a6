"""What every inverter checks before it works, and how it works on a small machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from latentfu import BadInputError, Generator
from torch import Tensor


@contextmanager
def one_thread(generator: Generator) -> Iterator[None]:
    """Small pictures on a CPU: threads waiting for each other cost more than they bring.

    On a machine with other work to do, two threads were ten times slower than one at 64 px.
    """
    if generator.device.type != "cpu" or generator.resolution > 128:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_target(target: Tensor, generator: Generator) -> None:
    """Refuse a crop [1, 3, R, R] that does not fit or shows nothing (raises BadInputError)."""
    side = generator.resolution
    if tuple(target.shape) != (1, 3, side, side):
        raise BadInputError(f"The crop is {list(target.shape)}; it must be [3, {side}, {side}].")
    if not bool(torch.isfinite(target).all()):
        raise BadInputError("The picture holds values that are no numbers: export it again.")
    if float(target.max() - target.min()) < 0.02:
        raise BadInputError(
            "The part to edit is one flat colour: choose a layer that shows a picture there."
        )
