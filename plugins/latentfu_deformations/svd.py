"""The SVD basis: products of the singular vectors of a convolution's weights (seed's way 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from latentfu_deformations.layer import Convolution, check_count


def svd_basis(convolution: Convolution, count: int) -> Tensor:
    """The first ``count`` singular directions ``[count, out, in, k, k]``, each of norm 1.

    The weights ``[out, in, k, k]`` are unfolded to ``[k k in, out]`` = U S V^T; direction i is
    the outer product of U's column i and V's row i. BadInputError above the rank.
    """
    weight = convolution.weight  # [out, in, k, k]
    check_count(count, convolution.rank(), f"layer {convolution.layer}")
    out, inputs, height, width = weight.shape
    flat = weight.permute(2, 3, 1, 0).reshape(-1, out)  # [k k in, out]
    u, _, vh = torch.linalg.svd(flat.double(), full_matrices=False)
    products = u[:, :count].T[:, :, None] * vh[:count, None, :]  # [count, k k in, out]
    shaped = products.reshape(count, height, width, inputs, out)
    basis: Tensor = shaped.permute(0, 4, 3, 1, 2).float().contiguous()
    return basis
