"""The pictures of the demo, each made by one request to the server, and their selections.

Selections are drawn inside the square that the server found.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from latentfu.core.contact_sheet import SheetRow
from latentfu.core.layer import Layer, MaskPixels, Pixels
from latentfu.core.progress import Progress
from latentfu.protocol.pictures import body_layer, layer_body, mask_body

if TYPE_CHECKING:
    from latentfu.client.client import Client
    from latentfu.protocol.replies import ControlReply, GeneratorReply


STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
# What is shown first if the generator has it; any generator has something to show.
WISHES = {"smile": 1.5, "glasses": 1.3, "hair_lightness": -2.0, "gaze_x": -1.5, "age": 1.0}
MASKED_WISHES = {"smile": 1.5, "mouth_open": 1.0}
_PREVIEW_SIDE = 384


@dataclass
class DemoScenes:
    """One client, one portrait; ``outside`` counts changed pixels where a mask is 0."""

    client: Client
    sitter: Pixels
    generator: GeneratorReply
    controls: list[ControlReply]
    outside: dict[str, int] = field(default_factory=dict)
    reports: dict[str, Any] = field(default_factory=dict)
    square: Square = field(default_factory=lambda: Square(0, 0, 1))
    _session: str = field(default_factory=lambda: str(uuid.uuid4()))

    def invert(self, progress: Progress) -> Pixels:
        """The portrait as the generator sees it, pasted back."""
        picture = self._job("inverted", {"kind": "invert"}, progress)
        self.square = Square.around(self.reports["inverted"]["quad"])
        return picture

    def edit(self, progress: Progress) -> Pixels:
        """Several directions at once."""
        return self._job("edited", {"kind": "edit", "edits": self.wished(WISHES)}, progress)

    def edit_masked(self, progress: Progress) -> Pixels:
        """An edit inside a selection round the mouth."""
        mask = self.mouth()
        request = {"kind": "edit", "edits": self.wished(MASKED_WISHES), "feather": 16.0}
        return self._job("masked", request, progress, mask)

    def mix(self, source: Pixels, progress: Progress) -> Pixels:
        """Another person's hair; of what is no face, its styles in the upper part."""
        name = self.client.send_layer(layer_body(Layer(source)))
        if self.generator.domain == "faces":
            return self._job(
                "mixed", {"kind": "mix", "source": name, "regions": ["hair"]}, progress
            )
        last = 2 * (self.generator.resolution.bit_length() - 1) - 3
        request = {"kind": "mix", "source": name, "layers": [2, last], "feather": 0.0}
        return self._job("mixed", request, progress, self.hair())

    def row(self, control: ControlReply, progress: Progress) -> SheetRow:
        """Small faces with one control at each of ``STRENGTHS``."""
        pictures = []
        for index, strength in enumerate(STRENGTHS):
            progress(index / len(STRENGTHS), control.title)
            pictures.append(self._face(control.name, strength) if strength else self.neutral)
        return SheetRow(control.title, control.plus, pictures)

    @cached_property
    def neutral(self) -> Pixels:
        """The small face without an edit: the middle of every row."""
        return self._face("", 0.0)

    def wished(self, wishes: Mapping[str, float]) -> dict[str, float]:
        """The wishes that this generator's controls can fulfil, else its first three."""
        known = {control.name for control in self.controls}
        fulfilled = {name: value for name, value in wishes.items() if name in known}
        return fulfilled or {control.name: 2.0 for control in self.controls[:3]}

    def mouth(self) -> MaskPixels:
        """A selection round the mouth."""
        return draw_ellipse(self.sitter.shape[:2], self.square, (0.5, 0.62), (0.22, 0.15))

    def hair(self) -> MaskPixels:
        """A soft selection of the upper part of the head, without the face."""
        size, square = self.sitter.shape[:2], self.square
        head = draw_ellipse(size, square, (0.5, 0.30), (0.44, 0.40), softness=0.25)
        face = draw_ellipse(size, square, (0.5, 0.58), (0.27, 0.30), softness=0.4)
        mask: MaskPixels = (head * (1.0 - face / 255.0)).round().astype(np.uint8)
        return mask

    def _job(
        self,
        name: str,
        request: dict[str, object],
        progress: Progress,
        mask: MaskPixels | None = None,
    ) -> Pixels:
        request |= {"layer": self._layer(), "generator": self.generator.name}
        if mask is not None:
            request["mask"] = self.client.send_layer(mask_body(mask))
        body, report = self.client.run(request, progress)
        self.reports[name] = report
        picture = body_layer(body).rgb()
        if mask is not None:
            self.outside[name] = count_changed_outside(self.sitter, picture, mask)
        return picture

    def _layer(self) -> str:
        return self.client.send_layer(layer_body(Layer(self.sitter)))

    def _face(self, control: str, strength: float) -> Pixels:
        """The generator's square of a preview, as far as it lies inside the picture."""
        edits = {control: strength} if strength else {}
        request = {"layer": self._layer(), "generator": self.generator.name, "edits": edits}
        body = self.client.preview(self._session, request | {"side": _PREVIEW_SIDE})
        small = body_layer(body).rgb()
        scale = small.shape[0] / self.sitter.shape[0]
        side = round(self.square.side * scale)
        left = round(np.clip(self.square.left * scale, 0, max(0, small.shape[1] - side)))
        top = round(np.clip(self.square.top * scale, 0, max(0, small.shape[0] - side)))
        return np.ascontiguousarray(small[top : top + side, left : left + side])


Corners = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Square:
    """The upright box round the generator's square in a layer: left, top, side in pixels."""

    left: float
    top: float
    side: float

    @staticmethod
    def around(corners: Corners) -> Square:
        """From the ``quad`` of a job's report."""
        points = np.asarray(corners, dtype=np.float64)
        left, top = points.min(axis=0)
        right, bottom = points.max(axis=0)
        return Square(float(left), float(top), float(max(right - left, bottom - top)))


def draw_ellipse(
    size: tuple[int, int],
    square: Square,
    center: tuple[float, float],
    radii: tuple[float, float],
    softness: float = 0.0,
) -> MaskPixels:
    """uint8 ``[H, W]``: 255 inside an ellipse, 0 outside.

    ``size``: height and width; ``center`` and ``radii``: fractions of the square;
    ``softness``: the part of the radius over which it fades, all of it inside the ellipse.
    """
    height, width = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    across = ((x - square.left) / square.side - center[0]) / radii[0]
    down = ((y - square.top) / square.side - center[1]) / radii[1]
    inside = 1.0 - np.hypot(across, down)
    if softness <= 0:
        return np.where(inside > 0, 255, 0).astype(np.uint8)
    mask: MaskPixels = (np.clip(inside / softness, 0.0, 1.0) * 255).round().astype(np.uint8)
    return mask


def count_changed_outside(before: Pixels, after: Pixels, mask: MaskPixels) -> int:
    """How many pixels differ where the mask is 0."""
    if before.shape != after.shape:
        raise ValueError(f"the pictures differ in size: {before.shape} and {after.shape}")
    differs = (before != after).any(axis=2)
    return int(np.count_nonzero(differs & (mask == 0)))
