"""StyleGAN networks for Latent-Fu, and the trainer that makes them.

`latentfu_stylegan.stylegan2` is the network; `latentfu_stylegan.training` trains it.
Importing this package is cheap: torch is loaded by the sub-packages only.
"""
