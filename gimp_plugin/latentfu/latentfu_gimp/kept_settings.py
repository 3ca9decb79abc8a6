"""What the plug-in remembers until the next time: named JSON in GIMP's own settings."""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Gimp


def keep_setting(name: str, value: Any) -> None:
    """Keep what JSON can hold under ``name``, in place of what was there."""
    data = json.dumps(value).encode("ascii")
    Gimp.attach_parasite(Gimp.Parasite.new(f"latentfu/{name}", Gimp.PARASITE_PERSISTENT, data))


def recall_setting(name: str) -> Any:
    """What was kept under ``name``; None where there is nothing, or nothing that can be read."""
    parasite = Gimp.get_parasite(f"latentfu/{name}")
    if parasite is None:
        return None
    try:
        return json.loads(bytes(parasite.get_data()))
    except ValueError:
        return None
