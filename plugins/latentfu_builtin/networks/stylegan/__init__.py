"""StyleGAN 1, 2, 3, the attention mapping of W++, and what they have in common."""
