"""StyleGAN1 (Karras et al. 2018, arXiv 1812.04948) in plain torch."""

from __future__ import annotations

from latentfu_builtin.networks.stylegan.stylegan1.network import StyleGAN1 as StyleGAN1
from latentfu_builtin.networks.stylegan.stylegan1.network import StyleGAN1Config as StyleGAN1Config
