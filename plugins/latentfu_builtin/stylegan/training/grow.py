"""Beginning a run from a network that is trained already, of the same or a smaller resolution."""

from __future__ import annotations

import torch

from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2
from latentfu_builtin.stylegan.training.trainer import Trainer


@torch.no_grad()
def begin_from(trainer: Trainer, trained: StyleGAN2) -> None:
    """Give the run's generator (and its average) the weights of `trained`.

    Where the run's network is larger, its new toRGB layers are silenced: it begins by drawing the
    smaller network's pictures enlarged, and learns the detail (progressive growing, Karras et al.
    2018, arXiv 1710.10196, for the skip architecture of StyleGAN2). ValueError when a tensor
    of `trained` has no place of the same shape.
    """
    mine = trainer.generator.state_dict()
    for name, value in trained.state_dict().items():
        if name not in mine or mine[name].shape != value.shape:
            raise ValueError(
                f"a network of {trainer.config.resolution} px can not begin from this one: "
                f"{name} with the shape {list(value.shape)} does not fit"
            )
        mine[name].copy_(value)
    old = len(trained.synthesis.rgbs)
    for rgb in list(trainer.generator.synthesis.rgbs)[old:]:
        torch.nn.init.zeros_(rgb.get_parameter("weight"))
    trainer.ema.load_state_dict(trainer.generator.state_dict())
