"""Files of every kind, damaged at random: each is read, or refused in a sentence.

``LATENTFU_FUZZ`` is how many times longer than usual it goes on (``nox -s fuzz``). What breaks
a reader is written to tests/security/found, made as small as it can be; all of it is read again
each time.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from latentfu.cli.pictures import read_mask, read_picture_file
from latentfu.core.errors import LatentFuError, PluginFailedError
from latentfu.core.latent import Inversion, Quality
from latentfu.core.setting import Setting
from latentfu.plugin_manager.default_choice import DEFAULT_GENERATOR, read_default_generator
from latentfu.plugin_manager.sources import read_choices
from latentfu.protocol.remote_server import read_known_servers
from latentfu.protocol.server_address import read_address
from latentfu.sandbox.parent import read_foreign
from latentfu.storage.deformations import (
    Deformation,
    deformations_in,
    read_deformation,
    write_deformation,
)
from latentfu.storage.directions import Direction, read_direction, write_direction
from latentfu.storage.inversion_cache import InversionStore, load_inversion, serialize_inversion
from latentfu.storage.layer_store import LayerStore, read_pixels
from latentfu.storage.settings import read_idle_minutes, read_setting
from latentfu.storage.users import UserList, read_users
from latentfu.testing.tiny import TinyGenerator
from latentfu_builtin.deformations.read_published import read_published
from latentfu_builtin.encoders.encoder_file import load_encoder, save_encoder
from latentfu_builtin.encoders.import_encoder import (
    find_encoder_in_tree,
    import_encoder,
    load_published_encoder,
    read_checkpoint_tree,
)
from latentfu_builtin.encoders.user_files import list_encoder_file
from latentfu_builtin.networks.encoders.pyramid_encoder import EncoderConfig, PictureEncoder
from latentfu_builtin.networks.pix2pixhd.generator import open_network
from latentfu_builtin.networks.pix2pixhd.network import (
    Pix2PixHD,
    Pix2PixHDConfig,
    save_pix2pixhd,
)
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from PIL import Image

from tests.support.encoder_world import PUBLISHED, opened, weights
from tests.support.mutations import damaged, damaged_json, damaged_safetensors
from tests.support.serving import pixel_body

FOUND = Path(__file__).parent / "found"
LONGER = float(os.environ.get("LATENTFU_FUZZ", "1"))
TINY = TinyGenerator()
KEY = "5" * 64
_CONV = "synthesis.convs.0.weight"
MOST_MORE_MB = 1500
"""What reading one of these small files may take; torch's own start is in it."""


@dataclass(frozen=True)
class Kind:
    """``whole``: a good file, and what is made of it. ``read``: what the program does with one."""

    whole: Callable[[], bytes]
    spoil: Callable[[bytes], st.SearchStrategy[bytes]]
    read: Callable[[Path], object]
    name: str = "file"
    examples: int = 60


