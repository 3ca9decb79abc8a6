"""The window of ``Mix with layer...``: which layer, which of its network layers, a live preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gi.repository import GdkPixbuf, Gimp, Gtk

from . import jobs
from .arguments import parse_layers
from .errors import CancelledError, PluginError
from .layers import Target, check_layer, chosen_layer, insert_result, plain_target, show_report
from .pixels import read_layer
from .preview import PreviewPane, pixbuf
from .procedures.common import read_common_arguments
from .procedures.mix import name_mix
from .remember import remembered
from .session import Catalog, Session, Watcher
from .widgets import Choice, StatusLine, feather_entry, lay_out, new_dialog, on_main
from .wire import Picture

LAST_LAYER = 17
THUMBNAIL = 200
EXPLAINED = (
    "Early network layers carry pose and shape of the head, middle ones the features, late ones "
    "colors and light."
)


def mix_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the new layer, or CancelledError."""
    layer = chosen_layer(drawables)
    sources = _sources(layer)
    if not sources:
        raise PluginError(
            "There is no second layer to mix with: open another portrait or add it as a layer."
        )
    target = plain_target(image, layer)
    dialog = MixDialog(target, sources, config)
    try:
        work, result = dialog.run()
        name = name_mix(dialog.source, work.layers)
    finally:
        dialog.close()
    new = insert_result(target, result, name, remembered(target, work, result))
    if result.report.get("unchanged"):  # the window itself has told how well it fits
        show_report(result, in_window=True)
    return new


def _sources(layer: Gimp.Layer) -> list[Gimp.Layer]:
    """Every other layer with pixels, the same image's first."""
    home = layer.get_image()
    images = [home, *(image for image in Gimp.get_images() if image != home)]
    found = []
    for image in images:
        for other in _flat(image.get_layers()):
            if other != layer and not other.is_group() and type(other).__name__ == "Layer":
                found.append(other)
    return found


def _flat(layers: Sequence[Gimp.Layer]) -> list[Gimp.Layer]:
    found: list[Gimp.Layer] = []
    for layer in layers:
        found.append(layer)
        if layer.is_group():
            found.extend(_flat(layer.get_children()))
    return found


