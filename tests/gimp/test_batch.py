"""Real GIMP 3 without a window: the procedures through the PDB, and what they do to an image."""

from __future__ import annotations

import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.gimp.desktop import wait_for
from tests.gimp.gimp import Gimp
from tests.gimp.steps import SETUP


@pytest.fixture(scope="module")
def gimp_here(gimp: Gimp, portrait: Path) -> Gimp:
    gimp.run(SETUP + f'PORTRAIT = "{portrait}"')
    return gimp


def test_edit_makes_one_layer_above(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        before = whole(layer)
        new = made("latentfu-edit", image, layer, edits="red=2 tall=-1")
        value = {"new": about(new), "count": len(image.get_layers()),
                 "top": image.get_layers()[0] == new, "diff": changed(layer, new),
                 "source": whole(layer) == before}
    """)
    assert seen["count"] == 2 and seen["top"] and seen["source"]
    assert seen["new"]["name"] == "red +2, tall -1 (Latent-Fu)"
    assert seen["diff"]["count"] > 1000
    state = seen["new"]["state"]
    assert state["version"] == 1 and state["edits"] == {"red": 2.0, "tall": -1.0}
    assert state["generator"] == "small" and len(state["source_sha256"]) == 64


def test_selection_limits_the_change(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 170, 290, 110, 80)
        new = made("latentfu-edit", image, layer, edits="red=3")
        value = {"diff": changed(layer, new)}
    """)
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 >= 170 and y0 >= 290 and x1 <= 280 and y1 <= 370
    assert seen["diff"]["count"] > 100


