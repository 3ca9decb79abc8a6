"""The same edit on several layers: which they are, what comes of each, one undo step an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gi.repository import Gimp

from .arguments import AS_LAYER, layer_name
from .errors import PluginError
from .exemplars import PictureReader
from .jobs import Result, Work, tell_fit
from .layers import Target, check_layer, comes_apart, plain_target, read_state
from .remember import remembered
from .results import Placing, PreparedLayer, insert_prepared, prepare_result, tell_unchanged
from .source_choice import flatten_layers
from .translate import _, ngettext
from .wire import Picture

SELECTED, OF_IMAGE, OF_ALL = "selected", "image", "all"
"""Which layers: those that are selected, all of the image, all of all open images."""
WHICH = (
    {"name": SELECTED, "title": _("Selected layers")},
    {"name": OF_IMAGE, "title": _("All layers of this image")},
    {"name": OF_ALL, "title": _("All layers of all open images")},
)
_NO_PICTURE = Picture(0, 0, 3, b"")


def list_drawables(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], which: str
) -> list[Gimp.Drawable]:
    """The layers that are meant, image by image, this one first.

    Of all layers those are left out that an edit has made. Raises PluginError when there is none.
    """
    found = list(drawables)
    if which != SELECTED:
        others = Gimp.get_images() if which == OF_ALL else []
        images = [image, *(one for one in others if one != image)]
        layers = [layer for one in images for layer in flatten_layers(one.get_layers())]
        found = [layer for layer in layers if read_state(layer) is None]
    if not found:
        raise PluginError(_("There is no layer to edit: select some, or open an image."))
    return found


@dataclass
class LayerBatch:
    """``drawables`` are edited one after the other; :meth:`end` puts in what is done.

    ``work``: what is done with each, but for its picture and mask. ``form``: what each result
    becomes. ``skipped``: names of layers with the reason, a sentence each; ``notes``: the same of
    what a person must know of those that were edited.
    """

    drawables: Sequence[Gimp.Drawable]
    work: Work
    form: str = AS_LAYER
    skipped: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    edited: int = 0
    _ready: list[PreparedLayer] = field(default_factory=list)

    def start(self, number: int) -> tuple[Target, Work] | None:
        """Read a layer; None when it is left out. What is done of the image before is put in."""
        drawable = self.drawables[number]
        try:
            layer = check_layer(drawable)
            if self._ready and self._ready[0].target.image != layer.get_image():
                self._insert()
            target = plain_target(layer.get_image(), layer)
        except PluginError as error:
            self.skip(number, str(error))
            return None
        read = replace(self.work, layer=target.picture, mask=target.mask)
        work = replace(read, deep=target.deep, apart=comes_apart(target, self.form))
        try:
            return target, PictureReader(target.image).give(work)
        except PluginError as error:
            self.skip(number, str(error))
            return None

    def take(self, number: int, target: Target, work: Work, result: Result) -> None:
        """Keep a result until those of the same image are put in."""
        try:
            if not result.changes(target.picture):
                raise PluginError(tell_unchanged(result))
            kept = remembered(target, work, result, form=self.form)
            placing = Placing(form=self.form)
            made = prepare_result(target, result, layer_name(work.edits), kept, placing)
        except PluginError as error:
            self.skip(number, str(error))
            return
        note = tell_fit(result.report)
        if note:
            self.notes.append((self.name(number), note))
        # Pictures of many large layers would fill the memory.
        small = replace(target, picture=_NO_PICTURE, mask=None)
        self._ready.append(replace(made, target=small))

    def skip(self, number: int, sentence: str) -> None:
        """A layer cannot be edited."""
        self.skipped.append((self.name(number), sentence))

    def name(self, number: int) -> str:
        """Of a layer; with that of its image where there are several."""
        layer = self.drawables[number]
        if not layer.is_valid():
            return _("A layer that is gone")
        images = {one.get_image().get_id() for one in self.drawables if one.is_valid()}
        name: str = layer.get_name()
        return f"{name} ({layer.get_image().get_name()})" if len(images) > 1 else name

    def end(self) -> None:
        """Put in what is done."""
        self._insert()

    def _insert(self) -> None:
        ready, self._ready = self._ready, []
        there = []
        for one in ready:
            if one.target.layer.is_valid():
                there.append(one)
            else:
                one.layer.delete()
                gone = _("The layer is no longer there: choose another.")
                self.skipped.append((_("A layer that is gone"), gone))
        insert_prepared(there)
        self.edited += len(there)

    def tell(self) -> str:
        """How many were edited, and a line for each that was left out or needs a word."""
        count = self.edited
        lines = [
            ngettext("{count} layer edited.", "{count} layers edited.", count).format(count=count)
        ]
        lines += [f"{name}: {sentence}" for name, sentence in [*self.skipped, *self.notes]]
        return "\n".join(lines)
