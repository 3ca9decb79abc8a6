"""The stand-in editor's catalog with all that its edits may be told as controls."""

from __future__ import annotations

from typing import Any

from tests.support import stand_in_editor

WORDS = ("steps", "pause_ms", "tell_process")


def read_catalog() -> dict[str, Any]:
    """As of a machine whose user has made no direction of his own."""
    catalog = stand_in_editor.read_catalog()
    (control,) = catalog["controls"]["plain"]
    catalog["controls"]["plain"] += [{**control, "name": word} for word in WORDS]
    return catalog
