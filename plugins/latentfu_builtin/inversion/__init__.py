"""Finding the latent of a picture by optimisation. Importing this is cheap."""
