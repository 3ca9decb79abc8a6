"""What the windows have in common that take from another layer: each change is tried out whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import AS_LAYER, read_common_arguments
from .choices import list_forms
from .errors import PluginError, StoppedError
from .layers import Target, chosen_layer, comes_apart, refresh, target_again
from .preview import PreviewPane
from .questions import Paint, ask_about_painting
from .remember import name_taken, remembered
from .results import Placing, insert_result
from .session import Catalog, Document, Session, Watcher
from .source_choice import SourceChoice, list_sources
from .translate import _
from .widgets import Choice, StatusLine, feather_row, lay_out, new_dialog, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

DONE = 1
CHANGED = _("The layer has changed: look at the new preview, then apply.")


@dataclass(frozen=True)
class Texts:
    """What a window says: titles, the label of the other layer, what is being done."""

    title: str
    again: str
    source: str
    working: str
    deep: str
    ready: str


def find_target(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], kind: str, nothing: str
) -> tuple[Target, list[Gimp.Layer]]:
    """The layer, opened again if it is a result of that kind, and the layers to take from.

    Raises PluginError; ``nothing`` where there is no other layer.
    """
    layer = chosen_layer(drawables)
    sources = list_sources(layer)
    if not sources:
        raise PluginError(nothing)
    target = target_again(image, layer, (kind,))
    if target.earlier:  # The earlier result is no source of itself, what it was made of is.
        sources = [one for one in list_sources(target.layer) if one != layer]
    return target, sources


class TryOutDialog(ABC):
    """A window that shows what comes out before it is applied."""

    def __init__(
        self,
        target: Target,
        sources: list[Gimp.Layer],
        config: Gimp.ProcedureConfig,
        role: str,
        texts: Texts,
    ) -> None:
        self._target, self._config, self._role, self._texts = target, config, role, texts
        self._tried: tuple[jobs.Work, jobs.Result] | None = None
        self._applying = self._learnt = False
        self._common: dict[str, Any] = read_common_arguments(config)
        earlier = target.earlier
        if earlier:
            again = {"generator": earlier.generator, "inverter": earlier.method}
            self._common = {**again, "options": earlier.options, "feather": earlier.feather}
        self._dialog = new_dialog(texts.again if earlier else texts.title, role)
        restore_size(self._dialog, role, 860, 620)
        self._preview = PreviewPane(target.picture, lambda: None)
        self._names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._source = SourceChoice(texts.source, self._names, target, sources, self._changed)
        longest = max(target.picture.width, target.picture.height)
        self._feather = feather_row(self._common["feather"], longest, self._changed)
        self._status = StatusLine(with_report=True)
        self._session = Session(on_main, Watcher(self._status.busy, self._status.error))
        self._right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        self._right.set_size_request(340, -1)
        self._right.pack_start(self._source.widget, False, False, 0)
        self._add_rows(self._right)
        if target.mask:
            self._right.pack_start(self._feather.widget, False, False, 0)
        self._form = Choice(_("Res_ult"), self._names, lambda: None)
        forms = list_forms(target.layer.get_mask() is not None)
        self._form.show(forms, earlier.form if earlier else config.get_property("as") or AS_LAYER)
        self._right.pack_start(self._form.widget, False, False, 0)
        lay_out(self._dialog, [self._preview.widget, self._right], self._status)

    @abstractmethod
    def _add_rows(self, right: Gtk.Box) -> None:
        """What this window has below the other layer."""

    @abstractmethod
    def _offer(self, catalog: Catalog) -> None:
        """The server is there: show what it has."""

    @abstractmethod
    def _learn_about(self, report: Document) -> None:
        """The layer is learnt: show what depends on it."""

    @abstractmethod
    def _complete(self, work: jobs.Work) -> jobs.Work:
        """``work`` with what this window chooses; raises PluginError when that is nothing."""

    @abstractmethod
    def _keep(self, work: jobs.Work) -> None:
        """Into the procedure's arguments, so that repeating the filter repeats this."""

    @abstractmethod
    def _tell(self, result: jobs.Result) -> None:
        """Show what came out, beside the picture."""

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
        keep_size(self._dialog, self._role)
        self._dialog.destroy()

    def _opened(self, catalog: Catalog) -> None:
        self._offer(catalog)
        self._learn()

    def _learn(self) -> None:
        """Find the layer's face in the network; what follows is shown then."""
        work = jobs.Work(self._target.picture, self._target.mask, **self._common)
        self._session.prepare(work, self._prepared)

    def _prepared(self, report: Document) -> None:
        self._learnt = True
        self._learn_about(report)
        self._changed()

    def _apply(self) -> None:
        """Put in what is shown; for more than 8 bits it is asked for once more, exactly."""
        if not self._tried:
            return
        work, result = self._tried
        paint = ask_about_painting(self._dialog, self._target, can_keep=False)
        if paint is None:
            return
        self._paint = paint
        self._config.set_property("as", self._form.name)
        self._applying = True
        self._right.set_sensitive(False)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        apart = comes_apart(self._target, self._form.name)
        if self._target.deep or apart:
            self._status.busy(0.0, self._texts.deep if self._target.deep else self._texts.working)
            exact = replace(work, deep=self._target.deep, apart=apart)
            self._session.finish([exact], self._finished)
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
                raise PluginError(CHANGED)
            source = self._source.layer
            beside, form = self._paint is Paint.BESIDE, self._form.name
            kept = remembered(self._target, work, result, source, form)
            name = name_taken(source.get_name(), work)
            return insert_result(self._target, result, name, kept, Placing(beside, form=form))
        except PluginError as error:
            self._applying = False
            self._right.set_sensitive(True)
            self._changed()
            self._status.error(str(error))
            return None

    def _changed(self) -> None:
        """Try anew; of several changes in a row only the newest is done."""
        if self._applying or not self._learnt:
            return
        self._tried = None
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        try:
            work = self._work()
        except PluginError as error:
            self._preview.forget_after()
            self._status.error(str(error))
            return
        self._config.set_property("source", self._source.layer)
        self._config.set_property("feather", work.feather)
        self._keep(work)
        self._status.busy(0.0, self._texts.working)
        self._session.try_out(work, lambda result: self._show(work, result))

    def _show(self, work: jobs.Work, result: jobs.Result) -> None:
        if self._applying or not self._is_newest(work):
            return  # Something was changed while this was on its way.
        self._tried = (work, result)
        assert isinstance(result.picture, Picture)
        self._preview.show_after(result.picture)
        self._preview.set_quad(result.report.get("quad") or [])
        self._tell(result)
        warning = jobs.tell_fit(result.report)
        if warning:
            self._status.warn(warning)
        else:
            self._status.idle(self._texts.ready)
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, True)

    def _is_newest(self, work: jobs.Work) -> bool:
        try:
            return work == self._work()
        except PluginError:
            return False

    def _work(self) -> jobs.Work:
        common = {**self._common, "feather": self._feather.value}
        plain = jobs.Work(self._target.picture, self._target.mask, **common)
        return self._complete(replace(plain, source=self._source.read()))
