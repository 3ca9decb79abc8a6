"""Finding the latent of a picture by optimization. Importing this is cheap."""
