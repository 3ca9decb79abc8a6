"""Real GIMP 3 without a window: the procedures through the PDB, and what they do to an image."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from gimp import Gimp
from steps import SETUP


@pytest.fixture(scope="module")
def gimp_here(gimp: Gimp, portrait: Path) -> Gimp:
    gimp.run(SETUP + f'PORTRAIT = "{portrait}"')
    return gimp


def test_edit_makes_one_layer_above(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        before = native(layer, 0, 0, 240, 320)
        status, new = run("latentfu-edit", image, layer, edits="smile=2 yaw=-1")
        value = {"status": status, "new": about(new), "count": len(image.get_layers()),
                 "top": image.get_layers()[0] == new, "diff": changed(layer, new),
                 "source": native(layer, 0, 0, 240, 320) == before}
    """)
    assert seen["status"] == "success"
    assert seen["count"] == 2 and seen["top"] and seen["source"]
    assert seen["new"]["name"] == "Latent-Fu: smile +2.0, yaw -1.0"
    assert seen["diff"]["count"] > 1000
    state = seen["new"]["state"]
    assert state["version"] == 1 and state["edits"] == {"smile": 2.0, "yaw": -1.0}
    assert state["generator"] == "portraits" and len(state["source_sha256"]) == 64


def test_selection_limits_the_change(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 80, 160, 60, 50)
        status, new = run("latentfu-edit", image, layer, edits="smile=3")
        value = {"status": status, "diff": changed(layer, new)}
    """)
    assert seen["status"] == "success"
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 >= 80 and y0 >= 160 and x1 <= 140 and y1 <= 210
    assert seen["diff"]["count"] > 100


def test_offsets_alpha_and_mask_stay(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        layer.add_alpha(); layer.set_offsets(-30, 25)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, -30, 25, 40, 345)
        layer.edit_clear()
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 60, 150, 50, 50)
        layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
        status, new = run("latentfu-edit", image, layer, edits="smile=3")
        value = {"status": status, "new": about(new), "diff": changed(layer, new),
                 "alpha": alpha(layer) == alpha(new), "holes": alpha(new).count(0)}
    """)
    assert seen["status"] == "success"
    assert (seen["new"]["x"], seen["new"]["y"]) == (-30, 25)
    assert seen["new"]["alpha"] and seen["new"]["mask"]
    assert seen["alpha"] and seen["holes"] > 0
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 >= 90 and y0 >= 125 and x1 <= 140 and y1 <= 175, "the selection moved with the layer"


@pytest.mark.parametrize(
    "change",
    [
        "image.convert_grayscale()",
        "image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE,"
        " 255, False, False, '')",
        "image.convert_precision(Gimp.Precision.FLOAT_LINEAR)",
        "image.convert_precision(Gimp.Precision.U16_NON_LINEAR)",
        "image.convert_precision(Gimp.Precision.U8_LINEAR)",
    ],
    ids=["gray", "indexed", "float", "16 bit", "8 bit linear"],
)
def test_every_kind_of_image(gimp_here: Gimp, change: str) -> None:
    seen = gimp_here.run(f"""
        image = load(PORTRAIT); {change}
        layer = image.get_layers()[0]
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 60, 100, 100, 120)
        status, new = run("latentfu-edit", image, layer, edits="smile=3")
        value = {{"status": status, "text": str(new), "diff": changed(layer, new),
                  "same": kind(layer) == kind(new)}}
    """)
    assert seen["status"] == "success", seen["text"]
    assert seen["same"]
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 >= 60 and y0 >= 100 and x1 <= 160 and y1 <= 220
    assert seen["diff"]["count"] > 100


def test_state_survives_xcf(gimp_here: Gimp, share: Path) -> None:
    seen = gimp_here.run(f"""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        status, new = run("latentfu-edit", image, layer, edits="smile=1.5", feather=3.0)
        before = about(new)
        save(image, "{share}/saved.xcf")
        again = load("{share}/saved.xcf")
        after = about(again.get_layers()[0])
        source = again.get_layer_by_tattoo(after["state"]["source_tattoo"])
        value = {{"before": before, "after": after, "source": source.get_name(),
                  "old": layer.get_name()}}
    """)
    assert seen["before"] == seen["after"]
    assert seen["after"]["state"]["feather"] == 3.0
    assert seen["source"] == seen["old"]


