"""``latentfu generators download``: from a name to a generator that draws, over real HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import latentfu
import pytest
from click.testing import CliRunner
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.checkpoints.cli import download_command
from latentfu_builtin.checkpoints.downloads.catalogue import list_known

from tests.support.downloads_server import Reply, Shelf, serving

FILE = (
    Path(__file__).parent.parent / "reference/checkpoints/rosinality-pt/cm1/network.pt"
).resolve()
CONTENT = FILE.read_bytes()
SHA = hashlib.sha256(CONTENT).hexdigest()
TERMS = "CC BY-NC 4.0"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LATENTFU_MIRROR", raising=False)
    with use_registry(Registry(all_sources())):
        yield tmp_path / "home"


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving(CONTENT) as made:
        yield made


def offer(home: Path, url: str, **more: object) -> None:
    """Put a network called small into the person's own list."""
    entry = {"name": "small", "file": "network.pt", "domain": "faces", "resolution": 64} | more
    inside = ", ".join(f"{key} = {json.dumps(value)}" for key, value in entry.items())
    (home / "data").mkdir(parents=True, exist_ok=True)
    (home / "data" / "networks.toml").write_text(
        f'[[source]]\ntitle = "Tests"\nlicence = "{TERMS}"\nnon_commercial = true\n'
        f'page = "https://example.org/terms"\nformat = "rosinality"\n'
        f'address = "{url}/{{file}}"\nnetworks = [ {{ {inside} }} ]\n'
    )


def kept(home: Path) -> list[str]:
    """Files of networks, whole or not."""
    folders = [home / "data" / "generators", home / "data" / "downloads"]
    return sorted(path.name for folder in folders for path in folder.glob("*"))


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_fetched_checked_installed_and_ready(
    home: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, shelf.url, sha256=SHA, size=len(CONTENT))
    shelf.replies = [Reply(after=50_000)]
    assert run(["generators", "download", "small", "--yes"]) == 0
    said = capsys.readouterr()
    assert TERMS in said.err and "non-commercial" in said.err
    assert kept(home) == ["small.safetensors"]
    with use_registry(Registry(all_sources())):
        spec = latentfu.generators()["small"]
        assert (spec.domain, spec.aligner) == ("faces", "faces")
        assert spec.licence == f"{TERMS}, non-commercial use only"
        assert SHA in spec.description and f"{shelf.url}/network.pt" in spec.description
        generator = latentfu.open_generator("small", "cpu")
        assert generator.render(generator.mean_latent()).shape == (1, 3, 64, 64)


def test_terms_are_asked_once_and_before_anything_is_fetched(home: Path, shelf: Shelf) -> None:
    offer(home, shelf.url, sha256=SHA)
    declined = CliRunner().invoke(download_command, ["small"], input="n\n")
    assert declined.exit_code == 1 and shelf.asked == [] and kept(home) == []
    accepted = CliRunner().invoke(download_command, ["small"], input="y\n")
    assert accepted.exit_code == 0, accepted.output
    again = CliRunner().invoke(download_command, ["small", "--as", "other"], input="")
    assert again.exit_code == 0, again.output
    agreed = json.loads((home / "config" / "agreed.json").read_text())
    assert [TERMS in key for key in agreed] == [True]


