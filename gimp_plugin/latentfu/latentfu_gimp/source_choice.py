"""Which other layer is taken from: a list of all that are open, and a small picture of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gi.repository import GdkPixbuf, Gimp, Gtk

from .layers import Target, check_layer, has_own_pixels
from .pixbufs import DARK, LIGHT, pixbuf
from .pixels import read_layer
from .widgets import Choice
from .wire import Picture

THUMBNAIL = 140


def list_sources(layer: Gimp.Layer) -> list[Gimp.Layer]:
    """Every other layer with pixels, the same image's first."""
    home = layer.get_image()
    images = [home, *(image for image in Gimp.get_images() if image != home)]
    found = [other for image in images for other in flatten_layers(image.get_layers())]
    return [other for other in found if other != layer and has_own_pixels(other)]


def flatten_layers(layers: Sequence[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    """The layers and all that lie in groups among them; the groups themselves are left out."""
    for layer in layers:
        if layer.is_group():
            yield from flatten_layers(layer.get_children())
        else:
            yield layer


class SourceChoice:
    """``changed`` is called when another layer is chosen."""

    def __init__(
        self,
        label: str,
        names: Gtk.SizeGroup,
        target: Target,
        sources: Sequence[Gimp.Layer],
        changed: Callable[[], None],
    ) -> None:
        self._sources = {str(layer.get_id()): layer for layer in sources}
        self._pictures: dict[str, Picture] = {}
        self._choice = Choice(label, names, changed)
        self._choice.show(self._list_titles(target.image), _first_source(target))
        self._choice.widget.show()
        self._thumbnail = Gtk.Image()
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        self.widget.pack_start(self._choice.widget, False, False, 0)
        self.widget.pack_start(self._thumbnail, False, False, 0)

    @property
    def layer(self) -> Gimp.Layer:
        """The chosen one; raises PluginError when it is gone."""
        return check_layer(self._sources[self._choice.name])

    def read(self) -> Picture:
        """Its pixels, read once, which are shown in small; raises PluginError."""
        name = self._choice.name
        if name not in self._pictures:
            self._pictures[name] = read_layer(self.layer)
        self._thumbnail.set_from_pixbuf(_shrink(self._pictures[name]))
        return self._pictures[name]

    def _list_titles(self, home: Gimp.Image) -> list[dict[str, str]]:
        """The layers with their names; of another image with the image's name."""
        named = []
        for name, layer in self._sources.items():
            title = layer.get_name()
            if layer.get_image() != home:
                title = f"{title} ({layer.get_image().get_name()})"
            named.append({"name": name, "title": title})
        return named


def _first_source(target: Target) -> str:
    """Which layer an earlier result took from; "" when that is not known or gone."""
    earlier = target.earlier
    tattoo = int(earlier.taken.get("source_tattoo") or 0) if earlier else 0
    layer = target.image.get_layer_by_tattoo(tattoo) if tattoo else None
    return str(layer.get_id()) if layer else ""


def _shrink(picture: Picture) -> GdkPixbuf.Pixbuf | None:
    scale = THUMBNAIL / max(picture.width, picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    smooth = GdkPixbuf.InterpType.BILINEAR
    return pixbuf(picture).composite_color_simple(*size, smooth, 255, 8, LIGHT, DARK)