def test_mix_takes_features_of_another_layer(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        other = layer.copy(); image.insert_layer(other, None, 0)
        other.set_name("Second"); other.invert(False)
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 50, 80, 120, 150)
        status, new = run("latentfu-mix", image, layer, source=other, layers="4-7")
        value = {"status": status, "text": str(new), "new": about(new), "diff": changed(layer, new),
                 "order": [l.get_name() for l in image.get_layers()]}
    """)
    assert seen["status"] == "success", seen["text"]
    assert seen["order"][:2] == ["Second", "Latent-Fu: 4-7 of Second"]
    assert seen["diff"]["count"] > 100
    assert seen["new"]["state"]["mix"]["layers"] == [4, 7]


ONE_LAYER = "image = load(PORTRAIT); layer = image.get_layers()[0]\n"


@pytest.mark.parametrize(
    ("prepare", "call", "words"),
    [
        ("", 'edits="smile=nan"', "-100 and 100"),
        ("", 'edits="nothing_like_it=1"', "nothing_like_it"),
        ("", 'edits=""', "nothing to change"),
        ("", 'edits="smile"', "name=number"),
        ("", 'edits="smile=1", generator="nowhere"', "nowhere"),
        (
            "layer.set_offsets(100, 0); image.select_rectangle(2, 0, 0, 50, 50)",
            'edits="smile=1"',
            "selection is empty inside this layer",
        ),
        (
            "layer = Gimp.GroupLayer.new(image, 'g'); image.insert_layer(layer, None, 0)",
            'edits="smile=1"',
            "group",
        ),
        (
            "layer = layer.create_mask(0); image.get_layers()[0].add_mask(layer)",
            'edits="smile=1"',
            "choose a layer",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(
    gimp_here: Gimp, prepare: str, call: str, words: str
) -> None:
    source = ONE_LAYER + prepare
    status, text, before, after = gimp_here.run(
        f"{source}\nbefore = len(image.get_layers())\n"
        f'value = attempt("latentfu-edit", image, layer, {call})\nvalue.insert(2, before)'
    )
    assert status == "execution-error"
    assert words in text and text.count("\n") == 0, text
    assert before == after


def test_one_pixel_layer_is_answered(gimp_here: Gimp) -> None:
    status, text, _ = gimp_here.run("""
        image = Gimp.Image.new(8, 8, Gimp.ImageBaseType.RGB)
        layer = Gimp.Layer.new(image, "dot", 1, 1, 0, 100.0, Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        value = attempt("latentfu-edit", image, layer, edits="smile=1")
    """)
    assert status in ("success", "execution-error")
    assert "error it does not know" not in text


def test_mix_without_source_and_with_wrong_layers(gimp_here: Gimp) -> None:
    seen = gimp_here.run(
        ONE_LAYER
        + 'value = [attempt("latentfu-mix", image, layer, layers="4-7"),'
        + ' attempt("latentfu-mix", image, layer, source=layer, layers="7-4")]'
    )
    assert "second layer" in seen[0][1] and "backwards" in seen[1][1]
    assert seen[0][2] == seen[1][2] == 1


SERVER = """
    procedure = Gimp.get_pdb().lookup_procedure("latentfu-server")
    config = procedure.create_config(); config.set_property("action", "{}")
    values = procedure.run(config)
    value = [values.index(0).value_nick, str(values.index(1))]
"""


def test_status_names_the_running_server(gimp_here: Gimp) -> None:
    status, text = gimp_here.run(SERVER.format("status"))
    assert status == "success" and "runs on port" in text


def test_wrong_token_and_no_server(gimp_here: Gimp, home: Path, share: Path) -> None:
    config = home / "config"
    kept = share / "kept-config"
    shutil.copytree(config, kept)
    try:
        (config / "token").write_text("wrong\n")
        wrong = gimp_here.run(
            ONE_LAYER + 'value = attempt("latentfu-edit", image, layer, edits="smile=1")'
        )
        (config / "server.json").unlink()
        none = gimp_here.run(
            ONE_LAYER + 'value = attempt("latentfu-edit", image, layer, edits="smile=1")'
        )
        (config / "program.json").write_text('{"python": "/usr/bin/false", "version": "0"}')
        failing = gimp_here.run(
            ONE_LAYER + 'value = attempt("latentfu-edit", image, layer, edits="smile=1")'
        )
    finally:
        for path in config.iterdir():
            if path.is_file():
                path.unlink()
        shutil.copytree(kept, config, dirs_exist_ok=True)
        shutil.rmtree(kept)
    assert "token" in wrong[1]
    assert "not installed" in none[1] and "install.py" in none[1]
    assert "could not be started" in failing[1]
    for status, text, layers in (wrong, none, failing):
        assert status == "execution-error" and layers == 1 and "\n" not in text


def test_server_is_started_when_none_runs(gimp_here: Gimp, home: Path) -> None:
    """A stand-in for the interpreter notes how it was called and puts the address back."""
    config = home / "config"
    address = config / "server.json"
    kept = address.rename(config / "server.kept")
    program = home / "python"
    program.write_text(
        f'#!/bin/sh\necho "$@" > {home}/called\nenv > {home}/environment\nsleep 0.3\n'
        f"cp {kept} {address}\n"
    )
    program.chmod(0o755)
    (config / "program.json").write_text(f'{{"python": "{program}", "version": "0"}}')
    try:
        status, text = gimp_here.run(SERVER.format("start"))
    finally:
        (config / "program.json").unlink()
        if not address.exists():
            kept.rename(address)
    assert status == "success" and "runs on port" in text
    assert (home / "called").read_text().split() == ["-m", "latentfu", "serve"]
    assert "PYTHONPATH" not in (home / "environment").read_text()
