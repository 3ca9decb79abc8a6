"""Networks that give the latent of a picture in one pass: ours, trained here, and foreign ones."""
