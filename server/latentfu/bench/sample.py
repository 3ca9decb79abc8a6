"""A picture to measure with: a portrait of the generator's own on a plain ground."""

from __future__ import annotations

import numpy as np

from latentfu.core.generator import Generator
from latentfu.core.layer import Layer


def sample_layer(generator: Generator, width: int, height: int, seed: int = 5) -> Layer:
    """RGB, ``width`` x ``height``: a render, scaled to most of the height, in the middle."""
    import torch
    from PIL import Image

    from latentfu.core.generator import random_latents

    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed, psi=0.7))[0]
    values = ((image.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    side = min(width, height) * 9 // 10
    ground = Image.new("RGB", (width, height), tuple(int(v) for v in values[0, 0]))
    picture = Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)
    ground.paste(picture, ((width - side) // 2, (height - side) // 2))
    return Layer(np.asarray(ground).copy())
