"""Networks are known by their tensors; what is made for one never replaces another's, and goes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import Direction, own_directions_dir, read_direction, save_direction
from latentfu.cli.main import run as run_command
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.checkpoints.import_checkpoint import generators_folder, path_of

REFERENCE = Path(__file__).parent.parent / "reference" / "checkpoints" / "rosinality-pt"
FIRST, SECOND = (next((REFERENCE / name).glob("*.pt")) for name in ("cm1", "config-f-cm2"))
PUBLISHED = Path(__file__).parent.parent / "directions" / "published"
Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A command as a new process would run it: what is installed is looked for anew."""
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))

    def once(*words: object) -> int:
        with use_registry(Registry(all_sources())):
            return run_command([str(word) for word in words])

    yield once


def id_of(name: str) -> str:
    return latentfu.weights_id(path_of(name))


def direction(generator: str, name: str = "smile", scale: float = 1.0) -> Direction:
    width = latentfu.open_generator(path_of(generator)).w_dim
    vector = scale * np.linspace(0.5, 1, width, dtype=np.float32)
    return Direction(vector, "w", name, id_of(generator), generator=generator)


def test_the_id_is_of_the_tensors_whatever_is_said_of_them(run: Run, tmp_path: Path) -> None:
    found = {}
    for words in ([], ["--domain", "faces"], ["--licence", "mine"]):
        assert run("generators", "import", FIRST, "--name", "net", *words) == 0
        found[id_of("net")] = latentfu.file_sha256(path_of("net"))
        assert run("generators", "export", "net", "-o", tmp_path / "net.safetensors") == 0
        assert run("generators", "remove", "net", "--yes") == 0
    assert len(found) == 1
    # A file that was exported, and one whose label is changed, are the same network too.
    for words in ([], ["--domain", "cats"]):
        assert run("generators", "import", tmp_path / "net.safetensors", "--name", "n", *words) == 0
        assert {id_of("n")} == set(found)
        assert run("generators", "remove", "n", "--yes") == 0


def test_the_file_of_an_earlier_version_keeps_its_id(run: Run, tmp_path: Path) -> None:
    assert run("generators", "import", FIRST, "--name", "net") == 0
    tensors = latentfu.read_tensors(path_of("net"))
    metadata = {k: v for k, v in latentfu.read_metadata(path_of("net")).items() if k != "id"}
    latentfu.write_tensors(tmp_path / "old.safetensors", tensors, metadata)
    assert run("generators", "import", tmp_path / "old.safetensors", "--name", "old") == 0
    assert id_of("old") == latentfu.file_sha256(path_of("old")) != id_of("net")
    assert latentfu.open_generator(path_of("old")).id == id_of("old")


