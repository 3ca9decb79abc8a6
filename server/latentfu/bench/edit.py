"""Moving a slider: what each further edit of the same picture costs."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from unittest import mock

import numpy as np

from latentfu.bench import Measure, median_ms
from latentfu.core.errors import NotInstalledError
from latentfu.core.generator import Generator
from latentfu.core.layer import Layer

_RUNS = 15
_SIZE = (768, 960)


def measure_edits() -> Iterator[Measure]:
    """The first edit with its inversion, then edits and previews with ever new strengths."""
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.generator_pool import best_device
    from latentfu.plugin_manager import get_registry
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, PreviewRequest

    with (
        tempfile.TemporaryDirectory(prefix="latentfu-bench-") as home,
        mock.patch.dict(os.environ, {"LATENTFU_HOME": home}),
    ):
        editor = Editor(best_device())
        spec = editor.generators.find_spec(None)
        known = get_registry().controls(spec)
        names = [name for name, control in known.items() if control.widget == "slider"]
        if not names:
            raise NotInstalledError(f"There is no control for {spec.name} to measure with.")
        layer = sample_layer(editor.generators.open(spec), *_SIZE)
        strengths = (0.01 * step for step in itertools.count(1))

        pictures = PictureStore()
        reference = pictures.add(layer)

        def edit() -> None:
            request = EditRequest(layer=reference, edits={names[0]: next(strengths)})
            editor.edit(request, pictures)

        def preview() -> None:
            request = PreviewRequest(layer=reference, edits={names[0]: next(strengths)})
            editor.preview(request, pictures)

        size = f"{_SIZE[0]} x {_SIZE[1]}"
        yield median_ms(f"first edit, {size}, with inversion", edit, 1)
        yield median_ms(f"next edit, {size}", edit, _RUNS)
        yield median_ms("preview, 256 px", preview, _RUNS)


def open_default_network() -> tuple[Generator, str]:
    """The default network and the name of its first slider; raises NotInstalledError."""
    import latentfu
    from latentfu.plugin_manager import pick

    spec = pick(latentfu.generators(), None, "generator")
    generator = latentfu.open_generator(spec.name)
    controls = latentfu.controls(generator)
    sliders = {name: each for name, each in controls.items() if each.widget == "slider"}
    return generator, pick(sliders, None, "control").name


def sample_layer(generator: Generator, width: int, height: int, seed: int = 5) -> Layer:
    """RGB, ``width`` x ``height``: a render, scaled to most of the height, in the middle."""
    import torch
    from PIL import Image

    from latentfu.core.generator import random_latents

    with torch.no_grad():
        image = generator.render(random_latents(generator, 1, seed, psi=0.7))[0]
    values = ((image.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    side = min(width, height) * 9 // 10
    ground = Image.new("RGB", (width, height), tuple(int(v) for v in values[0, 0]))
    picture = Image.fromarray(values).resize((side, side), Image.Resampling.BICUBIC)
    ground.paste(picture, ((width - side) // 2, (height - side) // 2))
    return Layer(np.asarray(ground).copy())
