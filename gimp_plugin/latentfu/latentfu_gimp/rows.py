"""One row for one number: title, slider, number, and the way back to 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gdk, Gtk, Pango

from .translate import _

ControlFacts = Mapping[str, Any]
TITLE_CHARS = 15
END_CHARS = 9
MOST_DIGITS = 4


class NumberRow:
    """A slider and a number that always show the same: both look at one adjustment.

    ``ends``: what less and more mean, shown beside the slider. ``changed`` is called after each
    move, by whomever.
    """

    def __init__(
        self,
        title: str,
        limits: tuple[float, float],
        changed: Callable[[], None],
        *,
        ends: tuple[str, str] = ("", ""),
        digits: int = 2,
        neutral: float | None = 0.0,
        value: float = 0.0,
    ) -> None:
        self._neutral = neutral
        self._limits, self._digits = limits, digits
        self._changed = changed
        step = 10.0**-digits * (10 if digits > 1 else 1)
        self._adjustment = Gtk.Adjustment(
            value=value,
            lower=min(limits[0], value),
            upper=max(limits[1], value),
            step_increment=step,
            page_increment=5 * step,
        )
        self.label = Gtk.Label.new_with_mnemonic(title) if "_" in title else Gtk.Label(label=title)
        self.scale = Gtk.Scale(adjustment=self._adjustment, digits=digits, draw_value=False)
        self.number = Gtk.SpinButton(adjustment=self._adjustment, digits=digits, numeric=False)
        self.reset = Gtk.Button.new_from_icon_name("edit-undo-symbolic", Gtk.IconSize.MENU)
        self.widget = Gtk.Box(spacing=6)
        self.title = hold_label(self.label)
        self._show_exactly(value)
        self._dress(title.replace("_", ""))
        self._lay_out(ends)
        self._adjustment.connect("value-changed", lambda _adjustment: self._moved())
        self._show_reset()

    def _dress(self, title: str) -> None:
        self.label.set_xalign(0.0)
        self.label.set_mnemonic_widget(self.number)
        elide(self.label, TITLE_CHARS)
        self.scale.set_hexpand(True)
        self.scale.set_size_request(110, -1)
        if self._neutral is not None:
            self.scale.add_mark(self._neutral, Gtk.PositionType.BOTTOM, None)
        self.number.set_width_chars(5)
        self.reset.set_relief(Gtk.ReliefStyle.NONE)
        self.reset.set_tooltip_text(_("{title} back to 0").format(title=title))
        self.reset.connect("clicked", lambda _button: self.set(self._neutral or 0.0))
        for widget in (self.scale, self.number):
            keep_from_wheel(widget)
            widget.get_accessible().set_name(title)
        self.reset.get_accessible().set_name(_("Reset {title}").format(title=title))

    def _lay_out(self, ends: tuple[str, str]) -> None:
        self.widget.pack_start(self.title, False, False, 0)
        for end, side in ((ends[0], 1.0), (ends[1], 0.0)):
            if any(ends):
                text = Gtk.Label(label=end, xalign=side)
                elide(text, END_CHARS)
                text.get_style_context().add_class("dim-label")
                self.widget.pack_start(text, False, False, 0)
            if side:
                self.widget.pack_start(self.scale, True, True, 0)
        self.widget.pack_start(self.number, False, False, 0)
        if self._neutral is not None:
            self.widget.pack_start(self.reset, False, False, 0)

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest that it was made for."""
        return self._limits

    @property
    def value(self) -> float:
        """What slider and number show."""
        return round(self._adjustment.get_value(), MOST_DIGITS)

    def focus(self) -> None:
        """Put the keyboard into the number."""
        self.number.grab_focus()

    def set(self, value: float | str) -> None:
        """Move both; a value beyond the limits widens them, as it was asked for before.

        What is no number, of a control that was something else once, is 0.
        """
        value = 0.0 if isinstance(value, str) else value
        self._adjustment.set_lower(min(self._limits[0], value))
        self._adjustment.set_upper(max(self._limits[1], value))
        self._show_exactly(value)
        self._adjustment.set_value(value)

    def set_limits(self, low: float, high: float) -> None:
        """From now on between these; a value beyond them comes inside."""
        self._limits = (low, high)
        self.set(min(max(self.value, low), high))

    def _show_exactly(self, value: float) -> None:
        """Enough digits for ``value``: when it loses the focus, a number is what it shows."""
        digits = range(self._digits, MOST_DIGITS)
        fits = (one for one in digits if round(value, one) == round(value, MOST_DIGITS))
        self.number.set_digits(next(fits, MOST_DIGITS))

    def _moved(self) -> None:
        self._show_reset()
        self._changed()

    def _show_reset(self) -> None:
        moved = self._neutral is not None and self.value != self._neutral
        self.reset.set_sensitive(moved)
        self.reset.set_opacity(1.0 if moved else 0.0)


def elide(label: Gtk.Label, chars: int) -> None:
    """A label of one width, that shows the beginning of a long text and all of it as a hint."""
    label.set_ellipsize(Pango.EllipsizeMode.END)
    label.set_width_chars(chars)
    label.set_max_width_chars(chars)
    if len(label.get_text()) > chars:
        label.set_tooltip_text(label.get_text())


def hold_label(label: Gtk.Label) -> Gtk.EventBox:
    """A holder that notices the mouse over a label, which cannot by itself."""
    holder = Gtk.EventBox()
    holder.set_visible_window(False)
    holder.add_events(Gdk.EventMask.ENTER_NOTIFY_MASK | Gdk.EventMask.LEAVE_NOTIFY_MASK)
    holder.add(label)
    return holder


def keep_from_wheel(widget: Gtk.Widget) -> None:
    """The wheel scrolls what the widget is in, instead of changing it by accident."""
    widget.connect("scroll-event", _leave_to_list)


def _leave_to_list(widget: Gtk.Widget, _event: Any) -> bool:
    widget.stop_emission_by_name("scroll-event")
    return False
