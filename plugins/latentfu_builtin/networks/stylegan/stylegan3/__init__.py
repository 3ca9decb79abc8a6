"""StyleGAN3, T and R: an alias-free generator (arXiv 2106.12423), in plain torch."""

from __future__ import annotations

from latentfu_builtin.networks.stylegan.stylegan3.network import InputConfig as InputConfig
from latentfu_builtin.networks.stylegan.stylegan3.network import LayerConfig as LayerConfig
from latentfu_builtin.networks.stylegan.stylegan3.network import StyleGAN3 as StyleGAN3
from latentfu_builtin.networks.stylegan.stylegan3.network import StyleGAN3Config as StyleGAN3Config
