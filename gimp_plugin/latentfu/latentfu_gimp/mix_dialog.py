"""The window of ``Mix with layer...``: which layer, which of its network layers, a live preview."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gi.repository import GdkPixbuf, Gimp, Gtk

from . import jobs
from .arguments import name_mix, parse_layers, read_common_arguments
from .errors import PluginError, StoppedError
from .layers import Target, check_layer, chosen_layer, refresh, target_again
from .pixbufs import DARK, LIGHT, pixbuf
from .pixels import read_layer
from .preview import PreviewPane
from .remember import remembered
from .results import insert_result
from .rows import keep_from_wheel
from .session import Catalog, Document, Session, Watcher
from .translate import N_, _
from .widgets import Choice, StatusLine, feather_row, lay_out, new_dialog, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

ROLE = "latentfu-mix"
DONE = 1
PARTS = (
    (N_("Pose and shape"), 0.22),
    (N_("Features"), 0.45),
    (N_("Hair and colors"), 0.75),
    (N_("Texture"), 1.0),
)
"""What may be taken, and where in the network it ends."""
OWN = {"name": "", "title": _("Layers of your own")}
THUMBNAIL = 200
EXPLAINED = _(
    "Early network layers carry pose and shape of the head, middle ones the features, late ones "
    "colors and light."
)


def mix_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the new layer, or StoppedError."""
    layer = chosen_layer(drawables)
    sources = _sources(layer)
    if not sources:
        raise PluginError(
            _("There is no second layer to mix with: open another portrait or add it as a layer.")
        )
    target = target_again(image, layer, mix=True)
    if target.earlier:  # The earlier mix is no source of itself, what it was made of is.
        sources = [one for one in _sources(target.layer) if one != layer]
    dialog = MixDialog(target, sources, config)
    try:
        return dialog.run()
    finally:
        dialog.close()


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
        self._applying = False
        self._network_layers = 0
        self._common = read_common_arguments(config)
        earlier = target.earlier
        if earlier:
            again = {"generator": earlier.generator, "inverter": earlier.method}
            self._common = {**again, "feather": earlier.feather}
        title = _("Mix with layer again") if earlier else _("Mix with layer")
        self._dialog = new_dialog(title, ROLE)
        restore_size(self._dialog, ROLE, 860, 620)
        self._preview = PreviewPane(target.picture, lambda: None)
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._source = Choice(_("_From layer"), names, self._changed)
        self._thumbnail = Gtk.Image()
        self._part = Choice(_("_Take"), names, self._take_part)
        self._first, self._last = _layer_spins(_read_layers(target, config), self._move_layers)
        longest = max(target.picture.width, target.picture.height)
        self._feather = feather_row(self._common["feather"], longest, self._changed)
        self._status = StatusLine(with_report=True)
        self._session = Session(on_main, Watcher(self._busy, self._failed))
        self._lay_out(names)

    @property
    def source(self) -> Gimp.Layer:
        """The layer whose features are taken."""
        return self._sources[self._source.name]

    def _lay_out(self, names: Gtk.SizeGroup) -> None:
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        right.set_size_request(340, -1)
        self._source.show(_named(self._target.image, self._sources), self._first_source())
        self._source.widget.show()
        right.pack_start(self._source.widget, False, False, 0)
        right.pack_start(self._thumbnail, False, False, 0)
        right.pack_start(self._part.widget, False, False, 0)
        label = Gtk.Label.new_with_mnemonic(_("Network _layers"))
        label.set_xalign(0.0)
        label.set_mnemonic_widget(self._first)
        names.add_widget(label)
        row = Gtk.Box(spacing=8)
        for widget in (label, self._first, Gtk.Label(label=_("to")), self._last):
            row.pack_start(widget, False, False, 0)
        right.pack_start(row, False, False, 0)
        hint = Gtk.Label(label=EXPLAINED, xalign=0.0)
        hint.set_line_wrap(True)
        hint.set_max_width_chars(46)
        hint.get_style_context().add_class("dim-label")
        right.pack_start(hint, False, False, 0)
        if self._target.mask:
            right.pack_start(self._feather.widget, False, False, 0)
        self._right = right
        lay_out(self._dialog, [self._preview.widget, right], self._status)

    def _first_source(self) -> str:
        """Which layer an earlier mix took from; "" when that is not known or gone."""
        earlier = self._target.earlier
        tattoo = int(earlier.mix.get("source_tattoo") or 0) if earlier else 0
        layer = self._target.image.get_layer_by_tattoo(tattoo) if tattoo else None
        return str(layer.get_id()) if layer else ""

    def run(self) -> Gimp.Layer:
        """Show the window until a layer is made; raises StoppedError."""
        self._dialog.show_all()
        self._status.busy(0.0, _("Looking for the Latent-Fu server ..."))
        self._session.open(self._common["generator"], self._opened)
        while True:
            response = self._dialog.run()
            if response == DONE:
                layer = self._insert()
                if layer is not None:
                    return layer
            elif response != Gtk.ResponseType.OK:
                raise StoppedError
            elif not self._applying:
                self._apply()

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._session.close()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _opened(self, _catalog: Catalog) -> None:
        work = jobs.Work(self._target.picture, self._target.mask, **self._common)
        self._session.prepare(work, self._prepared)

    def _prepared(self, report: Document) -> None:
        """How many layers the network has is known: offer its parts by name."""
        self._network_layers = count = int(report.get("network_layers") or 18)
        for spin in (self._first, self._last):
            spin.set_range(0, count - 1)
        parts = [{"name": name, "title": _(name)} for name, _end in PARTS if self._layers_of(name)]
        self._part.show([OWN, *parts], self._part_of_layers())
        self._changed()

    def _layers_of(self, part: str) -> tuple[int, int] | None:
        """The first and last layer of a part; None in a network too small for it."""
        names = [name for name, _ in PARTS]
        ends = [0, *(round(end * self._network_layers) for _, end in PARTS)]
        first, last = ends[names.index(part)], ends[names.index(part) + 1] - 1
        return (first, last) if first <= last else None

    def _part_of_layers(self) -> str:
        chosen = (self._first.get_value_as_int(), self._last.get_value_as_int())
        return next((name for name, _ in PARTS if self._layers_of(name) == chosen), "")

    def _take_part(self) -> None:
        layers = self._layers_of(self._part.name) if self._part.name else None
        if layers:
            self._first.set_value(layers[0])
            self._last.set_value(layers[1])

    def _move_layers(self) -> None:
        if self._network_layers:
            self._part.choose(self._part_of_layers())
            self._changed()

    def _apply(self) -> None:
        """Put in what is shown; for more than 8 bits it is asked for once more, exactly."""
        if not self._tried:
            return
        work, result = self._tried
        self._applying = True
        self._right.set_sensitive(False)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        if self._target.deep:
            self._busy(0.0, _("Mixing in the layer's own precision ..."))
            self._session.finish([replace(work, deep=True)], self._finished)
        else:  # once the dialog runs again: before that nothing would hear its answer
            on_main(lambda: self._finished([result]))

    def _finished(self, results: list[jobs.Result]) -> None:
        assert self._tried
        self._tried = (self._tried[0], results[0])
        self._dialog.response(DONE)

    def _insert(self) -> Gimp.Layer | None:
        """The new layer; None when the window has to stay."""
        assert self._tried
        work, result = self._tried
        try:
            again = refresh(self._target)
            if again is not None:
                self._target = again
                self._preview.set_picture(again.picture)
                raise PluginError(_("The layer has changed: look at the new preview, then apply."))
            name = name_mix(check_layer(self.source).get_name(), work.layers)
            kept = remembered(self._target, work, result, self.source)
            return insert_result(self._target, result, name, kept)
        except PluginError as error:
            self._applying = False
            self._right.set_sensitive(True)
            self._changed()
            self._failed(str(error))
            return None

    def _changed(self) -> None:
        """Mix anew; of several changes in a row only the newest is done."""
        if self._applying:
            return
        self._tried = None
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        try:
            work = self._work()
        except PluginError as error:
            self._failed(str(error))
            return
        self._thumbnail.set_from_pixbuf(_small(work.source))
        self._sync(work)
        self._busy(0.0, _("Mixing the portraits ..."))
        self._session.try_out(work, lambda result: self._mixed(work, result))

    def _mixed(self, work: jobs.Work, result: jobs.Result) -> None:
        if self._applying or work != self._work():
            return  # Something was changed while this was on its way.
        self._tried = (work, result)
        assert isinstance(result.picture, Picture)
        self._preview.show_after(result.picture)
        self._preview.set_quad(result.report.get("quad") or [])
        warning = jobs.tell_fit(result.report)
        if warning:
            self._status.warn(warning)
        else:
            self._status.idle(_("Apply puts this into a new layer."))
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
        arguments = {**self._common, "feather": self._feather.value}
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


def _read_layers(target: Target, config: Gimp.ProcedureConfig) -> tuple[int, int]:
    """The network layers of the earlier mix, else those of the last time."""
    earlier = target.earlier
    try:
        if earlier:
            first, last = earlier.mix["layers"]
            return parse_layers(f"{int(first)}-{int(last)}")
        return parse_layers(config.get_property("layers") or "4-7")
    except (PluginError, KeyError, ValueError, TypeError):
        return 4, 7


def _layer_spins(values: tuple[int, int], changed: Callable[[], None]) -> list[Gtk.SpinButton]:
    spins = []
    for value in values:
        spin = Gtk.SpinButton.new_with_range(0, max(values), 1)
        keep_from_wheel(spin)
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
    return pixbuf(picture).composite_color_simple(*size, smooth, 255, 8, LIGHT, DARK)
