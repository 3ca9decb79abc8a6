"""The SVD basis: products of the singular vectors of a convolution's weights."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_builtin.deformations.basis import svd_of
from latentfu_builtin.deformations.layer import Convolution, check_count


def svd_basis(convolution: Convolution, count: int) -> Tensor:
    """The first ``count`` singular directions ``[count, out, in, k, k]``, each of norm 1.

    The weights ``[out, in, k, k]`` are unfolded to ``[k k in, out]`` = U S V^T; direction i is
    the outer product of U's column i and V's row i. BadInputError above the rank.
    """
    check_count(count, convolution.rank(), f"layer {convolution.layer}")
    basis = svd_of(convolution.weight, count)
    return basis.combined(torch.eye(count, device=convolution.weight.device))
