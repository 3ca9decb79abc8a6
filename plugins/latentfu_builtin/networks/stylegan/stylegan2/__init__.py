"""StyleGAN2 (Karras et al. 2020, arXiv 1912.04958) in plain torch."""

from latentfu_builtin.networks.stylegan.layers import normalize_2nd_moment
from latentfu_builtin.networks.stylegan.mapped_network import save_network
from latentfu_builtin.networks.stylegan.stylegan2.config import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.discriminator import Discriminator
from latentfu_builtin.networks.stylegan.stylegan2.network import Mapping, StyleGAN2, load_network
from latentfu_builtin.networks.stylegan.stylegan2.synthesis import Synthesis, SynthesisState

__all__ = [
    "Discriminator",
    "Mapping",
    "StyleGAN2",
    "StyleGAN2Config",
    "Synthesis",
    "SynthesisState",
    "load_network",
    "normalize_2nd_moment",
    "save_network",
]
