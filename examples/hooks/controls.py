"""The direction files of this package, for the generator they were made for."""

from pathlib import Path

import latentfu


@latentfu.hookimpl
def latentfu_controls(generator):
    return latentfu.directions_in(Path(__file__).parent / "directions", generator.id)
