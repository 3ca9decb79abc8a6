"""Squares that hold nothing to work on are refused with what is true of them."""

from __future__ import annotations

import pytest
from latentfu import BadInputError, Quad
from latentfu.pipeline.crop import check_quad


@pytest.mark.parametrize(
    ("side", "says"),
    [
        (1e9, "is 1000000000 pixels wide: at most 65536 are possible"),
        (3.0, "is only 3 pixels wide"),
    ],
)
def test_a_square_of_an_odd_size(side: float, says: str) -> None:
    with pytest.raises(BadInputError, match=says):
        check_quad(Quad.square(0, 0, side))
