"""Codes that other tools wrote are read by their shape, and drawn as they were meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, Generator, load_latent


@pytest.fixture(scope="module")
def generator() -> Generator:
    return latentfu.open_generator("portraits", "cpu")


def w(generator: Generator) -> Any:
    return generator.map(
        torch.randn(1, generator.z_dim, generator=torch.Generator().manual_seed(3))
    )


Write = Callable[[Path, np.ndarray[Any, Any]], None]


def saved(make: Callable[[torch.Tensor], Any]) -> Write:
    return lambda path, codes: torch.save(make(torch.from_numpy(codes)), path)


WAYS: dict[str, tuple[str, Write]] = {
    "e4e's array": ("a.npy", np.save),
    "without the picture's number": ("a.npy", lambda p, c: np.save(p, c[0])),
    "laid flat": ("a.npy", lambda p, c: np.save(p, c.reshape(1, -1))),
    "double, big endian, Fortran": (
        "a.npy",
        lambda p, c: np.save(p, np.asfortranarray(c.astype(">f8"))),
    ),
    "stylegan3's projector": ("projected_w.npz", lambda p, c: np.savez(p, w=c)),
    "beside names": ("a.npz", lambda p, c: np.savez(p, w=c, names=np.array(["x"]))),
    "PTI's tensor": ("a.pt", saved(lambda c: c)),
    "a parameter": ("a.pt", saved(torch.nn.Parameter)),
    "a list": ("a.pt", saved(lambda c: [c])),
    "rosinality's projector": (
        "a.pt",
        saved(
            lambda c: {
                "photo.png": {"img": torch.zeros(3, 8, 8), "latent": c[0], "noise": [c[:, :1]]}
            }
        ),
    ),
    "a pickle": ("a.pkl", lambda p, c: p.write_bytes(__import__("pickle").dumps({"w_plus": c}))),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_code_in_w_plus_is_read_as_it_was_written(
    way: str, generator: Generator, tmp_path: Path
) -> None:
    name, write = WAYS[way]
    codes = w(generator).codes
    codes = codes if codes.ndim == 3 else codes[:, None].repeat(1, generator.num_ws, 1)
    codes = codes * torch.linspace(0.5, 1, generator.num_ws)[:, None]
    write(tmp_path / name, codes.numpy())
    found = load_latent(tmp_path / name, generator)
    assert found.space == "w+" and torch.allclose(found.codes, codes)
    with torch.no_grad():
        assert generator.render(found).isfinite().all()


@pytest.mark.parametrize("shape", [(256,), (1, 256), (1, 1, 256)])
def test_a_code_in_w_is_read(shape: tuple[int, ...], generator: Generator, tmp_path: Path) -> None:
    code = np.linspace(-1, 1, 256, dtype="f4").reshape(shape)
    np.save(tmp_path / "w.npy", code)
    found = load_latent(tmp_path / "w.npy", generator)
    assert found.codes.shape[-1] == 256 and np.allclose(found.codes[0].reshape(-1, 256)[0], code)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((18, 512), "f4"), r"takes 12 layers of 256 .*it has \[18, 512\]"),
        (np.zeros((3, 12, 256), "f4"), "holds 3 codes"),
        (np.full((1, 12, 256), np.nan, "f4"), "holds no code of portraits"),
        (np.array(["text"]), "was not read"),
    ],
)
def test_what_is_no_code_is_said_in_one_sentence(
    array: Any, said: str, generator: Generator, tmp_path: Path
) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(BadInputError, match=said):
        load_latent(tmp_path / "a.npy", generator)


def test_an_inversion_starts_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generator: Generator
) -> None:
    from latentfu.cli.main import run
    from PIL import Image

    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    latent = w(generator)
    with torch.no_grad():
        pixels = generator.render(latent)[0].clamp(-1, 1).permute(1, 2, 0)
    picture = tmp_path / "p.png"
    Image.fromarray(((pixels + 1) * 127.5).round().byte().numpy()).save(picture)
    np.save(tmp_path / "code.npy", latent.codes.numpy())
    words = ["invert", str(picture), "-o", str(tmp_path / "c.safetensors")]
    side = generator.resolution
    square = f"0,0,{side},0,{side},{side},0,{side}"
    start = ["--start", str(tmp_path / "code.npy"), "--inverter", "optimise", "--steps", "1"]
    assert run([*words, "--corners", square, *start]) == 0
    found = latentfu.load_inversion(tmp_path / "c.safetensors", generator)
    assert found.quality.psnr > 30
