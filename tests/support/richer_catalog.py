"""A stand-in catalog with a direction that other machines do not have."""

from __future__ import annotations

from typing import Any

from tests.support import stand_in_catalog


def read_catalog() -> dict[str, Any]:
    catalog = stand_in_catalog.read_catalog()
    (control, *_) = catalog["controls"]["plain"]
    catalog["controls"]["plain"].append({**control, "name": "own"})
    return catalog
