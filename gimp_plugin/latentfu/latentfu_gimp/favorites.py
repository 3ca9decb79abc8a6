"""The controls that the user has starred: kept in GIMP's own settings, for all networks."""

from __future__ import annotations

from .kept_settings import keep_setting, recall_setting

_NAME = "favorites"


def read_favorites() -> list[str]:
    """Names of controls, in the order in which they were starred."""
    found = recall_setting(_NAME)
    return [str(name) for name in found] if isinstance(found, list) else []


def keep_favorite(name: str, starred: bool) -> None:
    """Star a control, or take its star away."""
    others = [one for one in read_favorites() if one != name]
    keep_setting(_NAME, [*others, name] if starred else others)