class MixDialog:
    """``source`` is the layer whose features are taken."""

    def __init__(
        self, target: Target, sources: list[Gimp.Layer], config: Gimp.ProcedureConfig
    ) -> None:
        self._target, self._config = target, config
        self._sources = {str(layer.get_id()): layer for layer in sources}
        self._pictures: dict[str, Picture] = {}
        self._tried: tuple[jobs.Work, jobs.Result] | None = None
        self._common = read_common_arguments(config)
        self._dialog = new_dialog("Mix with layer", "latentfu-mix")
        self._preview = PreviewPane(target.picture, lambda: None)
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._source = Choice("_From layer", names, self._changed)
        self._thumbnail = Gtk.Image()
        self._first, self._last = _layer_spins(config, self._changed)
        self._feather = feather_entry(config.get_property("feather"), self._changed)
        self._status = StatusLine()
        self._session = Session(on_main, Watcher(self._busy, self._failed))
        self._lay_out(names)

    @property
    def source(self) -> Gimp.Layer:
        """The layer whose features are taken."""
        return self._sources[self._source.name]

    def _lay_out(self, names: Gtk.SizeGroup) -> None:
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        right.set_size_request(340, -1)
        self._source.show(_named(self._target.image, self._sources), "")
        self._source.widget.show()
        right.pack_start(self._source.widget, False, False, 0)
        right.pack_start(self._thumbnail, False, False, 0)
        label = Gtk.Label.new_with_mnemonic("Network _layers")
        label.set_xalign(0.0)
        label.set_mnemonic_widget(self._first)
        names.add_widget(label)
        row = Gtk.Box(spacing=8)
        for widget in (label, self._first, Gtk.Label(label="to"), self._last):
            row.pack_start(widget, False, False, 0)
        right.pack_start(row, False, False, 0)
        hint = Gtk.Label(label=EXPLAINED, xalign=0.0)
        hint.set_line_wrap(True)
        hint.set_max_width_chars(46)
        hint.get_style_context().add_class("dim-label")
        right.pack_start(hint, False, False, 0)
        if self._target.mask:
            right.pack_start(self._feather, False, False, 0)
        lay_out(self._dialog, [self._preview.widget, right], self._status)

    def run(self) -> tuple[jobs.Work, jobs.Result]:
        """Show the window until it is done; raises CancelledError."""
        self._dialog.show_all()
        self._status.busy(0.0, "Looking for the Latent-Fu server ...")
        self._session.open(self._common["generator"], self._opened)
        while True:
            response = self._dialog.run()
            if response != Gtk.ResponseType.OK:
                raise CancelledError
            if self._tried:
                return self._tried

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._session.close()
        self._dialog.destroy()

    def _opened(self, _catalog: Catalog) -> None:
        self._changed()

    def _changed(self) -> None:
        """Mix anew; of several changes in a row only the newest is done."""
        self._tried = None
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        try:
            work = self._work()
        except PluginError as error:
            self._failed(str(error))
            return
        self._thumbnail.set_from_pixbuf(_small(work.source))
        self._sync(work)
        self._busy(0.0, "Mixing the portraits ...")
        self._session.try_out(work, lambda result: self._mixed(work, result))

    def _mixed(self, work: jobs.Work, result: jobs.Result) -> None:
        if work != self._work():
            return  # Something was changed while this was on its way.
        self._tried = (work, result)
        self._preview.show_after(result.picture)
        self._preview.set_quad(result.report.get("quad") or [])
        warning = jobs.tell_fit(result.report)
        if warning:
            self._status.warn(warning)
        else:
            self._status.idle("Apply puts this into a new layer.")
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, True)

    def _busy(self, fraction: float, sentence: str) -> None:
        self._status.busy(fraction, sentence)

    def _failed(self, sentence: str) -> None:
        self._status.error(sentence)

    def _work(self) -> jobs.Work:
        name = self._source.name
        if name not in self._pictures:
            self._pictures[name] = read_layer(check_layer(self._sources[name]))
        layers = parse_layers(f"{self._first.get_value_as_int()}-{self._last.get_value_as_int()}")
        arguments = {**self._common, "feather": self._feather.get_value()}
        return jobs.Work(
            self._target.picture,
            self._target.mask,
            source=self._pictures[name],
            layers=layers,
            **arguments,
        )

    def _sync(self, work: jobs.Work) -> None:
        """Into the procedure's arguments, so that repeating the filter repeats this mix."""
        self._config.set_property("source", self.source)
        self._config.set_property("layers", f"{work.layers[0]}-{work.layers[1]}")
        self._config.set_property("feather", work.feather)


def _layer_spins(config: Gimp.ProcedureConfig, changed: Callable[[], None]) -> list[Gtk.SpinButton]:
    try:
        values = parse_layers(config.get_property("layers") or "4-7")
    except PluginError:
        values = (4, 7)
    spins = []
    for value in values:
        spin = Gtk.SpinButton.new_with_range(0, LAST_LAYER, 1)
        spin.set_value(value)
        spin.connect("value-changed", lambda _spin: changed())
        spins.append(spin)
    return spins


def _named(home: Gimp.Image, layers: dict[str, Gimp.Layer]) -> list[dict[str, str]]:
    named = []
    for name, layer in layers.items():
        title = layer.get_name()
        if layer.get_image() != home:
            title = f"{title} ({layer.get_image().get_name()})"
        named.append({"name": name, "title": title})
    return named


def _small(picture: Picture | None) -> GdkPixbuf.Pixbuf | None:
    if picture is None:
        return None
    scale = THUMBNAIL / max(picture.width, picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    smooth = GdkPixbuf.InterpType.BILINEAR
    return pixbuf(picture).composite_color_simple(*size, smooth, 255, 8, 0x999999, 0x666666)
