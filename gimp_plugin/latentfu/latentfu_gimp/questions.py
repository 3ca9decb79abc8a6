"""What has to be asked before a layer is replaced."""

from __future__ import annotations

from enum import Enum

from gi.repository import Gtk

from .layers import Target
from .translate import _


class Paint(Enum):
    """What becomes of paint on an earlier result: taken over, left in its layer, or replaced."""

    KEEP = 1
    BESIDE = 2
    REPLACE = 3


NOT_APART = _(
    "What was painted cannot be told from the edit, because the layer was changed otherwise too: "
    "apply again and choose a new layer."
)
_PAINTED = _("The result was painted on since the last edit.")
_CHANGED = _("The result was changed since the last edit: scaled, flipped or painted on.")
"""Where the layer below has changed too, paint cannot be told from what was done to both."""


def ask_about_painting(
    parent: Gtk.Window, target: Target, *, can_keep: bool = True
) -> Paint | None:
    """What becomes of paint on an earlier result; None when the user wants to think again.

    ``can_keep``: whether the window can make the earlier result again, to tell paint from it.
    """
    if not target.painted or target.replaces is None:
        return Paint.REPLACE
    earlier = target.earlier
    # Without the inversion, the earlier result cannot be made again to compare with.
    can_keep = can_keep and bool(target.latent)
    is_same = earlier is not None and target.picture.sha256 == earlier.source_sha256
    dialog = Gtk.MessageDialog(
        transient_for=parent,
        modal=True,
        message_type=Gtk.MessageType.QUESTION,
        text=_PAINTED if is_same else _CHANGED,
        secondary_text=_(
            "What was painted can be kept on the new result, the new result can become "
            "a layer of its own, or replace all."
        )
        if can_keep
        else _(
            "The new result can become a "
            "layer of its own, or replace what is there with all paint on it."
        ),
    )
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("_Replace"), Paint.REPLACE.value)
    dialog.add_button(_("_New layer"), Paint.BESIDE.value)
    if can_keep:
        dialog.add_button(_("_Keep the paint"), Paint.KEEP.value)
        dialog.set_default_response(Paint.KEEP.value)
    answer = dialog.run()
    dialog.destroy()
    return Paint(answer) if answer in [each.value for each in Paint] else None
