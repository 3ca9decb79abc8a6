"""Portrait data for Latent-Fu: a renderer and what is trained on it."""
