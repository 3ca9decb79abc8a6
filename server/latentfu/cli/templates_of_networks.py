"""What ``latentfu plugins new`` writes for networks: module and test of each.

Each module works as it is, and its test holds it to the contract; see plugin_kinds.
"""

from __future__ import annotations

GENERATOR = (
    '''\
"""A generator: a network of yours behind the interface of latentfu.Generator."""

from __future__ import annotations

import hashlib
from typing import Any

import latentfu

SIDE, Z_DIM = 32, 16


def weights() -> Any:
    """The network's weights ``[Z_DIM, 3 * SIDE * SIDE]``; read yours from a file of the package."""
    import torch  # here, so that listing plug-ins stays fast

    waves = torch.linspace(0, 6.0, SIDE)
    grid = [(i / 3, j / 3) for i in range(4) for j in range(4)]
    planes = [torch.cos(i * waves[:, None] + j * waves[None]) for i, j in grid]
    colors = torch.eye(3).repeat(6, 1)[:Z_DIM] + 0.3
    return (colors[:, :, None, None] * torch.stack(planes)[:, None]).reshape(Z_DIM, -1) * 0.4


ID = hashlib.sha256(b"latentfu-$name 1").hexdigest()
"""Says which weights these are: change it with them (for a file: latentfu.file_sha256)."""


class Network(latentfu.Generator):
    """Pictures of 32 pixels from 16 numbers."""

    name = "$name"
    id = ID
    domain = "$name"
    resolution = SIDE
    spaces = ("z",)
    z_dim = Z_DIM

    def __init__(self, device: str) -> None:
        self._weights = weights().to(device)

    @property
    def device(self) -> Any:
        return self._weights.device

    def map(
        self, z: Any, psi: float = 1.0, cutoff: Any = None, labels: Any = None
    ) -> latentfu.Latent:
        return latentfu.Latent(z * psi, "z", self.id)

    def mean_latent(self) -> latentfu.Latent:
        return latentfu.Latent(self._weights.new_zeros(1, Z_DIM), "z", self.id)

    def render(self, latent: latentfu.Latent, noise: Any = "const", features: Any = None) -> Any:
        latent.check_generator(self.id)
        if features is not None:
            raise latentfu.BadInputError("The generator $name shows no layers.")
        return (latent.codes @ self._weights).tanh().reshape(-1, 3, SIDE, SIDE)


@latentfu.hookimpl
def latentfu_generators() -> list[latentfu.GeneratorSpec]:
    """Listed without loading anything."""
    return [
        latentfu.GeneratorSpec(
            name="$name",
            title="$name",
            domain="$name",
            resolution=SIDE,
            id=ID,
            load=Network,
            licence="Apache-2.0",
        )
    ]
''',
    """\
from latentfu.testing import check_generator

import $module


def test_the_generator_keeps_the_contract() -> None:
    (spec,) = $module.latentfu_generators()
    check_generator(spec)
""",
)

FORMAT = (
    '''\
"""A checkpoint format: a torch file of others becomes a network that can be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import latentfu


class Network(latentfu.Generator):
    """What the files of the format hold: one linear layer to pictures."""

    family = "$name"
    domain = "$name"
    spaces = ("z",)

    def __init__(self, path: Path, device: str) -> None:
        self.weight = latentfu.read_tensors(path)["weight"].to(device)  # [z_dim, 3 * R * R]
        self.id, self.name = latentfu.file_sha256(path), path.stem
        self.z_dim = self.weight.shape[0]
        self.resolution = round((self.weight.shape[1] / 3) ** 0.5)

    @property
    def device(self) -> Any:
        return self.weight.device

    def map(
        self, z: Any, psi: float = 1.0, cutoff: Any = None, labels: Any = None
    ) -> latentfu.Latent:
        return latentfu.Latent(z * psi, "z", self.id)

    def mean_latent(self) -> latentfu.Latent:
        return latentfu.Latent(self.weight.new_zeros(1, self.z_dim), "z", self.id)

    def render(self, latent: latentfu.Latent, noise: Any = "const", features: Any = None) -> Any:
        latent.check_generator(self.id)
        if features is not None:
            raise latentfu.BadInputError("This network shows no layers.")
        side = self.resolution
        return (latent.codes @ self.weight).tanh().reshape(-1, 3, side, side)


def convert(foreign: latentfu.ForeignFile) -> latentfu.ConvertedWeights | None:
    """The content of another project's file; None when it is another format's."""
    tensors = latentfu.tensors_of(foreign.content)
    if set(tensors) != {"decode.weight"}:
        return None
    weight = tensors["decode.weight"].T.copy()
    facts = {"format": "$name", "domain": "$name"}
    return latentfu.ConvertedWeights({"weight": weight}, facts)


@latentfu.hookimpl
def latentfu_checkpoint_formats() -> list[latentfu.CheckpointFormat]:
    """One name for reading others' files, one for opening what came of it."""
    return [
        latentfu.CheckpointFormat("$name-file", "Files of $name", convert=convert),
        latentfu.CheckpointFormat(
            "$name",
            "$name",
            detect=lambda path: latentfu.find_metadata(path).get("format") == "$name",
            load=Network,
        ),
    ]
''',
    """\
from pathlib import Path

import latentfu
import torch
from latentfu.testing import check_checkpoint_format

import $module


def test_a_file_is_known_and_others_are_not(tmp_path: Path) -> None:
    torch.save({"decode.weight": torch.randn(3 * 8 * 8, 4)}, tmp_path / "own.pt")
    torch.save({"other.weight": torch.randn(4, 4)}, tmp_path / "other.pt")
    reads, opens = $module.latentfu_checkpoint_formats()
    check_checkpoint_format(reads, tmp_path / "own.pt", tmp_path / "other.pt")
    assert reads.convert is not None
    made = reads.convert(latentfu.read_foreign(tmp_path / "own.pt", latentfu.silent))
    assert made is not None
    ours = tmp_path / "ours.safetensors"
    tensors = {name: torch.from_numpy(array) for name, array in made.tensors.items()}
    latentfu.write_tensors(ours, tensors, made.metadata)
    generator = check_checkpoint_format(opens, ours, tmp_path / "other.pt")
    assert generator is not None and generator.resolution == 8
""",
)

