"""edit, mix and invert on real files: in this process, and through a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from latentfu.client.client import Client
from PIL import Image

from tests.support.program import Program, run_server

ASTRONAUT = Path(__file__).parents[1] / "faces" / "reference" / "astronaut.png"
FACES = ("--aligner", "faces")
TINY = ("--generator", "tiny", "--inverter", "guess")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


@pytest.fixture
def half_mask(tmp_path: Path) -> Path:
    """White in the left half of the photo."""
    mask = np.zeros((70, 90), np.uint8)
    mask[:, :45] = 255
    path = tmp_path / "mask.png"
    Image.fromarray(mask).save(path)
    return path


@pytest.fixture
def server(house: Path) -> Iterator[Client]:
    """A real server in the house, on a free port."""
    with run_server() as client:
        yield client


def test_edit_changes_the_inside_of_the_mask_only(
    house: Path, latentfu_program: Program, photo: Path, half_mask: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    ran = latentfu_program(
        "edit", photo, "-o", out, "--set", "tilt=2", *TINY, "--mask", half_mask, "--json"
    )
    assert ran.code == 0, ran.err
    assert ran.json["place"] == "here"
    assert ran.json["report"]["changed_outside_mask"] == 0
    before, after = pixels(photo), pixels(out)
    assert np.array_equal(before[:, 45:], after[:, 45:])
    assert not np.array_equal(before[:, :45], after[:, :45])
    assert np.array_equal(before[:, :, 3], after[:, :, 3])


def test_invert_writes_a_latent_of_that_generator(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    from safetensors import safe_open

    out = tmp_path / "latent.safetensors"
    ran = latentfu_program("invert", photo, "-o", out, *TINY, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["shape"] == [1, 8]
    with safe_open(str(out), framework="np") as file:
        assert file.get_tensor("codes").shape == (1, 8)
    assert latentfu_program("invert", photo, "-o", tmp_path / "x.pt", *TINY).code == 1


SAID = "outside what tiny can show"


@pytest.mark.parametrize("command", [
    ("edit", "--set", "tilt=2"), ("sweep", "--set", "tilt=0..2", "--frames", "2"), ("invert",),
])  # fmt: skip
def test_every_command_says_on_stderr_that_the_network_does_not_fit(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    name, *rest = command
    out = tmp_path / {"edit": "out.png", "sweep": "frames", "invert": "out.safetensors"}[name]
    ran = latentfu_program(name, photo, "-o", out, *rest, *TINY)
    assert (ran.code, SAID in ran.err, SAID in ran.out) == (0, True, False), ran.err
    ran = latentfu_program(name, photo, "-o", out, *rest, *TINY, "--json")
    told = ran.json.get("report", ran.json)
    assert (ran.err, told["fit"], SAID in told["warning"]) == ("", "poor", True)


def test_an_edit_that_changes_nothing_says_so_and_why(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    ran = latentfu_program("edit", photo, "-o", out, "--set", "tilt=0", *TINY)
    assert "No pixel changed: every strength is 0." in ran.err
    sweep = ("sweep", photo, "-o", tmp_path / "frames", "--set", "tilt=0..0", "--frames", "2")
    assert "No pixel changed" in latentfu_program(*sweep, *TINY).err


def paste_two_faces() -> Image.Image:
    """The astronaut's face on the left, the same at 0.8 on the right."""
    with Image.open(ASTRONAUT) as astronaut:
        face = astronaut.convert("RGB").crop((120, 0, 330, 230))
    both = Image.new("RGB", (640, 240), (120, 120, 120))
    both.paste(face, (20, 5))
    both.paste(face.resize((168, 184)), (420, 30))
    return both


def test_faces_are_listed_with_the_numbers_that_edits_take(
    house: Path, latentfu_program: Program, tmp_path: Path
) -> None:
    group, preview = tmp_path / "group.png", tmp_path / "preview.png"
    paste_two_faces().save(group)
    ran = latentfu_program("faces", "list", group, "-o", preview, *FACES, "--json")
    assert ran.code == 0, ran.err
    faces = ran.json["faces"]
    assert [face["face"] for face in faces] == [1, 2]
    assert faces[0]["center"][0] < 320 < faces[1]["center"][0]
    drawn = (pixels(preview) != pixels(group)).any(axis=2)
    assert drawn[:, :320].any() and drawn[:, 320:].any() and not drawn.all()
    edit = ("edit", group, "-o", tmp_path / "out.png", "--set", "tilt=2", *TINY)
    second = latentfu_program(*edit, *FACES, "--face", "2", "--json")
    assert np.allclose(second.json["report"]["quad"], faces[1]["corners"], atol=0.01)
    assert latentfu_program("faces", "list", group, *FACES).out.count("score") == 2
    assert latentfu_program("faces", "list", tmp_path / "none.png").code == 1
    assert latentfu_program("faces", "list", group, "-o", tmp_path / "x.jpg").code == 1
    middle = latentfu_program("faces", "list", group, "--generator", "tiny", "--json").json
    assert [face["center"] for face in middle["faces"]] == [[320, 120]]  # as its edits take it
    assert "no generator" in latentfu_program("faces", "list", group, "--generator", "no").err
    Image.new("RGBA", (64, 64)).save(group)
    assert "No face is found" in latentfu_program("faces", "list", group, *FACES).out


