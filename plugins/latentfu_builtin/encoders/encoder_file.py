"""An encoder as one safetensors file: tensors, and config, generator and figures as metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from latentfu import (
    BadInputError,
    Generator,
    WrongGeneratorError,
    read_tensors,
    write_tensors,
)

from latentfu_builtin.encoders.encoder_header import ARCHITECTURE, read_encoder_header
from latentfu_builtin.networks.encoders.pyramid_encoder import EncoderConfig, PictureEncoder
from latentfu_builtin.networks.stylegan.files import build_fitting

_COUNTED = "num_batches_tracked"
"""What batch normalization counts in training and nobody reads afterwards."""


def save_encoder(
    path: Path, encoder: PictureEncoder, generator_id: str, notes: Mapping[str, str]
) -> None:
    """Write ``encoder`` with float16 weights; raises StorageError in one sentence."""
    tensors = {
        name: value.detach().to("cpu", torch.float16).contiguous()
        for name, value in sorted(encoder.state_dict().items())
        if not name.endswith(_COUNTED)
    }
    metadata = {
        "domain": "unknown",
        "licence": "unknown",
        **notes,
        "architecture": ARCHITECTURE,
        "space": encoder.config.space,
        "config": encoder.config.to_json(),
        "generator_id": generator_id,
    }
    write_tensors(path, tensors, metadata)


def load_encoder(path: Path, device: str = "cpu") -> PictureEncoder:
    """The encoder in a file, in evaluation mode, gradients off.

    Raises BadInputError when the file holds none, or one with missing or misshapen tensors.
    """
    header = read_encoder_header(path)
    if header.get("architecture") != ARCHITECTURE:
        raise BadInputError(f"{path} holds no encoder of this project.")
    tensors = read_tensors(path)
    try:
        encoder = build_fitting(path, _build, header.get("config", ""), tensors, _COUNTED)
    except ValueError as error:
        raise BadInputError(f"The encoder cannot be used: {error}.") from error
    encoder.load_state_dict({name: value.float() for name, value in tensors.items()}, strict=False)
    ready = encoder.to(device).to(memory_format=torch.channels_last)
    return ready.eval().requires_grad_(False)


def _build(config: str) -> PictureEncoder:
    return PictureEncoder(EncoderConfig.from_json(config))


def check_fits(encoder_generator: str, generator: Generator, name: str) -> None:
    """Raise WrongGeneratorError unless the encoder was trained for these very weights."""
    if encoder_generator != generator.id:
        raise WrongGeneratorError(
            f"The encoder {name} was made for generator {encoder_generator[:12]}, not for "
            f"{generator.name} ({generator.id[:12]}): train one with latentfu train encoder "
            f"{generator.name}."
        )
