"""StyleGAN networks for Latent-Fu, and the trainer that makes them.

The networks are in `latentfu_builtin.networks.stylegan`; `training` here makes weights for them.
Importing this package is cheap: torch is loaded by the sub-packages only.
"""