def test_all_faces_are_edited_one_after_the_other(
    house: Path, latentfu_program: Program, tmp_path: Path
) -> None:
    group, out = tmp_path / "group.png", tmp_path / "out.png"
    paste_two_faces().save(group)
    edit = ("edit", group, "-o", out, "--set", "tilt=2", *TINY, *FACES)
    ran = latentfu_program(*edit, "--all-faces", "--json")
    assert ran.code == 0, ran.err
    lefts = [report["quad"][0][0] for report in ran.json["reports"]]
    assert len(lefts) == 2 and lefts[0] < 320 < lefts[1]
    changed = (pixels(group) != pixels(out)).any(axis=2)
    assert changed[:, :320].any() and changed[:, 320:].any()
    own = ("edit", group, "-o", out, "--set", "smile=1", "--generator", "portraits")
    ran = latentfu_program(*own, "--quality", "draft", "--all-faces", "--json")  # knows one only
    assert ran.code == 0, ran.err
    assert len(ran.json["reports"]) == 2
    ran = latentfu_program(*edit, "--all-faces")
    assert "Face 2 of 2: inversion 12.0 dB, fit poor." in ran.out
    assert latentfu_program(*edit, "--all-faces", "--face", "1").code == 2
    Image.new("RGB", (64, 64)).save(group)
    assert "found nothing to edit" in latentfu_program(*edit, "--all-faces").err


def test_what_can_not_be_done_leaves_no_file(
    house: Path, latentfu_program: Program, photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    for arguments in (
        ("edit", photo, "-o", out, "--set", "smirk=2", *TINY),
        ("edit", photo, "-o", out, "--set", "tilt=1", "--generator", "nonsense"),
        ("edit", photo, "-o", out, "--set", "tilt=1000", *TINY),
        ("mix", photo, photo, "-o", out, "--layers", "0-1", *TINY),
    ):
        ran = latentfu_program(*arguments, "--local")
        assert ran.code == 1
        assert len(ran.err.strip().splitlines()) == 1
        assert "internal" not in ran.err
        assert not out.exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["photo.png"]


def test_the_server_gives_the_same_pixels(
    server: Client, latentfu_program: Program, photo: Path, half_mask: Path, tmp_path: Path
) -> None:
    edit = ("edit", photo, "--set", "tilt=1.5", *TINY, "--mask", half_mask, "--json")
    there = latentfu_program(*edit, "-o", tmp_path / "there.png")
    here = latentfu_program(*edit, "-o", tmp_path / "here.png", "--local")
    assert there.code == here.code == 0, there.out + here.out
    assert (there.json["place"], here.json["place"]) == ("server", "here")
    assert np.array_equal(pixels(tmp_path / "there.png"), pixels(tmp_path / "here.png"))
    wrong = latentfu_program("edit", photo, "-o", tmp_path / "no.png", "--set", "smirk=1", *TINY)
    assert wrong.code == 1
    assert "smirk" in wrong.err
    refused = latentfu_program(
        "mix", photo, photo, "-o", tmp_path / "no.png", "--layers", "0-1", *TINY
    )
    assert refused.code == 1
    assert not (tmp_path / "no.png").exists()


def test_doctor_sees_the_server(server: Client, latentfu_program: Program) -> None:
    checks = latentfu_program("doctor", "--json").json["checks"]
    (found,) = [check for check in checks if check["name"] == "server"]
    assert found["state"] == "ok"
    assert str(server.address.port) in found["message"]


def test_the_program_runs_as_a_module(house: Path, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    command = [sys.executable, "-P", "-m", "latentfu", "edit", photo, "-o", out, "--set", "tilt=1"]
    done = subprocess.run([*command, *TINY], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "transparency" in done.stderr
    assert not out.exists()
