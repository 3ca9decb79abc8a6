"""The encoder-decoder of pix2pixHD (Wang et al. 2018)."""
