"""The step that trains the shipped encoder.

It is learned on the generator's own pictures and on renders. It begins with the encoder that is
there (for earlier weights), or with the convolutions of the scorer: minutes of one core.
"""

from __future__ import annotations

from pathlib import Path

import latentfu
from latentfu import Progress

PICTURES, AGAIN = 20_000, 8_000
"""How many it sees when it begins with the scorer, and with the encoder of earlier weights."""


def build_encoder(folder: Path | None, progress: Progress) -> None:
    """Train the encoder for the weights that are there now."""
    from latentfu_encoders.training.options import TrainingOptions
    from latentfu_encoders.training.run import Order, train_encoder

    from latentfu_portraits.plugin import ENCODER, NAME, SCORER

    generator = latentfu.open_generator(NAME)
    trunk, pictures = (ENCODER, AGAIN) if ENCODER.is_file() else (SCORER, PICTURES)
    kept = latentfu.data_dir() / "encoders" / f"{NAME}-{generator.id[:12]}.checkpoint"
    order = Order(
        generator,
        folder / ENCODER.name if folder else ENCODER,
        TrainingOptions(pictures=pictures, pool=2048, outside=0.2),
        renderer=NAME,
        trunk=trunk,
        checkpoint=kept,
        notes={"licence": "Apache-2.0", "author": "The Latent-Fu authors"},
    )
    train_encoder(order, progress)
