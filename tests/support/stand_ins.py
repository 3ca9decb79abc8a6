"""A plug-in as strangers write them: a DCGAN and a gray VAE of 64 pixels, with only a z space.

Of the shape of two published networks of faces; their weights are drawn at random.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Sequence
from typing import overload

import latentfu
import torch
from torch import Tensor, nn

SIDE = 64
GAN_ID = hashlib.sha256(b"stand-in dcgan 1").hexdigest()
VAE_ID = hashlib.sha256(b"stand-in vae 1").hexdigest()


def build_decoder(z_dim: int, channels: Sequence[int], colors: int, seed: int) -> nn.Sequential:
    """z [N, z_dim, 1, 1] -> 4, 8, 16, 32 and 64 px [N, colors, 64, 64]."""
    torch.manual_seed(seed)
    stages: list[nn.Module] = [nn.ConvTranspose2d(z_dim, channels[0], 4, 1, 0)]
    for inputs, outputs in zip(channels, (*channels[1:], colors), strict=True):
        norm = nn.BatchNorm2d(inputs)
        stages += [norm, nn.LeakyReLU(0.2), nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)]
    network = nn.Sequential(*stages, nn.Tanh())
    with torch.no_grad():
        network.train()(torch.randn(256, z_dim, 1, 1))  # what the norms have seen in training
        for _ in range(30):
            network(torch.randn(64, z_dim, 1, 1))
    return network.eval().requires_grad_(False)


class StandIn(latentfu.Generator):
    """Shows its layers and weights, so that it can be deformed."""

    spaces = ("z",)
    resolution = SIDE

    def __init__(self, spec: latentfu.GeneratorSpec, network: nn.Sequential, z_dim: int) -> None:
        self.name, self.id, self.domain = spec.name, spec.id, spec.domain
        self.z_dim, self.network = z_dim, network
        self._steps = [n for n, one in enumerate(network) if isinstance(one, nn.ConvTranspose2d)]
        named = dict(network.named_parameters())
        self.layers = tuple(
            latentfu.SynthesisLayer(
                f"step{n}", 4 << k, named[f"{n}.weight"].shape[1], 0, f"{n}.weight"
            )
            for k, n in enumerate(self._steps)
        )

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def weights(self) -> dict[str, Tensor]:
        return dict(self.network.named_parameters())

    def parameter(self, name: str) -> Tensor:
        if name not in self.weights():
            raise latentfu.BadInputError(f"The generator {self.name} has no parameter {name!r}.")
        return self.weights()[name]

    def map(
        self,
        z: Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: Tensor | None = None,
    ) -> latentfu.Latent:
        if labels is not None:
            raise latentfu.BadInputError(f"{self.name} has no labels.")
        return latentfu.Latent(z * psi, "z", self.id)

    def mean_latent(self) -> latentfu.Latent:
        return latentfu.Latent(torch.zeros(1, self.z_dim, device=self.device), "z", self.id)

    @overload
    def render(
        self, latent: latentfu.Latent, noise: latentfu.Noise = ..., features: None = None
    ) -> Tensor: ...

    @overload
    def render(
        self, latent: latentfu.Latent, noise: latentfu.Noise, features: Sequence[int]
    ) -> tuple[Tensor, dict[int, Tensor]]: ...

    def render(
        self,
        latent: latentfu.Latent,
        noise: latentfu.Noise = "const",
        features: Sequence[int] | None = None,
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        latent.check_generator(self.id)
        codes = latent.codes.to(self.device)[:, :, None, None]  # [N, z_dim, 1, 1]
        rows = [self._draw(codes[n : n + 1], latent, n) for n in range(len(codes))]
        pictures = torch.cat([row[0] for row in rows])
        pictures = pictures.expand(-1, 3, -1, -1)
        if features is None:
            return pictures
        if any(not 0 <= index < len(self.layers) for index in features):
            raise latentfu.BadInputError(f"{self.name} has layers 0 to {len(self.layers) - 1}.")
        return pictures, {index: torch.cat([row[1][index] for row in rows]) for index in features}

    def _draw(
        self, code: Tensor, latent: latentfu.Latent, row: int
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """One picture, with the bends and details of its latent."""
        bent = self.weights()
        for bend in latent.bends:
            before = self.parameter(bend.parameter)
            if bend.shift.shape != before.shape:
                raise latentfu.BadInputError(f"The bend of {bend.parameter} has another shape.")
            strength = bend.strength
            if isinstance(strength, Tensor) and strength.ndim:
                strength = strength[row]
            bent[bend.parameter] = bent[bend.parameter] + strength * bend.shift
        x, seen = code, {}
        for number, step in enumerate(self.network):
            mine = {
                name.partition(".")[2]: one
                for name, one in bent.items()
                if name.startswith(f"{number}.")
            }
            x = torch.func.functional_call(step, mine, (x,))
            if number in self._steps:
                layer = self._steps.index(number)
                for detail in latent.details:
                    if detail.layer == layer:
                        delta = detail.delta
                        x = x + (delta if len(delta) == 1 else delta[row : row + 1])
                seen[layer] = x
        return x, seen


def open_gan(device: str) -> StandIn:
    network = build_decoder(100, (128, 64, 32, 16), 3, seed=1)
    return StandIn(GAN, network.to(device), 100)


def open_vae(device: str) -> StandIn:
    network = build_decoder(64, (96, 64, 32, 16), 1, seed=2)
    return StandIn(VAE, network.to(device), 64)


GAN = latentfu.GeneratorSpec("stand-in-gan", "DCGAN", "stand-ins", SIDE, GAN_ID, open_gan)
VAE = latentfu.GeneratorSpec("stand-in-vae", "VAE", "stand-ins", SIDE, VAE_ID, open_vae)


@functools.cache
def fit_encoder() -> tuple[Tensor, Tensor]:
    """Pixels [4096] -> z [64], by least squares over pictures of the VAE: ([4096, 64], [4096])."""
    generator = open_vae("cpu")
    latents = latentfu.random_latents(generator, 1500, seed=5)
    pictures = generator.render(latents)[:, 0].flatten(1)
    middle = pictures.mean(dim=0)
    centered = pictures - middle
    gram = centered @ centered.T + 3.0 * torch.eye(len(centered))
    return centered.T @ torch.linalg.solve(gram, latents.codes), middle


class LinearEncoder:
    """A rough first guess, as an encoder is."""

    def __init__(self, generator: latentfu.Generator) -> None:
        self._device = generator.device

    def __call__(self, pictures: Tensor) -> Tensor:
        matrix, middle = (each.to(self._device) for each in fit_encoder())
        return (pictures.mean(dim=1).flatten(1) - middle) @ matrix


@latentfu.hookimpl
def latentfu_generators() -> list[latentfu.GeneratorSpec]:
    return [GAN, VAE]


@latentfu.hookimpl
def latentfu_encoders() -> Iterator[latentfu.Encoder]:
    yield latentfu.Encoder(
        "stand-in-encoder", "Of the VAE", "", LinearEncoder, space="z",
        fits=lambda generator: generator.id == VAE_ID,
    )  # fmt: skip


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> Iterator[latentfu.Control]:
    if generator.id in (GAN_ID, VAE_ID):
        yield latentfu.Control("first", "First", "more of it", generator.id, FirstNumber)


class FirstNumber(latentfu.ControlEffect):
    """Moves the first number of z."""

    def apply(
        self, latent: latentfu.Latent, strength: float, generator: latentfu.Generator
    ) -> latentfu.Latent:
        codes = latent.codes.clone()
        codes[:, 0] += strength
        return latent.with_codes(codes)
