"""The pictures of the demo, each made by one request to the server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from latentfu.demo.masks import Square, changed_outside, ellipse
from latentfu.core.layer import Layer, MaskPixels, Pixels
from latentfu.core.progress import Progress
from latentfu.core.contact_sheet import SheetRow
from latentfu.protocol.pictures import body_layer, layer_body, mask_body

if TYPE_CHECKING:
    from latentfu.client.client import Client
    from latentfu.protocol.replies import ControlReply, GeneratorReply

STRENGTHS = (-2.0, -1.0, 0.0, 1.0, 2.0)
# What is shown first if the generator has it; any generator has something to show.
WISHES = {"smile": 1.5, "glasses": 2.5, "hair_lightness": -2.0, "gaze_x": -1.5, "age": 1.0}
MASKED_WISHES = {"smile": 1.5, "mouth_open": 1.0}
PREVIEW_SIDE = 384


@dataclass
class Tour:
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
        """The upper part of the head with another person's styles."""
        last = 2 * (self.generator.resolution.bit_length() - 1) - 3
        name = self.client.send_layer(layer_body(Layer(source)))
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
        return ellipse(self.sitter.shape[:2], self.square, (0.5, 0.62), (0.22, 0.15))

    def hair(self) -> MaskPixels:
        """A soft selection of the upper part of the head, without the face."""
        size, square = self.sitter.shape[:2], self.square
        head = ellipse(size, square, (0.5, 0.30), (0.44, 0.40), softness=0.25)
        face = ellipse(size, square, (0.5, 0.58), (0.27, 0.30), softness=0.4)
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
            self.outside[name] = changed_outside(self.sitter, picture, mask)
        return picture

    def _layer(self) -> str:
        return self.client.send_layer(layer_body(Layer(self.sitter)))

    def _face(self, control: str, strength: float) -> Pixels:
        """The generator's square of a preview, as far as it lies inside the picture."""
        edits = {control: strength} if strength else {}
        request = {"layer": self._layer(), "generator": self.generator.name, "edits": edits}
        body = self.client.preview(self._session, request | {"side": PREVIEW_SIDE})
        small = body_layer(body).rgb()
        scale = small.shape[0] / self.sitter.shape[0]
        side = round(self.square.side * scale)
        left = round(np.clip(self.square.left * scale, 0, max(0, small.shape[1] - side)))
        top = round(np.clip(self.square.top * scale, 0, max(0, small.shape[0] - side)))
        return np.ascontiguousarray(small[top : top + side, left : left + side])
