"""The layers of a sweep: made one by one, put into the image together, in one undo step."""

from __future__ import annotations

from dataclasses import replace

from gi.repository import Gimp

from .errors import PluginError
from .jobs import Result, Work
from .layers import Target, check_layer
from .remember import remembered
from .results import NOTHING_CHANGED, check_unresized, prepare_result, shows_through
from .sweeps import AS_GROUP, AS_IMAGE, SweepPlan


class FrameLayers:
    """Collects the layers of ``plan``; :meth:`insert` or :meth:`drop` ends it.

    With ``form`` image they are made in a copy of the image that has no other layer.
    """

    def __init__(self, target: Target, plan: SweepPlan, form: str) -> None:
        self._plan, self._form, self._changed = plan, form, False
        self._copy: Gimp.Image | None = None
        self._target = target
        if form == AS_IMAGE:
            self._copy = target.image.duplicate()
            layer = check_layer(self._copy.get_layer_by_tattoo(target.layer.get_tattoo()))
            self._target = replace(target, image=self._copy, layer=layer)
        self._layers: list[Gimp.Layer] = []

    @property
    def count(self) -> int:
        """How many steps are done."""
        return len(self._layers)

    def add(self, work: Work, result: Result) -> None:
        """The next step; raises PluginError when the layer is no longer as it was read."""
        step = self.count
        kept = remembered(self._target, work, result)
        made = prepare_result(self._target, result, self._plan.name_layer(step), kept)
        self._changed = self._changed or result.changes(self._target.picture)
        self._layers.append(made.layer)

    def insert(self) -> Gimp.Layer:
        """Put them in, the first at the bottom; the group, or the topmost layer.

        Raises PluginError when no pixel of any has changed.
        """
        check_unresized(self._target)
        if not self._changed:
            raise PluginError(NOTHING_CHANGED)
        layers, self._layers = self._in_order(), []
        image = self._target.image
        image.undo_group_start()
        try:
            found = self._put(layers)
            if self._copy:
                self._leave_alone(layers)
        finally:
            image.undo_group_end()
        self._copy = None  # Now it is the user's.
        Gimp.displays_flush()
        return found

    def drop(self) -> None:
        """Forget what was made so far."""
        for layer in self._layers:
            layer.delete()
        self._layers = []
        if self._copy:
            self._copy.delete()
            self._copy = None

    def _in_order(self) -> list[tuple[Gimp.Layer, int]]:
        """A layer for each moment, with its step; on the way back they are copies."""
        moments: list[tuple[Gimp.Layer, int]] = []
        for number, step in enumerate(self._plan.order):
            first = number < len(self._layers)
            moments.append((self._layers[step] if first else self._layers[step].copy(), step))
        return moments

    def _put(self, layers: list[tuple[Gimp.Layer, int]]) -> Gimp.Layer:
        target, image = self._target, self._target.image
        parent: Gimp.Layer | None = None
        position = 0
        if not self._copy:
            parent = target.layer.get_parent()
            position = image.get_item_position(target.layer)
        found = layers[-1][0]
        if self._form == AS_GROUP:
            found = Gimp.GroupLayer.new(image, self._plan.title)
            image.insert_layer(found, parent, position)
            parent, position = found, 0
        for layer, step in layers:
            image.insert_layer(layer, parent, position)
            layer.set_name(self._plan.name_layer(step))
        if shows_through(target):
            target.layer.set_visible(False)
        return found

    def _leave_alone(self, layers: list[tuple[Gimp.Layer, int]]) -> None:
        """Nothing in the new image but what was made."""
        image, kept = self._target.image, {layer.get_id() for layer, _step in layers}
        for layer in image.get_layers():
            if layer.get_id() not in kept:
                image.remove_layer(layer)
        image.resize_to_layers()
        if not Gimp.Selection.is_empty(image):
            Gimp.Selection.none(image)
