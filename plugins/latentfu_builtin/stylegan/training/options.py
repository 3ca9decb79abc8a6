"""What a training run can be told."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class TrainingOptions:
    """Everything but the network's sizes and the data. Amounts are counted in pictures.

    First `regression_images` of paired regression, then `adversarial_images` of GAN training;
    either may be 0.
    """

    batch: int = 16
    seed: int = 0
    bf16: bool = True
    compiled: bool = False  # torch.compile of both networks: minutes first, then faster on a GPU
    regression_images: int = 0
    regression_lr: float = 5e-3
    regression_final: float = 0.02  # the cosine ends at this part of the rate
    landmark_strength: float = 9.0
    small_strength: float = 0.0  # of squared errors near small things, say 100 to have them learned
    feature_loss: str = ""  # an installed loss beside the pixels', e.g. portraits or lpips
    feature_weight: float = 1.0
    style_start: float = 0.2  # regression begins with styles that act this much
    adversarial_images: int = 1_000_000
    generator_lr: float = 2.0e-3
    discriminator_lr: float = 2.0e-3
    head_start_images: int = 0  # so long the discriminator learns alone
    r1_gamma: float = 0.5
    r1_every: int = 16
    path_weight: float = 2.0
    path_every: int = 0  # 0: no path length regularisation
    mixing: float = 0.0  # share of pictures made with two styles
    augment: str = ""  # e.g. color,translation,cutout
    paired_weight: float = 0.0  # the paired loss beside the adversarial one
    ema_images: float = 5_000.0  # half-life of the averaged generator
    discriminator_channels: tuple[int, ...] | None = None
    discriminator_crop: int = 0  # the side of the random crops that it sees; 0: whole pictures
    discriminator_detail: float = 1.0  # how much stronger than the rest it sees the finest detail

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> TrainingOptions:
        """Read back what `to_json` wrote."""
        values = json.loads(text)
        if values.get("discriminator_channels") is not None:
            values["discriminator_channels"] = tuple(values["discriminator_channels"])
        return TrainingOptions(**values)
