"""A generator that is not a StyleGAN: a small DCGAN of portraits, as a plug-in for Latent-Fu."""

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

import latentfu

FOLDER = Path(__file__).parent
WEIGHTS = FOLDER / "weights.safetensors"


@functools.cache
def weights_id() -> str:
    """sha256 of the weights: what latents and directions of this network are known by."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


@latentfu.hookimpl
def latentfu_generators() -> Iterator[latentfu.GeneratorSpec]:
    """The network; torch is imported when it is opened, so that listing stays fast."""

    def load(device: str) -> latentfu.Generator:
        from latentfu_example_generator.generator import open_generator

        return open_generator(WEIGHTS, spec, device)

    spec = latentfu.GeneratorSpec(
        name="example-dcgan",
        title="Small portraits (DCGAN)",
        domain="portraits",
        resolution=64,
        id=weights_id(),
        load=load,
        aligner="portraits",
        licence="Apache-2.0",
        description="A small network with only a z space, to show what a generator needs.",
    )
    yield spec


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> Iterator[latentfu.Control]:
    """The directions that `latentfu directions train` found for it, shipped as files."""
    yield from latentfu.directions_in(FOLDER / "directions", generator.id)