def test_a_script_has_to_agree_itself(
    home: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, shelf.url)
    assert run(["generators", "download", "small", "--json"]) == 1
    assert "--yes" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert shelf.asked == []
    assert run(["generators", "download", "small", "--json", "--yes"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sha256"] == SHA and said["checked"] is False and said["found"] is None
    assert Path(said["file"]).is_file()


def test_other_terms_are_asked_again(home: Path, shelf: Shelf) -> None:
    offer(home, shelf.url)
    assert CliRunner().invoke(download_command, ["small", "--yes"]).exit_code == 0
    own = home / "data" / "networks.toml"
    own.write_text(own.read_text().replace("BY-NC", "BY-NC-SA"))
    assert CliRunner().invoke(download_command, ["small", "--as", "b"], input="").exit_code == 1


@pytest.mark.parametrize("how", ["option", "variable", "template"])
def test_a_mirror_is_asked_instead(
    how: str, home: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(home, "http://nothing.invalid", sha256=SHA, file="deep/network.pt")
    words = ["generators", "download", "small", "--yes"]
    if how == "option":
        words += ["--mirror", f"{shelf.url}/nets/"]
    elif how == "template":
        words += ["--mirror", f"{shelf.url}/nets/{{file}}?key=1"]
    else:
        monkeypatch.setenv("LATENTFU_MIRROR", f"{shelf.url}/nets")
    assert run(words) == 0
    asked = "/nets/network.pt" + ("?key=1" if how == "template" else "")
    assert [path for path, _, _ in shelf.asked] == [asked]


def test_a_mirror_with_other_bytes_is_refused(
    home: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, "http://nothing.invalid", sha256="ab" * 32)
    assert run(["generators", "download", "small", "--yes", "--mirror", shelf.url]) == 1
    assert "sha256 begins with" in sentence(capsys)
    assert kept(home) == []


def test_a_file_that_is_on_this_disk_is_used(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, "http://nothing.invalid", sha256=SHA, size=len(CONTENT))
    folder = tmp_path / "mine" / "deeper"
    folder.mkdir(parents=True)
    (folder / "renamed.bin").write_bytes(CONTENT)
    (folder / "network.pt").write_bytes(CONTENT[::-1])
    words = ["small", "--yes", "--from", str(tmp_path / "mine")]
    assert run(["generators", "download", *words]) == 0
    assert "renamed.bin; nothing was fetched" in capsys.readouterr().out
    assert (folder / "renamed.bin").read_bytes() == CONTENT
    assert kept(home) == ["small.safetensors"]


def test_a_file_that_is_named_is_the_one_or_it_is_said(
    home: Path, shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, shelf.url, sha256=SHA)
    (tmp_path / "other.pt").write_bytes(CONTENT[::-1])
    words = ["generators", "download", "small", "--yes", "--from"]
    assert run([*words, str(tmp_path / "other.pt")]) == 1
    assert "other.pt is not network.pt" in sentence(capsys)
    offer(home, shelf.url)  # no hash: a person's word is taken
    (tmp_path / "other.pt").write_bytes(CONTENT)
    assert run([*words, str(tmp_path / "other.pt")]) == 0
    assert shelf.asked == []


def test_what_was_fetched_for_another_network_of_that_name_is_not_taken(
    home: Path, shelf: Shelf
) -> None:
    offer(home, shelf.url)
    assert run(["generators", "download", "small", "--yes", "--keep"]) == 0
    own = home / "data" / "networks.toml"
    own.write_text(own.read_text().replace('"small"', '"large"'))
    assert run(["generators", "download", "large", "--yes"]) == 0
    assert len(shelf.asked) == 2


def test_kept_once_it_serves_again(home: Path, shelf: Shelf) -> None:
    offer(home, shelf.url, sha256=SHA)
    assert run(["generators", "download", "small", "--yes", "--keep"]) == 0
    assert kept(home) == ["small-network.pt", "small.safetensors"]
    assert run(["generators", "download", "small", "--as", "twin", "--keep"]) == 0
    assert len(shelf.asked) == 1
    made = [home / "data" / "generators" / f"{name}.safetensors" for name in ("small", "twin")]
    assert made[0].read_bytes() == made[1].read_bytes()


def test_what_is_no_network_is_not_found_again(
    home: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, shelf.url)
    shelf.content = b"no network at all" * 1000
    assert run(["generators", "download", "small", "--yes"]) == 1
    assert "neither a pickle" in sentence(capsys)
    assert kept(home) == []
    shelf.content = CONTENT
    assert run(["generators", "download", "small", "--yes"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["smal"], "Did you mean small"),
        (["g-ema-car"], "give the folder with --from"),
        (["small", "--as", "../evil"], "cannot be used"),
        (["small", "--as", "portraits"], "There is a generator portraits already"),
        (["small", "--mirror", "nonsense"], "is no address"),
        (["small"], "404"),
    ],
)
def test_wrong_use_is_one_sentence(
    words: list[str], said: str, home: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    offer(home, shelf.url, sha256=SHA)
    shelf.replies = [Reply(status=404)] * 9
    assert run(["generators", "download", *words, "--yes"]) == 1
    assert said in sentence(capsys)
    assert kept(home) == []


def test_the_wrong_folder_is_said(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["g-ema-car", "--yes", "--from", str(tmp_path)]
    assert run(["generators", "download", *words]) == 1
    assert "None of the files given with --from" in sentence(capsys)


@pytest.mark.parametrize(
    "text",
    [
        "[[source]",
        "[[source]]\ntitle = 'x'",
        "[[source]]\ntitle='x'\nlicence='y'\nnon_commercial=1\nnetworks=[]",
        "[[source]]\ntitle='x'\nlicence='y'\nnon_commercial=true\nmore=1\nnetworks=[]",
        "[[source]]\ntitle='x'\nlicence='y'\nnon_commercial=true\n"
        "networks=[{name='../x', file='a', domain='d', resolution=4}]",
        "[[source]]\ntitle='x'\nlicence='y'\nnon_commercial=true\n"
        "networks=[{name='x', file='../../a', domain='d', resolution=4}]",
    ],
)
def test_a_bad_list_of_ones_own_is_one_sentence(
    text: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data" / "networks.toml").write_text(text)
    assert run(["generators", "download"]) == 1
    error = capsys.readouterr().err.strip()
    assert "networks.toml" in error and len(error.splitlines()) == 1
    assert ("'more' of source 1: there is no such key" in error) == ("more=1" in text)


def test_the_list_says_what_there_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offer(home, "https://example.org")
    assert run(["generators", "download", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["networks"]}
    assert rows["small"]["address"] == "https://example.org/network.pt"
    ours = rows["stylegan2-ffhq-1024"]
    assert ours["non_commercial"] and ours["installed"] is False and len(ours["sha256"]) == 64
    assert run(["generators", "download"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in rows) and "non-commercial use only" in shown


def test_what_we_ship_can_be_asked_for_and_imported() -> None:
    formats = latentfu.checkpoint_formats()
    for network in list_known().values():
        assert network.format in formats and network.licence and network.page
        assert network.non_commercial
        assert network.file and (network.address or network.sha256)
        assert not network.address or network.address.startswith("https://")
    hashes = [network.sha256 for network in list_known().values() if network.sha256]
    assert len(hashes) == len(set(hashes)) > 5


def test_the_example_in_the_documentation_is_taken(home: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "howto" / "bring-a-network.md").read_text()
    (home / "data").mkdir(parents=True)
    (home / "data" / "networks.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    assert list_known()["teapots"].address == "https://example.org/teapots-256.pkl"


def test_a_plugin_can_offer_its_networks(
    home: Path, shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "potters.py").write_text(
        "import latentfu\n\n\n@latentfu.hookimpl\ndef latentfu_public_networks():\n"
        "    return [latentfu.PublicNetwork('pots', 'Pots', 'pots.pt', 'pots', 64, 'CC0', False,"
        f" address='{shelf.url}/pots.pt')]\n"
    )
    with use_registry(Registry(all_sources())):
        assert run(["generators", "download", "pots", "--yes"]) == 0
    assert capsys.readouterr().err.startswith("Terms of pots: CC0.")
    assert kept(home) == ["pots.safetensors"]


def test_a_known_file_brings_its_terms_when_it_is_imported(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentfu_builtin.checkpoints.downloads import catalogue as listing

    offer(home, "https://example.org", sha256=SHA)
    monkeypatch.setattr(
        listing, "list_shipped", lambda: listing.read_catalogue(home / "data/networks.toml")
    )
    assert run(["generators", "import", str(FILE), "--name", "mine"]) == 0
    with use_registry(Registry(all_sources())):
        spec = latentfu.generators()["mine"]
    assert (spec.domain, spec.licence) == ("faces", f"{TERMS}, non-commercial use only")
