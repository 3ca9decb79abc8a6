"""What torch does not offer in public: the only module that uses its private interface."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor


def is_wrapped(tensor: Tensor) -> bool:
    """Whether a tensor is a stand-in of a function transform (torch.func.jvp, vmap, ...)."""
    return is_functorch_wrapped_tensor(tensor)


def change_count(tensor: Tensor) -> int:
    """How often a tensor has been changed in place; any two counts that differ will do."""
    return tensor._version


def storage_state(tensor: Tensor) -> tuple[int, int, int]:
    """Equal for two looks at a tensor that is the same object, memory and numbers as before."""
    return id(tensor), tensor.data_ptr(), tensor._version


def may_overwrite(tensor: Tensor) -> bool:
    """Whether nobody misses a tensor's numbers: no gradients, no function transform."""
    return not torch.is_grad_enabled() and not is_functorch_wrapped_tensor(tensor)
