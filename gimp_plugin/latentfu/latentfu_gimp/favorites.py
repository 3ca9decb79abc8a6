"""The controls that the user has starred: kept in GIMP's own settings, for all networks."""

from __future__ import annotations

import json
from collections.abc import Iterable

from gi.repository import Gimp

_NAME = "latentfu/favorites"


def read_favorites() -> list[str]:
    """Names of controls, in the order in which they were starred."""
    parasite = Gimp.get_parasite(_NAME)
    if parasite is None:
        return []
    try:
        found = json.loads(bytes(parasite.get_data()))
        return [str(name) for name in found] if isinstance(found, list) else []
    except ValueError:
        return []


def keep_favorite(name: str, starred: bool) -> None:
    """Star a control, or take its star away."""
    others = [one for one in read_favorites() if one != name]
    _write([*others, name] if starred else others)


def _write(names: Iterable[str]) -> None:
    data = json.dumps(list(names)).encode("ascii")
    Gimp.attach_parasite(Gimp.Parasite.new(_NAME, Gimp.PARASITE_PERSISTENT, data))
