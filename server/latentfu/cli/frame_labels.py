"""What a scorer reads of each frame of a sweep, and the words for it on the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentfu.core.errors import BadInputError, NotInstalledError

if TYPE_CHECKING:
    import torch

    from latentfu.core.generator import Generator
    from latentfu.core.layer import Layer
    from latentfu.pipeline.paste_back import Outcome
    from latentfu.plugin_objects import Scorer

_PART = 0.045
"""A label's height, as a part of the frame's shorter side."""
_SMALLEST = 9


@dataclass(frozen=True)
class FrameReader:
    """Reads one attribute off frames, by a scorer for the generator's domain.

    Attributes:
        attribute: Its name.
        unit: What its numbers count; "" where the scorer does not say.
        score: Pictures ``[1, 3, R, R]`` in -1..1 to all scores ``[1, A]``.
        column: Which of these is the attribute's.
        generator: How large the pictures are that the scorer is given.
    """

    attribute: str
    unit: str
    score: Callable[[torch.Tensor], torch.Tensor]
    column: int
    generator: Generator

    def read(self, outcome: Outcome) -> float:
        """The attribute of a frame's crop."""
        import torch

        from latentfu.core.crop import Quad
        from latentfu.pipeline.crop import cut_crop
        from latentfu.protocol.replies import ReportReply

        report = outcome.report
        assert isinstance(report, ReportReply)  # only regions have another
        first, second, third, fourth = report.quad
        quad = Quad((first, second, third, fourth))
        crop = cut_crop(outcome.layer, quad, self.generator.resolution, report.aligner)
        with torch.no_grad():
            picture = torch.from_numpy(crop.image)[None].to(self.generator.device)
            return float(self.score(picture)[0, self.column])

    def describe(self, value: float) -> str:
        """A reading in words, such as ``age: about 34 years`` or ``smile +0.52``."""
        if self.unit:
            return f"{self.attribute}: about {value:.0f} {self.unit}"
        return f"{self.attribute} {value:+.2f}"


def open_frame_reader(attribute: str, generator: Generator) -> FrameReader:
    """The reader of an attribute.

    Raises:
        NotInstalledError: No scorer reads pictures of the generator's domain.
        BadInputError: None of those that do reads the attribute.
    """
    import latentfu
    from latentfu.plugin_manager.running import call_plugin

    fitting = [one for one in latentfu.scorers().values() if one.domain == generator.domain]
    if not fitting:
        raise NotInstalledError(
            f"No scorer reads pictures of {generator.domain}: install a plug-in with one, or leave "
            f"out --label."
        )
    chosen: Scorer | None = next((one for one in fitting if attribute in one.attributes), None)
    if chosen is None:
        known = sorted({name for one in fitting for name in one.attributes})
        raise BadInputError(f"No scorer reads {attribute!r}; they read: {', '.join(known)}.")
    found = chosen
    load = call_plugin(found, "was loaded", lambda: found.load(str(generator.device)))

    def score(images: torch.Tensor) -> torch.Tensor:
        return call_plugin(found, "read a frame", lambda: load(images))

    unit, column = found.units.get(attribute, ""), found.attributes.index(attribute)
    return FrameReader(attribute, unit, score, column, generator)


def draw_frame_label(layer: Layer, text: str) -> Layer:
    """The layer with words on a dark strip at its lower left corner; its alpha stays."""
    import numpy as np
    from PIL import Image, ImageDraw

    from latentfu.core.contact_sheet import font
    from latentfu.core.layer import Layer

    side = min(layer.width, layer.height)
    size = max(_SMALLEST, round(_PART * side))
    picture = Image.fromarray(layer.rgb())
    draw, margin = ImageDraw.Draw(picture), max(2, size // 3)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font(size))
    low = max(0, layer.height - round(bottom - top) - 2 * margin)
    draw.rectangle((0, low, right - left + 2 * margin, layer.height), fill=(24, 24, 24))
    draw.text((margin - left, low + margin - top), text, font=font(size), fill=(240, 240, 240))
    pixels = layer.pixels.copy()
    strip = np.asarray(picture)[low:, : round(right - left) + 2 * margin + 1]
    pixels[low:, : strip.shape[1], :3] = strip if pixels.shape[2] >= 3 else strip[:, :, :1]
    return Layer(pixels)
