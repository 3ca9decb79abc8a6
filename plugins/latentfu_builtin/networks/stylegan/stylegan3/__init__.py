"""StyleGAN3, T and R: an alias-free generator (arXiv 2106.12423), in plain torch."""

from __future__ import annotations

from latentfu_builtin.networks.stylegan.stylegan3.config import InputConfig as InputConfig
from latentfu_builtin.networks.stylegan.stylegan3.config import LayerConfig as LayerConfig
from latentfu_builtin.networks.stylegan.stylegan3.config import StyleGAN3Config as StyleGAN3Config
from latentfu_builtin.networks.stylegan.stylegan3.network import StyleGAN3 as StyleGAN3