ENCODER = (
    '''\
"""An encoder: one pass from a picture to a latent, fitted here when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import latentfu

DOMAIN = "portraits"
"""For which generators; one that was trained for certain weights says their generator_id."""


def load(generator: latentfu.Generator) -> Callable[[Any], Any]:
    """Ridge regression from 8 x 8 pixels to the mean row of the codes; load your network here."""
    import torch  # here, so that listing plug-ins stays fast
    from torch.nn.functional import adaptive_avg_pool2d

    def shrink(pictures: Any) -> Any:
        flat = adaptive_avg_pool2d(pictures, 8).flatten(1)
        return torch.cat([flat, torch.ones_like(flat[:, :1])], dim=1)

    with torch.no_grad():
        latents = latentfu.random_latents(generator, 256, seed=0)
        parts = [generator.render(latents.with_codes(c)) for c in torch.split(latents.codes, 16)]
        x = shrink(torch.cat(parts).clamp(-1, 1))
        codes = latents.codes.mean(dim=1) if latents.codes.ndim == 3 else latents.codes
        square = x.T @ x + 1.0 * torch.eye(x.shape[1], device=x.device)
        solved = torch.linalg.solve(square, x.T @ codes)

    return lambda pictures: shrink(pictures) @ solved


def fits(generator: latentfu.Generator) -> bool:
    """Which generators it is for: those with one flat space."""
    return generator.domain == DOMAIN and generator.spaces == ("z",)


@latentfu.hookimpl
def latentfu_encoders() -> list[latentfu.Encoder]:
    """The inverters encoder and encoder-refined use it."""
    return [
        latentfu.Encoder(
            name="$name", title="$name", generator_id="", load=load, space="z", fits=fits
        )
    ]
''',
    """\
import pytest
from latentfu.testing import TinyGenerator, check_encoder

import $module


def test_the_encoder_keeps_the_contract(
    tiny_generator: TinyGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr($module, "DOMAIN", tiny_generator.domain)
    (encoder,) = $module.latentfu_encoders()
    check_encoder(encoder, tiny_generator)
""",
)

SCORER = (
    '''\
"""A scorer: reads attributes from pictures, for training directions and for reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import latentfu


def load(device: str) -> Callable[[Any], Any]:
    """Pictures ``[N, 3, R, R]`` in -1..1 -> ``[N, 2]``; load your network here."""
    import torch  # here, so that listing plug-ins stays fast

    def score(images: Any) -> Any:
        light = images.mean(dim=(1, 2, 3))
        warmth = (images[:, 0] - images[:, 2]).mean(dim=(1, 2))
        return torch.stack([light, warmth], dim=1).float()

    return score


@latentfu.hookimpl
def latentfu_scorers() -> list[latentfu.Scorer]:
    """latentfu directions train $name-light learns from it."""
    attributes = ("$name-light", "$name-warmth")
    return [latentfu.Scorer("$name", "Light and warmth", "portraits", attributes, load)]
''',
    """\
from latentfu.testing import check_scorer

import $module


def test_the_scorer_keeps_the_contract() -> None:
    (scorer,) = $module.latentfu_scorers()
    check_scorer(scorer)
""",
)

IDENTITY = (
    '''\
"""An identity: tells whether two pictures show the same person or thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import latentfu


def load(device: str) -> Callable[[Any], Any]:
    """Pictures ``[N, 3, R, R]`` in -1..1 -> ``[N, D]``, differentiable; load your network here."""
    from torch.nn.functional import adaptive_avg_pool2d

    return lambda images: adaptive_avg_pool2d(images, 4).flatten(1)


@latentfu.hookimpl
def latentfu_identities() -> list[latentfu.Identity]:
    """Inversions of generators of these domains are measured with it."""
    return [latentfu.Identity("$name", "$name", ("$name",), load)]
''',
    """\
from latentfu.testing import check_identity

import $module


def test_the_identity_keeps_the_contract() -> None:
    (identity,) = $module.latentfu_identities()
    check_identity(identity)
""",
)
