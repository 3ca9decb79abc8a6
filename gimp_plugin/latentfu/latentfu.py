#!/usr/bin/env python3
"""Latent-Fu for GIMP 3: ``Filters > Latent-Fu``. The work is in the package beside this file."""

import sys

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Gtk", "3.0")

from gi.repository import Gimp  # noqa: E402
from latentfu_gimp import procedures  # noqa: E402
from latentfu_gimp.translate import DOMAIN, LOCALE_FOLDER  # noqa: E402


class LatentFu(Gimp.PlugIn):
    """Tells GIMP what there is."""

    def do_set_i18n(self, _name: str) -> tuple[bool, str, str]:
        """That there are translations, of which domain, and the folder they are in."""
        return True, DOMAIN, LOCALE_FOLDER.name

    def do_query_procedures(self) -> list[str]:
        """The names of the procedures."""
        return list(procedures.NAMES)

    def do_create_procedure(self, name: str) -> "Gimp.Procedure | None":
        """One of them."""
        return procedures.create(self, name)


Gimp.main(LatentFu.__gtype__, sys.argv)
