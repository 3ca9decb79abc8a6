"""A quick preview shows what the finished picture will show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import latentfu
import numpy as np
import pytest
from latentfu import random_latents
from latentfu.core.layer import Layer
from latentfu.pipeline.editor import Editor
from latentfu.pipeline.preview import make_thumbnail
from latentfu.pipeline.render import render_latent
from latentfu.protocol.pictures import PictureStore
from latentfu.protocol.requests import EditRequest, PreviewRequest

SIDE = 192
HOW: dict[str, Any] = {
    "generator": "portraits",
    "inverter": "feature-detail",
    "options": {"steps": 8},
}


@pytest.fixture(scope="module")
def portrait() -> Layer:
    """A portrait that the network can draw, larger than it draws and with marks that it cannot."""
    generator = latentfu.generators()["portraits"].load("cpu")
    picture = render_latent(generator, random_latents(generator, 1, 5, psi=0.7))
    pixels = (picture.transpose(1, 2, 0) + 1) * 127.5
    large = cv2.resize(pixels, (384, 384), interpolation=cv2.INTER_CUBIC)
    marks = np.random.default_rng(0).standard_normal((384, 384)).astype(np.float32)
    marks = cv2.GaussianBlur(marks, (0, 0), 1.5)
    return Layer(np.clip(large + 6 * (marks / marks.std())[:, :, None], 0, 255).astype(np.uint8))


def measure_psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(a.astype(float) - b).mean()))


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENTFU_HOME", str(tmp_path_factory.mktemp("home")))
        yield Editor()


@pytest.mark.parametrize(
    ("edits", "least"),
    # Without the motion of the codes: 41.0, 32.1 and 39.6 dB.
    [({"smile": 2.0}, 41.7), ({"yaw": 1.0}, 34.0), ({"hair_lightness": -2.0}, 40.0)],
)
def test_a_preview_agrees_with_the_finished_picture(
    editor: Editor, portrait: Layer, edits: dict[str, float], least: float
) -> None:
    pictures = PictureStore()
    layer = pictures.add(portrait)
    finished = editor.edit(EditRequest(layer=layer, edits=edits, **HOW), pictures).layer
    wanted = make_thumbnail(finished, None, SIDE).layer.pixels
    found = [
        measure_psnr(
            editor.preview(
                PreviewRequest(layer=layer, edits=edits, side=SIDE, quick=times, **HOW), pictures
            ).pixels,
            wanted,
        )
        for times in (16, 0)
    ]
    assert found[0] > least
    assert found[1] > 50.0