def _picture(format: str) -> Callable[[], bytes]:
    def make() -> bytes:
        noise = np.random.default_rng(3).integers(0, 256, (24, 20, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(noise).save(file, format)
        return file.getvalue()

    return cache(make)


@cache
def _direction() -> bytes:
    with TemporaryDirectory() as folder:
        vector = np.ones(8, np.float32)
        direction = Direction(vector, "z", "smile", "a" * 64, leakage={"age": 0.1}, layers=(0, 1))
        return write_direction(Path(folder) / "d.safetensors", direction).read_bytes()


@cache
def _inversion() -> bytes:
    latent = TINY.mean_latent()
    quality = Quality(psnr=30.0, perceptual=0.1, perceptual_name="x", seconds=1.0)
    return serialize_inversion(KEY, Inversion(latent=latent, quality=quality, method="x", steps=3))


@cache
def _checkpoint() -> bytes:
    file = io.BytesIO()
    torch.save({"g_ema": {"weight": torch.ones(3, 4)}, "step": 3}, file)
    return file.getvalue()


def _written(write: Callable[[Path], object]) -> Callable[[], bytes]:
    """What is written to a file, made once."""

    def make() -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "whole.safetensors"
            write(path)
            return path.read_bytes()

    return cache(make)


@cache
def _small() -> StyleGAN2Generator:
    with TemporaryDirectory() as folder:
        found = opened(weights(Path(folder), resolution=8, w_dim=8))
    assert isinstance(found, StyleGAN2Generator)
    return found


@cache
def _wide() -> StyleGAN2Generator:
    """Which the published encoder is for."""
    with TemporaryDirectory() as folder:
        found = opened(weights(Path(folder), resolution=64))
    assert isinstance(found, StyleGAN2Generator)
    return found


def _shift() -> np.ndarray:
    noise = np.random.default_rng(3).standard_normal(tuple(_small().parameter(_CONV).shape))
    return noise.astype(np.float32)


def _write_deformation(path: Path) -> None:
    effect = {"age": 0.5}
    write_deformation(path, Deformation(_shift(), _CONV, 0, "nose", _small().id, effect=effect))


def _write_encoder(path: Path) -> None:
    encoder = PictureEncoder(EncoderConfig(8, (4, 8), "w+", (4, 6), 8))
    save_encoder(path, encoder, "a" * 64, {})


def _write_foreign_encoder(path: Path) -> None:
    checkpoint = find_encoder_in_tree(read_checkpoint_tree(PUBLISHED / "e4e-small.pt"))
    import_encoder(checkpoint, _wide(), path, force=True)


def _write_label_network(path: Path) -> None:
    save_pix2pixhd(path, Pix2PixHD(Pix2PixHDConfig(5, True, 0, 4, 2, 1, 1, 1, 32, 16)), {})


@cache
def _published_deformation() -> bytes:
    file = io.BytesIO()
    torch.save({"layer_ix": 0, "shift": torch.from_numpy(_shift())[None, None]}, file)
    return file.getvalue()


def _read_deformation(path: Path) -> object:
    listed = deformations_in(path.parent, _small().id)  # never fails, whatever lies there
    found = read_deformation(path)
    for control in listed:
        latent = control.load().apply(_small().mean_latent(), 1.0, _small())
        _small().render(latent)
    return found


def _read_encoder(path: Path) -> object:
    list_encoder_file(path)  # likewise
    return load_encoder(path)


def _read_cached(path: Path) -> object:
    store = InversionStore(path.parent)
    return store.get(KEY, TINY)


def _receive(path: Path) -> object:
    import hashlib

    body = path.read_bytes()
    name = hashlib.sha256(body).hexdigest()
    store = LayerStore(path.parent / "layers")
    with store.receive(name) as upload:
        upload.write(body)
    return read_pixels(store.path(name))


def _read_mask(path: Path) -> object:
    like = read_picture_file(_beside(path, "like.png", _picture("PNG")()))
    return read_mask(path, like)


def _beside(path: Path, name: str, content: bytes) -> Path:
    other = path.with_name(name)
    other.write_bytes(content)
    return other


def _in_settings(name: str, read: Callable[[], object]) -> Callable[[Path], object]:
    """Read it as a file of that name in the settings folder."""

    def run(path: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LATENTFU_HOME", str(path.parent / "home"))
            folder = path.parent / "home" / "config"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(path.read_bytes())
            return read()

    return run


def _never_raises(read: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        try:
            return read()
        except LatentFuError as error:
            raise AssertionError("it must not be refused") from error

    return run


def _settings_file(name: str, document: object, read: Callable[[], object]) -> Kind:
    def spoil(whole: bytes) -> st.SearchStrategy[bytes]:
        return damaged(whole) | damaged_json(document)

    return Kind(lambda: json.dumps(document).encode(), spoil, _in_settings(name, read))


SPOUT = Setting("teapots", "spout", "Spout", 1, "number")
USERS = {
    "format": "latentfu-users-1",
    "users": [{"id": "a" * 16, "name": "ana", "role": "edit", "created": 1.0, "sha256": "b" * 64}],
}
SERVERS = {
    "used": "https://a.lan",
    "servers": {"https://a.lan": {"token": "t", "fingerprint": "c" * 64}},
}
PLUGINS = {"disabled": ["a"], "preferred": ["b"]}
ADDRESS = {"host": "127.0.0.1", "port": 7860, "pid": 1, "version": "0"}


def _tensors(inside: str) -> Callable[[bytes], st.SearchStrategy[bytes]]:
    return lambda whole: damaged(whole) | damaged_safetensors(whole, inside)


KINDS = {
    "png": Kind(_picture("PNG"), damaged, read_picture_file),
    "jpeg": Kind(_picture("JPEG"), damaged, read_picture_file),
    "webp": Kind(_picture("WEBP"), damaged, read_picture_file),
    "tiff": Kind(_picture("TIFF"), damaged, read_picture_file),
    "mask": Kind(_picture("PNG"), damaged, _read_mask, "mask.png"),
    "layer": Kind(pixel_body, damaged, _receive),
    "layer-png": Kind(_picture("PNG"), damaged, _receive),
    "direction": Kind(_direction, _tensors("direction"), read_direction),
    "cached": Kind(_inversion, _tensors("inversion"), _read_cached, f"{KEY}.safetensors"),
    "latent": Kind(_inversion, _tensors("inversion"), lambda path: load_inversion(path, TINY)),
    "deformation": Kind(_written(_write_deformation), _tensors("deformation"), _read_deformation),
    "encoder": Kind(_written(_write_encoder), _tensors("config"), _read_encoder),
    "foreign-encoder": Kind(
        _written(_write_foreign_encoder),
        _tensors("sizes"),
        lambda path: load_published_encoder(path, _wide()),
        examples=30,
    ),
    "network": Kind(
        _written(lambda path: path.write_bytes(weights(path.parent, 8, 8).read_bytes())),
        _tensors("config"),
        StyleGAN2Generator.open,
    ),
    "label-network": Kind(
        _written(_write_label_network), _tensors("config"), lambda path: open_network(path, "cpu")
    ),
    "published-deformation": Kind(
        _published_deformation,
        damaged,
        lambda path: read_published(path, _small()),
        "layer0.pt",
        examples=6,
    ),
    "encoder-checkpoint": Kind(
        (PUBLISHED / "e4e-small.pt").read_bytes,
        damaged,
        lambda path: find_encoder_in_tree(read_checkpoint_tree(path)),
        "encoder.pt",
        examples=6,
    ),
    "checkpoint": Kind(_checkpoint, damaged, read_foreign, "network.pt", examples=6),
    "settings": _settings_file(
        "settings.json", {"teapots": {"spout": 3}}, _never_raises(lambda: read_setting(SPOUT))
    ),
    "idle": _settings_file("idle-stop.json", {"minutes": 30}, _never_raises(read_idle_minutes)),
    "address": _settings_file("server.json", ADDRESS, _never_raises(read_address)),
    "users": _settings_file("users.json", USERS, read_users),
    "known-users": _settings_file(
        "users.json", USERS, _never_raises(lambda: UserList().find("lfu_guess"))
    ),
    "servers": _settings_file("servers.json", SERVERS, read_known_servers),
    "plugins": _settings_file("plugins.json", PLUGINS, read_choices),
    "default": _settings_file(
        "settings.json",
        {DEFAULT_GENERATOR.plugin: {DEFAULT_GENERATOR.name: "a"}},
        _never_raises(read_default_generator),
    ),
}


def try_reading(kind: Kind, content: bytes) -> None:
    """Read it, or be refused in one sentence; anything else is a mistake of ours."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / kind.name
        path.write_bytes(content)
        before = _peak_mb()
        try:
            kind.read(path)
        except LatentFuError as error:
            assert len(str(error).splitlines()) == 1, error
            assert "Traceback" not in str(error)
            assert not isinstance(error, PluginFailedError), error
        assert _peak_mb() - before < MOST_MORE_MB


def _peak_mb() -> int:
    """The most memory that this process had; 0 on Windows."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_file_is_read(name: str) -> None:
    kind = KINDS[name]
    with TemporaryDirectory() as folder:
        path = Path(folder) / kind.name
        path.write_bytes(kind.whole())
        kind.read(path)


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(name: str) -> None:
    kind = KINDS[name]

    @settings(
        max_examples=max(1, round(kind.examples * LONGER)),
        deadline=None,
        derandomize=LONGER == 1,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(kind.spoil(kind.whole()))
    def spoil(content: bytes) -> None:
        try:
            try_reading(kind, content)
        except BaseException:
            (FOUND / f"{name}-new").write_bytes(content)  # the last one is the smallest
            raise

    spoil()


@pytest.mark.parametrize(
    "path", [path for path in sorted(FOUND.iterdir()) if path.suffix != ".md"], ids=str
)
def test_what_broke_once_breaks_no_more(path: Path) -> None:
    kind = KINDS[path.name.rpartition("-")[0]]
    try_reading(kind, path.read_bytes())
