"""A plain DCGAN: noise in, a small picture out, no styles and no layers to mix.

After Radford et al. 2015, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks" (arXiv 1511.06434), with a few dense layers before it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

Z_DIM = 64
RESOLUTION = 64


class DCGAN(nn.Module):
    """z [N, 64], standard normal -> pictures [N, 3, 64, 64] in -1..1."""

    def __init__(self, channels: Sequence[int] = (192, 128, 96, 48)) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.dense = nn.Sequential(
            nn.Linear(Z_DIM, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2)
        )
        self.first = nn.Linear(256, self.channels[0] * 16)
        grow: list[nn.Module] = []
        for inputs, outputs in zip(self.channels, (*self.channels[1:], 3), strict=True):
            grow += [nn.LeakyReLU(0.2), nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1)]
        self.grow = nn.Sequential(*grow)

    def forward(self, z: Tensor) -> Tensor:
        """z [N, 64] -> [N, 3, 64, 64]."""
        x = self.first(self.dense(z))  # [N, C * 16]
        x = x.reshape(len(z), self.channels[0], 4, 4)  # [N, C, 4, 4]
        return torch.tanh(self.grow(x))  # 8, 16, 32 and 64 px
