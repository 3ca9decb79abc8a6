"""A bundle of small files on servers of this machine, and a home whose tables lead to them."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from latentfu.cli.main import run as run_command
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources

from tests.support.downloads_server import Shelf

TESTS = Path(__file__).parents[1]
WIDTH = 16


def encoder_with_decoder() -> bytes:
    """An e4e checkpoint as its trainer writes it: encoder and rosinality's generator, 64 px."""
    whole = torch.load(TESTS / "encoders/published/e4e-small.pt", weights_only=True)
    (file,) = (TESTS / "reference/checkpoints/rosinality-pt/cm1").glob("*.pt")
    network = torch.load(file, weights_only=True)
    state = dict(whole["state_dict"])
    for name, tensor in network["g_ema"].items():
        narrow = (slice(None), slice(WIDTH)) if name.endswith("modulation.weight") else ()
        if name.startswith("style."):
            narrow = (slice(WIDTH),) * tensor.ndim
        state[f"decoder.{name}"] = tensor[narrow].clone()
    average = network["latent_avg"][:, :WIDTH].repeat(10, 1)
    out = io.BytesIO()
    torch.save({"state_dict": state, "latent_avg": average, "opts": whole["opts"]}, out)
    return out.getvalue()


def make_grin() -> bytes:
    """A direction of the network's width, as a numpy file."""
    out = io.BytesIO()
    np.save(out, np.linspace(-1, 1, WIDTH, dtype=np.float32)[None])
    return out.getvalue()


NETWORK, GRIN = encoder_with_decoder(), make_grin()


@dataclass
class BundleWorld:
    """Two servers, a home whose tables lead to them, and commands as new processes run them."""

    home: Path
    network: Shelf
    grin: Shelf
    network_hash: str = ""
    places: list[str] = field(default_factory=list)

    def offer(self, grin_hash: str = hashlib.sha256(GRIN).hexdigest()) -> None:
        data = self.home / "data"
        data.mkdir(parents=True, exist_ok=True)
        known = f', sha256 = "{self.network_hash}"' if self.network_hash else ""
        (data / "networks.toml").write_text(
            '[[source]]\ntitle = "Tests"\nlicence = "CC BY-NC 4.0"\nnon_commercial = true\n'
            'page = "https://example.org/terms"\nformat = "encoder-decoder"\n'
            f'address = "{self.network.url}/{{file}}"\nnetworks = [ {{ name = "small-e4e", file = '
            f'"e4e.pt", domain = "faces", resolution = 64{known} }} ]\n'
        )
        (data / "bundles.toml").write_text(
            '[[bundle]]\nname = "small"\ntitle = "Small faces"\nnetwork = "small-e4e"\n'
            'called = "tiny"\nencoder = true\ndirections = [ { file = "grin.npy", address = '
            f'"{self.grin.url}/grin.npy", sha256 = "{grin_hash}", licence = "MIT", '
            'page = "https://example.org/mit" } ]\n'
        )

    def run(self, *words: str) -> int:
        with use_registry(Registry(all_sources())):
            return run_command(list(words))

    def installed(self, kind: str) -> list[str]:
        return sorted(path.name for path in (self.home / "data" / kind).glob("*"))
