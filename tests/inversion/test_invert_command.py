"""latentfu invert and latentfu bench inversion as a person types them, on real files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import latentfu
import latentfu_builtin.benchmarks.plugin
import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import Source
from PIL import Image

from tests.support import small_world


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


QUICK = ("--generator", "small", "--inverter", "w-plus", "--losses", "pixels", "--steps", "12")


@pytest.fixture
def program(
    isolated_home: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ran]]:
    sources = [
        Source("small", "tests", "", lambda: small_world.PLUGIN),
        Source("inversion", "tests", "", lambda: latentfu_builtin.inversion.plugin),
        Source("benchmarks", "tests", "", lambda: latentfu_builtin.benchmarks.plugin),
    ]

    def call(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    with use_registry(Registry(sources)):
        yield call


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(small_world.picture(40, 50, 3, number).pixels).save(
            folder / f"p{number}.png"
        )
    return folder


def cached(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "cache" / "inversions").glob("*"))


@pytest.mark.parametrize("ending", ["gif", "webp", "mp4", "avi"])
def test_a_latent_its_picture_and_a_film_of_the_way(
    program: Callable[..., Ran], photos: Path, tmp_path: Path, ending: str
) -> None:
    out, image, film = tmp_path / "x.safetensors", tmp_path / "x.png", tmp_path / f"x.{ending}"
    ran = program("invert", photos / "p0.png", "-o", out, *QUICK, "--save-image", image,
                  "--video", film, "--save-frequency", "4", "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    told = ran.json
    assert told["inverter"] == "w-plus" and told["steps"] == 12
    assert told["seconds"] == pytest.approx(sum(told["parts"].values()))
    found = latentfu.load_inversion(out, small_world.small_generator())
    shown = small_world.small_generator().render(found.latent)[0].detach().clamp(-1, 1)
    levels = ((shown.permute(1, 2, 0) + 1) * 127.5).round().numpy()
    assert np.abs(np.asarray(Image.open(image), float) - levels).max() <= 1
    if ending in ("gif", "webp"):
        with Image.open(film) as opened:
            assert opened.n_frames == 4 and opened.size == (256, 256)
    else:
        assert film.stat().st_size > 1000


def test_a_folder_goes_on_where_it_stopped(
    program: Callable[..., Ran], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (photos / "bad.png").write_bytes(b"no picture")
    Image.new("RGB", (60, 60)).save(photos / "black.png")
    Image.new("RGB", (12, 12), (1, 200, 3)).save(photos / "tiny.png")
    first = program("invert", photos, "-o", out, *QUICK, "--json")
    assert first.code == 1 and len(first.json["pictures"]) == 6
    rows = {
        row["picture"]: row for row in json.loads((out / "qualities.json").read_text())["pictures"]
    }
    assert [name for name in rows if "error" in rows[name]] == ["bad.png", "black.png", "tiny.png"]
    assert "flat color" in rows["black.png"]["error"] and "16 x 16" in rows["tiny.png"]["error"]
    for name in ("bad.png", "black.png", "tiny.png"):
        (photos / name).unlink()
    (out / "p1.safetensors").unlink()
    before = (out / "p0.safetensors").stat().st_mtime_ns
    second = program("invert", photos, "-o", out, *QUICK, "--json")
    assert second.code == 0
    states = [row["state"] for row in second.json["pictures"]]
    assert states == ["there already", "cached", "there already"]
    judged = [rows[f"p{number}.png"]["outside"] for number in range(3)]
    assert [row["outside"] for row in second.json["pictures"]] == judged
    told = program("invert", photos, "-o", out, *QUICK)
    assert told.out.count("outside what the network can show") == sum(judged)
    assert (out / "p0.safetensors").stat().st_mtime_ns == before
    others = program("invert", photos, "-o", out, *QUICK[:-1], "13", "--json")
    assert [row["state"] for row in others.json["pictures"]] == ["found"] * 3


def test_a_folder_gives_what_its_pictures_give_alone(
    program: Callable[..., Ran], photos: Path, tmp_path: Path
) -> None:
    program("invert", photos, "-o", tmp_path / "out", *QUICK, "--batch", "3")
    alone = tmp_path / "alone.safetensors"
    program("invert", photos / "p2.png", "-o", alone, *QUICK, "--again")
    generator = small_world.small_generator()
    together = latentfu.load_inversion(tmp_path / "out" / "p2.safetensors", generator)
    one = latentfu.load_inversion(alone, generator)
    assert np.allclose(together.latent.codes.numpy(), one.latent.codes.numpy(), atol=2e-3)


def test_a_folder_shows_what_its_latents_show_beside_what_they_were_found_for(
    program: Callable[..., Ran], photos: Path, tmp_path: Path
) -> None:
    out, shown, coupled = tmp_path / "out", tmp_path / "shown", tmp_path / "coupled"
    first = program("invert", photos, "-o", out, *QUICK, "--save-image", shown, "--json")
    assert first.code == 0, first.err
    again = program(
        "invert", photos, "-o", out, *QUICK, "--save-image", coupled, "--coupled", "--json"
    )
    assert [row["state"] for row in again.json["pictures"]] == ["cached"] * 3
    side = small_world.small_generator().resolution
    one = tmp_path / "one.png"
    alone = program("invert", photos / "p1.png", "-o", tmp_path / "x.safetensors", *QUICK,
                    "--save-image", one, "--coupled")  # fmt: skip
    assert alone.code == 0, alone.err
    for number in range(3):
        picture = np.asarray(Image.open(shown / f"p{number}.png"), float)
        both = np.asarray(Image.open(coupled / f"p{number}.png"), float)
        assert picture.shape == (side, side, 3)
        assert both.shape == (side, 2 * side, 3)
        assert np.array_equal(both[:, side:], picture)
        assert not np.array_equal(both[:, :side], picture)
    two = np.asarray(Image.open(coupled / "p1.png"), float)
    assert np.abs(np.asarray(Image.open(one), float) - two).max() <= 2
    refused = program("invert", photos, "-o", out, *QUICK, "--coupled")
    assert refused.code == 2
    assert "--save-image" in refused.err


@pytest.mark.parametrize(("arguments", "code", "word"), [
    (("--quality", "perfect"), 2, "perfect"),
    (("--eyes", "1,2,3", "--mouth", "1,2"), 2, "x,y,x,y"),
    (("--eyes", "10,10,20,10"), 1, "both"),
    (("--corners", "0,0,0,30,30,30,30,0"), 1, "wrong way"),
    (("--face", "2"), 1, "no face 2"),
    (("--option", "speed=3"), 1, "no option 'speed'"),
    (("--option", "speed"), 2, "prior=0.01"),
    (("--losses", "lpips"), 1, "backbones download"),
    (("--start", "nowhere"), 1, "neither mean"),
    (("--inverter", "instant", "--quality", "best"), 1, "has no quality"),
    (("--video", "film.mov"), 1, "not a film"),
])  # fmt: skip
def test_what_can_not_be_done_is_one_sentence_and_leaves_nothing(
    program: Callable[..., Ran], photos: Path, tmp_path: Path, isolated_home: Path,
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, word: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    out = tmp_path / "x.safetensors"
    ran = program("invert", photos / "p0.png", "-o", out, *QUICK, *arguments)
    assert (ran.code, out.exists()) == (code, False), ran.err
    assert word in ran.err and "Traceback" not in ran.err
    assert cached(isolated_home) == []


def test_points_by_hand_place_the_crop(
    program: Callable[..., Ran], photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "x.safetensors"
    for place in (
        ("--corners", "5,5,35,5,35,35,5,35"),
        ("--eyes", "20,15,28,15", "--mouth", "24,24"),
    ):
        assert program("invert", photos / "p0.png", "-o", out, *QUICK, *place).code == 0


def test_the_benchmark_measures_every_method_and_draws_it(
    program: Callable[..., Ran], photos: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.png"
    ran = program("bench", "inversion", "--generator", "small", "--images", photos, "--count", "1",
                  "--inverter", "instant", "--inverter", "w-plus",
                  "--plot", plot, "--json")  # fmt: skip
    assert ran.code == 0, ran.err
    rows = {row["method"]: row for row in ran.json["rows"]}
    assert set(rows) == {"instant", "w-plus (draft)", "w-plus (good)", "w-plus (best)"}
    assert rows["w-plus (best)"]["psnr"] > rows["instant"]["psnr"]
    with Image.open(plot) as image:
        assert image.size == (960, 600) and len(image.getcolors(1 << 20) or []) > 3
    table = program("bench", "inversion", "--generator", "small", "--count", "1",
                    "--inverter", "instant")  # fmt: skip
    assert "instant" in table.out and "dB" in table.out
    own = program("bench", "inversion", "--generator", "small", "--own", "--count", "1",
                  "--inverter", "w-plus", "--quality", "draft", "--json")  # fmt: skip
    assert [row["method"] for row in own.json["rows"]] == ["w-plus (draft)"]
    assert own.json["rows"][0]["cpu_seconds"] > 0
    unread = program("bench", "inversion", "--generator", "small", "--edits", "2")
    assert unread.code == 1 and "No scorer" in unread.err
    wrong = program("bench", "inversion", "--generator", "small", "--inverter", "nobody")
    assert wrong.code == 1 and "no inverter 'nobody'" in wrong.err


def test_losses_are_listed(program: Callable[..., Ran]) -> None:
    assert {"l1", "vgg16", "lpips", "identity"} <= {
        row["name"] for row in program("losses", "list", "--json").json
    }
