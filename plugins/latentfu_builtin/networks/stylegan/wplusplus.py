"""The mapping of W++ (Li et al. 2021, arXiv 2105.14230): styles that attend to each other.

A z for each style, and blocks in which the styles see each other.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import EqualLinear
from latentfu_builtin.networks.stylegan.mapped_network import AveragedMapping, MappingConfig

HEADS = 4
NARROWED = 4
"""Queries, keys and values have this fraction of a style's numbers."""


class AttentionConfig(MappingConfig, Protocol):
    """What a config says of an attention mapping."""

    @property
    def num_ws(self) -> int: ...

    @property
    def z_numbers(self) -> int: ...


def _normalize_tokens(x: Tensor) -> Tensor:
    """Bring x [N, T, D] to mean 0 and variance 1 over the tokens and numbers of each."""
    return F.layer_norm(x, x.shape[1:])


class TokenAttention(nn.Module):
    """Attention of each token to all: [N, T, inputs] -> [N, T, outputs]."""

    def __init__(self, inputs: int, outputs: int, lr_multiplier: float) -> None:
        super().__init__()
        width = outputs // NARROWED

        def dense(a: int, b: int) -> EqualLinear:
            return EqualLinear(a, b, lr_multiplier=lr_multiplier)

        self.query, self.key = dense(inputs, width), dense(inputs, width)
        self.value, self.out = dense(inputs, width), dense(width, outputs)
        self.scale = 1.0 / math.sqrt(width)  # of the whole width, as in the original

    def weights(self, x: Tensor) -> Tensor:
        """x [N, T, inputs] -> how much each token sees of each, [N, heads, T, T]; rows sum to 1."""
        likeness = _split_heads(self.query(x)) @ _split_heads(self.key(x)).transpose(2, 3)
        return (likeness * self.scale).softmax(dim=3)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, T, inputs] -> [N, T, outputs]."""
        seen = self.weights(x) @ _split_heads(self.value(x))  # [N, heads, T, width / heads]
        together: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return together


def _split_heads(x: Tensor) -> Tensor:
    """Split x [N, T, width] into [N, heads, T, width / heads]."""
    return x.reshape(*x.shape[:2], HEADS, -1).transpose(1, 2)


class AttentionBlock(nn.Module):
    """Attention and an MLP, each added to what it reads."""

    def __init__(self, inputs: int, outputs: int, lr_multiplier: float) -> None:
        super().__init__()
        self.skip = (
            None if inputs == outputs else EqualLinear(inputs, outputs, lr_multiplier=lr_multiplier)
        )
        self.attention = TokenAttention(inputs, outputs, lr_multiplier)
        self.dense0 = EqualLinear(outputs, outputs, lr_multiplier=lr_multiplier)
        self.dense1 = EqualLinear(outputs, outputs, lr_multiplier=lr_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, T, inputs] -> [N, T, outputs]."""
        shortcut = x if self.skip is None else self.skip(x)
        x = shortcut + self.attention(_normalize_tokens(x))
        changed: Tensor = x + self.dense1(F.gelu(self.dense0(_normalize_tokens(x))))
        return changed


class AttentionMapping(AveragedMapping):
    """z for each style -> w for each style.

    Token t is the style that layer t reads; it is told which one it is by a one-hot vector.
    w_avg: [num_ws, w_dim], a mean for each token.
    """

    def __init__(self, config: AttentionConfig) -> None:
        super().__init__()
        self.tokens, self.z_dim = config.num_ws, config.z_numbers
        sizes = [config.z_dim + config.num_ws] + [config.w_dim] * config.mapping_layers
        self.layers = nn.ModuleList(
            AttentionBlock(a, b, config.mapping_lr_multiplier) for a, b in pairwise(sizes)
        )
        self.register_buffer("w_avg", torch.zeros(config.num_ws, config.w_dim))

    def start(self, z: Tensor) -> Tensor:
        """z [N, z_dim] -> what the blocks read, [N, num_ws, z_dim / num_ws + num_ws].

        A token's numbers and its one-hot, together of mean square 1.
        """
        z = z.float().reshape(len(z), self.tokens, -1)
        names = torch.eye(self.tokens, device=z.device).expand(len(z), -1, -1)
        x = torch.cat([z, names], dim=2)
        return x * (x.square().mean(dim=2, keepdim=True) + 1e-8).rsqrt()

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """z [N, z_dim], standard normal -> ws [N, num_ws, w_dim]; there are no labels."""
        with torch.autocast(z.device.type, enabled=False):
            x = self.start(z)
            for layer in self.layers:
                x = layer(x)
        return x

    def attention(self, z: Tensor) -> list[Tensor]:
        """How much each style looks at each, in each block: [N, heads, num_ws, num_ws]."""
        x, seen = self.start(z), []
        for layer in self.layers:
            seen.append(layer.attention.weights(_normalize_tokens(x)))  # type: ignore[operator, union-attr]
            x = layer(x)
        return seen
