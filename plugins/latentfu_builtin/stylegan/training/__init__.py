"""The StyleGAN2 trainer: paired regression on a renderer, adversarial training, export."""
