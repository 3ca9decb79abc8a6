"""Encoders: the shipped one, pSp and e4e, ReStyle, image-to-latent."""
