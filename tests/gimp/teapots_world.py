"""Settings of a plug-in, one of each widget, for GIMP's window of them."""

from __future__ import annotations

import latentfu
from latentfu import hookimpl

SETTINGS = [
    latentfu.Setting("teapots_world", "warm", "Kept warm", True, "check", "Under a cozy."),
    latentfu.Setting(
        "teapots_world", "lid", "Lid", "round", "choice", choices=("round", "flat", "none")
    ),
    latentfu.Setting("teapots_world", "spouts", "Spouts", 2, "slider", minimum=1, maximum=4),
    latentfu.Setting("teapots_world", "cups", "Cups", 6, "number", minimum=1, maximum=12),
    latentfu.Setting("teapots_world", "glaze", "Glaze", "#ff8800", "color"),
    latentfu.Setting("teapots_world", "recipe", "Recipe", "", "path"),
    latentfu.Setting("teapots_world", "motto", "Motto", "", "text"),
    latentfu.Setting("teapots_world", "key", "Pantry key", "", "secret"),
]


@hookimpl
def latentfu_settings() -> list[latentfu.Setting]:
    return SETTINGS
