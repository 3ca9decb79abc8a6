"""The step that trains the shipped directions, one for each factor."""

from __future__ import annotations

from pathlib import Path

import latentfu
from latentfu import ControlRequest, Progress

from latentfu_builtin.directions.commands.common import scorer_for
from latentfu_builtin.directions.control_makers import (
    SHIPPED_WORDS,
    Subject,
    build_directions,
    replace_shipped,
)
from latentfu_builtin.portraits.renderer import FACTORS

SAMPLES, TRIALS = 5000, 64
TITLES = {
    "yaw": "Turn (yaw)",
    "pitch": "Raise (pitch)",
    "roll": "Tilt (roll)",
    "gaze_x": "Gaze to the side",
    "gaze_y": "Gaze upwards",
    "eye_hue": "Eye colour",
    "light_x": "Light from the side",
    "light_y": "Light from above",
    "background_hue": "Background colour",
    "clothes_hue": "Clothes colour",
}
"""Sliders that are called otherwise than their factor."""


def build_shipped_directions(folder: Path | None, progress: Progress) -> None:
    """Replace the shipped directions (or fill ``folder``) by the project's own trainer.

    The labels are the factors that each z stands for; the scorer says what can be seen.
    """
    from latentfu_builtin.portraits.plugin import DIRECTIONS, NAME, taught

    generator = latentfu.open_generator(NAME)
    request = ControlRequest(
        generator=generator,
        attribute="",
        samples=SAMPLES,
        seed=0,
        progress=progress,
        scorer=scorer_for(generator.domain),
        options={"trials": TRIALS, "clean": 0, **SHIPPED_WORDS},
    )
    subjects = [Subject(f.name, f.plus, f.group, TITLES.get(f.name, "")) for f in FACTORS]
    out = folder / "directions" if folder else DIRECTIONS
    out.mkdir(parents=True, exist_ok=True)
    replace_shipped(build_directions(request, subjects, maker="svm", meaning=taught), out)