def test_weights_that_are_there_are_not_brought_twice(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("generators", "import", FIRST, "--name", "first") == 0
    state = torch.load(FIRST, weights_only=True)
    torch.save({"generator": state["g_ema"], "latent_avg": state["latent_avg"]}, tmp_path / "x.pt")
    capsys.readouterr()
    assert run("generators", "import", tmp_path / "x.pt", "--name", "second") == 1
    assert "installed already, as first" in capsys.readouterr().err
    assert [path.name for path in path_of("first").parent.iterdir()] == ["first.safetensors"]


def test_two_networks_each_have_a_smile(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name, file in (("first", FIRST), ("second", SECOND)):
        assert run("generators", "import", file, "--name", name) == 0
        save_direction(direction(name))
    for name in ("first", "second"):
        capsys.readouterr()
        assert run("directions", "show", "smile", "--generator", name) == 0
    assert len(list(own_directions_dir().glob("*.safetensors"))) == 2
    assert run("directions", "remove", "smile") == 1
    assert "each of first, second" in capsys.readouterr().err
    assert run("directions", "rename", "smile", "grin", "--generator", "second") == 0
    assert run("directions", "remove", "smile") == 0
    (left,) = own_directions_dir().glob("*.safetensors")
    assert left.name == "grin.safetensors"
    assert np.array_equal(read_direction(left).vector, direction("second").vector)
    assert read_direction(left).name == "grin"
    assert run("directions", "remove", "smile") == 1
    assert "there are: grin" in capsys.readouterr().err


def test_own_work_is_kept_when_it_is_made_anew_and_never_imported_over(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("generators", "import", FIRST, "--name", "net") == 0
    mine = save_direction(direction("net", "my-look"))
    before = mine.read_bytes()
    other = direction("net", "my-look", scale=-2.0)
    np.save(tmp_path / "other.npy", other.vector[::-1])
    words = ("directions", "import", tmp_path / "other.npy", "--generator", "net")
    assert run(*words, "--name", "my-look") == 1
    assert "You have a direction 'my-look'" in capsys.readouterr().err
    assert mine.read_bytes() == before
    save_direction(other)
    save_direction(direction("net", "my-look", scale=3.0))
    kept = sorted((own_directions_dir() / "replaced").iterdir())
    assert [path.name for path in kept] == ["my-look.1.safetensors", "my-look.2.safetensors"]
    assert kept[0].read_bytes() == before


@pytest.mark.parametrize("everything", [True, False])
def test_a_removed_network_says_what_hangs_on_it(
    everything: bool, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("generators", "import", FIRST, "--name", "net") == 0
    save_direction(direction("net"))
    save_direction(direction("net", "grin"))
    capsys.readouterr()
    assert (
        run("generators", "remove", "net", "--yes", *(["--everything"] if everything else [])) == 0
    )
    said = capsys.readouterr().out
    assert ("Removed with it" if everything else "Kept what you have for it") in said
    assert "2 directions" in said
    assert len(list(own_directions_dir().glob("*.safetensors"))) == (0 if everything else 2)


def labelled(tmp_path: Path, name: str, domain: str, weights: str) -> Path:
    """A network of w 512 with labels as a download writes them."""
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config

    config = StyleGAN2Config(
        resolution=16, z_dim=512, w_dim=512, mapping_layers=1, channels=(8, 8, 8)
    )
    torch.manual_seed(len(name))
    network = StyleGAN2(config)
    metadata = {
        "architecture": network.architecture,
        "config": config.to_json(),
        "domain": domain,
        "id": "tensors-1",
    }
    if weights:
        metadata["weights"] = weights
    tensors = {k: v.detach().contiguous() for k, v in network.state_dict().items()}
    latentfu.write_tensors(tmp_path / f"{name}.safetensors", tensors, metadata)
    return tmp_path / f"{name}.safetensors"


@pytest.mark.parametrize(
    ("domain", "weights", "code", "said"),
    [
        ("faces", "StyleGAN2 FFHQ config-f", 0, ""),
        ("faces", "stylegan2-ffhq-1024", 1, "rosinality-ffhq"),
        ("faces", "", 0, "its file does not say"),
        ("cats", "", 1, "which draws faces, and net draws cats"),
        ("unknown", "", 0, "its file does not say"),
    ],
)
def test_a_set_for_other_weights_is_refused_by_name(
    domain: str,
    weights: str,
    code: int,
    said: str,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("generators", "import", labelled(tmp_path, "net", domain, weights)) == 0
    capsys.readouterr()
    smile = PUBLISHED / "smile.pt"
    assert run("directions", "import", smile, "--generator", "net", "--layers", "0-4") == code
    error = capsys.readouterr().err
    assert said in error if said else error == ""
    assert (
        run("directions", "import", smile, "--generator", "net", "--force", "--layers", "0-4") == 0
    )


def test_removing_a_network_asks_first_and_never_waits_without_a_terminal(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("generators", "import", FIRST, "--name", "net") == 0
    capsys.readouterr()
    for more in ([], ["--json"]):
        assert run("generators", "remove", "net", *more) == 1
        assert "Nobody can be asked here whether net may be removed" in "".join(capsys.readouterr())
    monkeypatch.setattr("sys.stdin", Terminal("n\ny\n"))
    assert run("generators", "remove", "net") != 0
    assert path_of("net").is_file()
    assert "Remove net?" in capsys.readouterr().err
    assert run("generators", "remove", "net") == 0
    assert "Removed net." in capsys.readouterr().out
    assert not (generators_folder() / "net.safetensors").exists()


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True
