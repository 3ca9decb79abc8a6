"""A mapping from a picture's code and wanted attributes to the code that has them.

After the conditional editing of W++ (Li et al. 2021, arXiv 2105.14230), which was described but
not released: the attributes of a reference are joined to every token of the code. Here the tokens
then attend to each other, and what comes out is a step from the code, in spreads of the
generator's own codes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

import torch
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.layers import EqualLinear
from latentfu_builtin.networks.stylegan.wplusplus import HEADS, NARROWED, AttentionBlock


@dataclass(frozen=True)
class ConditionalMappingConfig:
    """Sizes: ``tokens`` codes of ``depth`` numbers, ``attributes`` wanted of the result."""

    tokens: int
    depth: int
    attributes: int
    width: int = 256
    blocks: int = 3

    def __post_init__(self) -> None:
        if not (1 <= self.tokens <= 64 and 1 <= self.depth <= 8192 and 1 <= self.blocks <= 32):
            raise ValueError("a conditional mapping of such sizes cannot be")
        if not (1 <= self.attributes <= 4096 and 16 <= self.width <= 8192):
            raise ValueError("a conditional mapping of such sizes cannot be")
        if self.width % (HEADS * NARROWED):
            raise ValueError(f"its width must be a multiple of {HEADS * NARROWED}")

    def to_json(self) -> str:
        """One line that :meth:`from_json` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> ConditionalMappingConfig:
        """The config written by :meth:`to_json`; ValueError in one sentence for anything else."""
        try:
            values = json.loads(text)
            names = [field.name for field in fields(ConditionalMappingConfig)]
            return ConditionalMappingConfig(**{name: int(values[name]) for name in names})
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise ValueError(f"the conditional mapping's config cannot be read: {error}") from error


class ConditionalMapping(nn.Module):
    """Code and attributes -> a step of the code."""

    def __init__(self, config: ConditionalMappingConfig) -> None:
        super().__init__()
        self.config = config
        inputs = config.depth + 2 * config.attributes + config.tokens
        sizes = [inputs] + [config.width] * config.blocks
        self.blocks = nn.ModuleList(AttentionBlock(a, b, 1.0) for a, b in pairwise(sizes))
        self.step = EqualLinear(config.width, config.depth)
        nn.init.zeros_(self.step.weight)  # it begins by changing nothing

    def forward(self, offsets: Tensor, has: Tensor, wanted: Tensor) -> Tensor:
        """A step of the code towards the wanted attributes.

        Args:
            offsets: The code's distance from the mean, in spreads, [N, tokens, depth].
            has: Its attributes, in standard deviations from their means, [N, attributes].
            wanted: Those of the reference, the same.

        Returns:
            The step in spreads, [N, tokens, depth].
        """
        count, tokens = offsets.shape[:2]
        asked = torch.cat([wanted, wanted - has], dim=1)  # [N, 2 attributes]
        joined = asked[:, None].expand(-1, tokens, -1)
        names = torch.eye(tokens, device=offsets.device).expand(count, -1, -1)
        x = torch.cat([offsets, joined, names], dim=2)  # [N, tokens, depth + 2 attributes + tokens]
        for block in self.blocks:
            x = block(x)  # [N, tokens, width]
        step: Tensor = self.step(x)
        return step
