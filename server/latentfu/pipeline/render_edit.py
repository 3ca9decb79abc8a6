"""The pictures of an edit: of the inversion and of the edited latent, whole or quick."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from latentfu.core.generator import Generator
from latentfu.core.latent import Latent
from latentfu.core.value_effect import ControlValue
from latentfu.pipeline.apply_controls import EditOptions, apply_controls
from latentfu.pipeline.cache import ControlCache, LRUCache
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.invert import CachedInversion
from latentfu.pipeline.preview import choose_side, render_quick, show_quick
from latentfu.pipeline.render import Rendered, render_latent, show_codes
from latentfu.protocol.requests import ControlsRequest, PreviewRequest

Values = Mapping[str, ControlValue]
"""What controls that are no sliders are set to."""
NO_VALUES: Values = {}


def make_edit_options(request: ControlsRequest, values: Values = NO_VALUES) -> EditOptions:
    """How the controls of a request are applied, beside their strengths."""
    return EditOptions(
        request.targets, request.only, request.truncation == "first", request.identity, values
    )


class EditRenderer:
    """Draws what requests with controls ask for, and keeps the pictures of inversions.

    Pictures are float32 ``[3, R, R]`` in -1..1.
    """

    def __init__(self, controls: ControlCache) -> None:
        self._controls = controls
        self._renders: LRUCache[Floats] = LRUCache(24)

    def clear(self) -> None:
        """Let go of the pictures that were kept."""
        self._renders.clear()

    def render_inversion(self, generator: Generator, found: CachedInversion) -> Floats:
        """The picture of the inversion."""
        latent = found.inversion.latent
        return self._renders.get_or_make(found.key, lambda: render_latent(generator, latent))

    def render(
        self,
        request: ControlsRequest,
        resolved: ResolvedRequest,
        found: CachedInversion,
        values: Values = NO_VALUES,
    ) -> Rendered:
        """The pictures of the edited latent and of the inversion."""
        generator, before = resolved.generator, found.inversion.latent
        latent = self._edit_latent(request, resolved, before, values)
        inverted = self.render_inversion(generator, found)
        if latent is before:
            return inverted, inverted, None
        edited = render_latent(generator, latent)

        def show(one: Latent) -> Floats:
            return render_latent(generator, one)

        if not (before.details or latent.details):  # then these are the pictures of the codes
            return edited, inverted, show_codes(before, latent, (inverted, edited), show)
        ends = self._render_codes(generator, found), show(replace(latent, details=()))
        return edited, inverted, show_codes(before, latent, ends, show)

    def render_quick(
        self,
        request: PreviewRequest,
        resolved: ResolvedRequest,
        found: CachedInversion,
        side: float,
        values: Values = NO_VALUES,
    ) -> Rendered:
        """The same for about ``side`` pixels, from pictures that are ``quick`` times smaller.

        They are drawn without the inversion's feature offsets, which the whole picture has.
        """
        generator = resolved.generator
        shown = min(math.ceil(side), generator.resolution)
        small = choose_side(generator.resolution, shown, request.quick)
        if 2 * small > generator.resolution:  # Then it is the whole, which is asked for next.
            return self.render(request, resolved, found, values)
        inversion = found.inversion.latent
        before = replace(inversion, details=()) if inversion.details else inversion
        latent = self._edit_latent(request, resolved, before, values)
        whole = self.render_inversion(generator, found)
        if latent is before:
            return whole, whole, None
        base = self._renders.get_or_make(
            f"{found.key} codes at {small}", lambda: render_quick(generator, before, small)
        )
        codes = self._render_codes(generator, found) if inversion.details else whole
        return show_quick(generator, (before, latent), (whole, codes, base), shown)

    def _render_codes(self, generator: Generator, found: CachedInversion) -> Floats:
        """The inversion's picture without its feature offsets."""
        codes = replace(found.inversion.latent, details=())
        return self._renders.get_or_make(
            f"{found.key} codes", lambda: render_latent(generator, codes)
        )

    def _edit_latent(
        self,
        request: ControlsRequest,
        resolved: ResolvedRequest,
        latent: Latent,
        values: Values,
    ) -> Latent:
        """The edited latent; ``latent`` itself where nothing is asked for."""
        return apply_controls(
            latent,
            request.edits,
            resolved.controls,
            resolved.generator,
            cache=self._controls,
            psi=request.psi,
            options=make_edit_options(request, values),
        )
