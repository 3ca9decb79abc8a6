"""Inception-v3 features, from weights on this machine (nothing is downloaded)."""

from __future__ import annotations

from pathlib import Path

import torch.nn.functional as F
from latentfu import BadInputError, read_torch
from torch import Tensor, nn

from latentfu_builtin.portraits.evaluate.pictures import Look


def inception_features(weights: Path) -> Look:
    """Pooled features ``[N, 2048]`` of torchvision's inception_v3 with ``weights``, a state dict.

    Not the network of the published FID figures, so compare only with figures made by this one.
    """
    from torchvision.models import inception_v3

    network = inception_v3(weights=None, init_weights=False, aux_logits=True)
    try:
        network.load_state_dict(read_torch(weights))
    except Exception as error:
        raise BadInputError(
            f"{weights} holds no state dict of torchvision's inception_v3."
        ) from error
    network.fc = nn.Identity()
    network.eval().requires_grad_(False)

    def look(images: Tensor) -> Tensor:
        large = F.interpolate(images, size=(299, 299), mode="bilinear", antialias=True)
        features: Tensor = network(large)  # [N, 2048]
        return features

    return look
