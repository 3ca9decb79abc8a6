"""The window of ``Region to layer mask...``: which regions, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from gi.repository import Gimp, Gtk

from . import jobs
from .arguments import read_regions, write_regions
from .errors import PluginError, StoppedError
from .layers import Target, chosen_layer, plain_target
from .pixbufs import dim_outside
from .preview import PreviewPane
from .region_masks import AS_SELECTION, GOALS, put_mask
from .sent_texts import translate_sent
from .session import Session, Watcher
from .translate import _, format_share
from .widgets import Choice, StatusLine, lay_out, new_dialog, on_main
from .window_size import keep_size, restore_size
from .wire import Picture

ROLE = "latentfu-region"


def mask_with_dialog(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Let the user choose; the layer with its mask, or StoppedError."""
    with closing(RegionDialog(plain_target(image, chosen_layer(drawables)), config)) as dialog:
        return dialog.run()


class RegionDialog:
    """What is chosen stays bright in the preview, the rest is dimmed."""

    def __init__(self, target: Target, config: Gimp.ProcedureConfig) -> None:
        self._target, self._config = target, config
        self._found: jobs.Result | None = None
        self._boxes: dict[str, Gtk.CheckButton] = {}
        self._dialog = new_dialog(_("Region to layer mask"), ROLE)
        restore_size(self._dialog, ROLE, 820, 600)
        self._preview = PreviewPane(target.picture, lambda: None)
        names = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
        self._goal = Choice(_("_Make"), names, lambda: None)
        masked = target.layer.get_mask() is not None
        self._goal.show(GOALS, AS_SELECTION if masked else config.get_property("as"))
        self._status = StatusLine(with_report=True)
        self._session = Session(on_main, Watcher(self._status.busy, self._status.error))
        self._list = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
        self._lay_out()

    def _lay_out(self) -> None:
        scrolled = Gtk.ScrolledWindow()
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.set_shadow_type(Gtk.ShadowType.IN)
        self._list.set_border_width(8)
        scrolled.add(self._list)
        right = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=10)
        right.set_size_request(300, -1)
        right.pack_start(scrolled, True, True, 0)
        right.pack_start(self._goal.widget, False, False, 0)
        lay_out(self._dialog, [self._preview.widget, right], self._status)

    def run(self) -> Gimp.Layer:
        """Show the window until the mask is made; raises StoppedError."""
        self._dialog.show_all()
        self._status.busy(0.0, _("Looking for regions ..."))
        self._session.ask(
            lambda client, report: jobs.ask_regions(client, self._work([]), report), self._listed
        )
        while True:
            if self._dialog.run() != Gtk.ResponseType.OK:
                raise StoppedError
            if self._found:
                try:
                    return self._put(self._found)
                except PluginError as error:
                    self._status.error(str(error))

    def close(self) -> None:
        """Stop what runs and take the window away."""
        self._session.close()
        keep_size(self._dialog, ROLE)
        self._dialog.destroy()

    def _put(self, found: jobs.Result) -> Gimp.Layer:
        self._config.set_property("regions", write_regions(self._chosen()))
        self._config.set_property("as", self._goal.name)
        return put_mask(self._target, found, self._goal.name)

    def _listed(self, result: jobs.Result) -> None:
        """The regions of this picture, the largest first."""
        try:
            wanted = read_regions(self._config.get_property("regions") or "")
        except PluginError:
            wanted = []
        for region in result.report.get("regions") or []:
            name = str(region["name"])
            title = translate_sent(name, "region")
            share = format_share(region["share"])
            box = Gtk.CheckButton.new_with_label(f"{title[:1].upper()}{title[1:]} ({share})")
            box.get_accessible().set_name(title)
            box.set_active(name in wanted)
            box.connect("toggled", lambda _box: self._ask())
            self._boxes[name] = box
            self._list.pack_start(box, False, False, 0)
        self._list.show_all()
        self._ask()

    def _chosen(self) -> list[str]:
        return [name for name, box in self._boxes.items() if box.get_active()]

    def _ask(self) -> None:
        self._found = None
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, False)
        names = self._chosen()
        if not names:
            self._preview.forget_after()
            self._status.idle(_("Choose one region or more."))
            return
        self._status.busy(0.0, _("Looking for regions ..."))
        self._session.ask(
            lambda client, report: jobs.ask_regions(client, self._work(names), report),
            lambda result: self._show(names, result),
        )

    def _show(self, names: list[str], result: jobs.Result) -> None:
        if names != self._chosen() or not isinstance(result.picture, Picture):
            return  # Something was changed while this was on its way.
        self._found = result
        self._preview.show_after(dim_outside(self._target.picture, result.picture))
        self._status.idle(_("Apply makes a mask of what is bright; hold the mouse to compare."))
        self._dialog.set_response_sensitive(Gtk.ResponseType.OK, True)

    def _work(self, names: list[str]) -> jobs.Work:
        return jobs.Work(self._target.picture, self._target.mask, extra={"regions": names})
