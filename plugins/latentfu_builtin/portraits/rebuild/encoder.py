"""The step that trains the shipped encoder.

It is learned on the generator's own pictures and on renders. It begins with the encoder that is
there (for earlier weights), or with the convolutions of the scorer: minutes of one core.
"""

from __future__ import annotations

from pathlib import Path

import latentfu
from latentfu import Progress

PICTURES, RATE = 20_000, 2e-3
PICTURES_AGAIN, RATE_AGAIN = 8_000, 3e-4
"""Beginning with the encoder of earlier weights, which reads those trained on nearly as well: at
the whole rate 8,000 pictures cost it 2 dB."""


def build_encoder(folder: Path | None, progress: Progress) -> None:
    """Train the encoder for the weights that are there now."""
    from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
    from latentfu_builtin.encoders.training.run import EncoderOrder, train_encoder
    from latentfu_builtin.portraits.plugin import ENCODER, NAME, SCORER

    generator = latentfu.open_generator(NAME)
    trunk, pictures, rate = SCORER, PICTURES, RATE
    if ENCODER.is_file():
        trunk, pictures, rate = ENCODER, PICTURES_AGAIN, RATE_AGAIN
    kept = latentfu.data_dir() / "encoders" / f"{NAME}-{generator.id[:12]}.checkpoint"
    order = EncoderOrder(
        generator,
        folder / ENCODER.name if folder else ENCODER,
        EncoderTrainingOptions(pictures=pictures, rate=rate, pool=2048, outside=0.2),
        renderer=NAME,
        trunk=trunk,
        checkpoint=kept,
        notes={"licence": "Apache-2.0", "author": "The Latent-Fu authors"},
    )
    train_encoder(order, progress)