def test_offsets_alpha_and_mask_stay(gimp_here: Gimp) -> None:
    seen = gimp_here.run("""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        layer.add_alpha(); layer.set_offsets(-30, 25)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, -30, 25, 40, 625)
        layer.edit_clear()
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 110, 265, 120, 130)
        layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
        new = made("latentfu-edit", image, layer, edits="red=3")
        value = {"new": about(new), "diff": changed(layer, new),
                 "alpha": alpha(layer) == alpha(new), "holes": alpha(new).count(0)}
    """)
    assert (seen["new"]["x"], seen["new"]["y"]) == (-30, 25)
    assert seen["new"]["alpha"] and seen["new"]["mask"]
    assert seen["alpha"] and seen["holes"] > 0
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 >= 140 and y0 >= 240 and x1 <= 260 and y1 <= 370, "the selection moved with the layer"


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
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 140, 150, 160, 240)
        new = made("latentfu-edit", image, layer, edits="red=3")
        value = {{"diff": changed(layer, new),
                  "same": kind(layer) == kind(new)}}
    """)
    assert seen["same"]
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 >= 140 and y0 >= 150 and x1 <= 300 and y1 <= 390
    assert seen["diff"]["count"] > 100


def test_state_survives_xcf(gimp_here: Gimp, share: Path) -> None:
    seen = gimp_here.run(f"""
        image = load(PORTRAIT); layer = image.get_layers()[0]
        new = made("latentfu-edit", image, layer, edits="red=1.5", feather=3.0)
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
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 110, 200, 290)
        new = made("latentfu-mix", image, layer, source=other, layers="2-3")
        value = {"new": about(new), "diff": changed(layer, new),
                 "order": [l.get_name() for l in image.get_layers()]}
    """)
    assert seen["order"][:2] == ["Second", "2-3 of Second (Latent-Fu)"]
    assert seen["diff"]["count"] > 100
    assert seen["new"]["state"]["mix"]["layers"] == [2, 3]


ONE_LAYER = "image = load(PORTRAIT); layer = image.get_layers()[0]\n"


@pytest.mark.parametrize(
    ("prepare", "call", "words"),
    [
        ("", 'edits="red=nan"', "-100 and 100"),
        ("", 'edits="nothing_like_it=1"', "nothing_like_it"),
        ("", 'edits=""', "nothing to change"),
        ("", 'edits="red"', "name=number"),
        ("", 'edits="red=1", generator="nowhere"', "nowhere"),
        (
            "layer.set_offsets(100, 0); image.select_rectangle(2, 0, 0, 50, 50)",
            'edits="red=1"',
            "selection is empty inside this layer",
        ),
        (
            "layer = Gimp.GroupLayer.new(image, 'g'); image.insert_layer(layer, None, 0)",
            'edits="red=1"',
            "group",
        ),
        (
            "layer = Gimp.Selection.save(image)",
            'edits="red=1"',
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
        value = attempt("latentfu-edit", image, layer, edits="red=1")
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
        wait_for(lambda: (config / "token").read_text() == (kept / "token").read_text(), "lost")
        (config / "server.json").unlink()
        none = gimp_here.run(
            ONE_LAYER + 'value = attempt("latentfu-edit", image, layer, edits="red=1")'
        )
        (config / "program.json").write_text('{"python": "/usr/bin/false", "version": "0"}')
        failing = gimp_here.run(
            ONE_LAYER + 'value = attempt("latentfu-edit", image, layer, edits="red=1")'
        )
    finally:
        for path in config.iterdir():
            if path.is_file():
                path.unlink()
        shutil.copytree(kept, config, dirs_exist_ok=True)
        shutil.rmtree(kept)
    assert "not installed" in none[1] and "install.py" in none[1]
    assert "could not be started" in failing[1]
    for status, text, layers in (none, failing):
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
    assert (home / "called").read_text().split() == ["-m", "latentfu", "serve", "--stop-when-idle"]
    assert "PYTHONPATH" not in (home / "environment").read_text()


class _Stranger(BaseHTTPRequestHandler):
    """Another program on the port that a server had before it crashed."""

    heard: ClassVar[list[str | None]] = []

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.heard.append(self.headers["Authorization"])
        self.send_error(404)


def test_a_stranger_on_the_port_is_passed_by(gimp_here: Gimp, home: Path) -> None:
    """B7: it is not asked for work and never sees the token; a server of ours is started."""
    config = home / "config"
    address = config / "server.json"
    kept = address.rename(config / "server.kept")
    stranger = HTTPServer(("127.0.0.1", 0), _Stranger)
    threading.Thread(target=stranger.serve_forever, args=(0.05,), daemon=True).start()
    port = stranger.server_address[1]
    address.write_text(f'{{"host": "127.0.0.1", "port": {port}, "pid": 1, "version": "0"}}')
    program = home / "python"
    program.write_text(f"#!/bin/sh\ncp {kept} {address}\n")
    program.chmod(0o755)
    (config / "program.json").write_text(f'{{"python": "{program}", "version": "0"}}')
    try:
        none = gimp_here.run(SERVER.format("status"))
        seen = gimp_here.run(
            ONE_LAYER + 'value = attempt("latentfu-edit", image, layer, edits="red=1")'
        )
    finally:
        stranger.shutdown()
        stranger.server_close()
        (config / "program.json").unlink()
        kept.replace(address)
    assert none[0] == "success" and "not running" in none[1]
    assert seen[0] == "success" and seen[2] == 2, seen
    assert _Stranger.heard and set(_Stranger.heard) == {None}


def test_the_default_network_and_method(gimp_here: Gimp) -> None:
    """What a person gets who chooses nothing: the shipped network, learnt in a few seconds."""
    seen = gimp_here.run(
        """
        image = load(PORTRAIT); layer = image.get_layers()[0]
        new = made("latentfu-edit", image, layer, edits="smile=2", generator="", inverter="")
        value = {"new": about(new), "diff": changed(layer, new)}
    """,
        timeout=300,
    )
    state = seen["new"]["state"]
    assert state["generator"] == "portraits" and len(state["generator_id"]) == 64
    assert state["inverter"] == "feature-detail" and state["inversion_key"]
    x0, y0, x1, y1 = seen["diff"]["box"]
    assert x0 > 0 and y0 > 0 and x1 < 480 and y1 < 600, "the change stays around the face"
    assert seen["diff"]["count"] > 1000
