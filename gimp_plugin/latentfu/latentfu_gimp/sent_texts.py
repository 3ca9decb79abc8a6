"""Texts that the server sends, in the language of GIMP where the catalog knows them.

The server speaks English. What it says of what is built in is listed here, so that it is
translated with the rest; the names that others give to their networks and controls are shown as
they were sent. ``control_texts`` has those of the built-in controls.
"""

from __future__ import annotations

import re
from functools import cache

from .translate import N_, NP_, _, pgettext


def translate_sent(text: object, context: str = "") -> str:
    """A text that the server sent, "" for None.

    ``context``: ``group``, ``region``, ``state``, or for the ends of a control its name.
    """
    sent = str(text or "")
    if not sent:
        return ""
    if context:
        return pgettext(context, sent)
    whole = _(sent)
    if whole != sent:
        return whole
    return " ".join(_translate_sentence(one) for one in re.split(r"(?<=\.) ", sent))


def _translate_sentence(sent: str) -> str:
    """One that is known as it is, or with names and numbers in it."""
    known = _(sent)
    if known != sent:
        return known
    for pattern in PATTERNS:
        found = _compile_pattern(pattern).fullmatch(sent)
        if found:
            return _(pattern).format(**found.groupdict())
    return sent


@cache
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    """What a sentence of that pattern looks like; a name that comes twice is the same."""
    seen: set[str] = set()
    parts = []
    for number, part in enumerate(re.split(r"\{(\w+)\}", pattern)):
        if number % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>.+?)")
            seen.add(part)
    return re.compile("".join(parts))


PATTERNS = (
    N_(
        "This picture is outside what {name} can show: expect edits to look wrong, or choose "
        "another generator or a crop that fits it."
    ),
    N_(
        "The inversion shows this picture only poorly ({decibels} dB): take a better method "
        "(--quality best), or a crop that shows the subject larger and upright."
    ),
    N_("Try the network {name} (--generator {name})."),
    N_(
        "The regions of this picture are not found surely ({surety}): edit the whole picture "
        "(regions: whole), or what a mask or a selection holds."
    ),
    N_(
        "The regions of this picture are not found surely ({surety}): take one that shows the face "
        "larger and upright."
    ),
    N_(
        "The regions of the second picture are not found surely ({surety}): take one that shows "
        "the face larger and upright."
    ),
    N_("There is no {regions} in the second picture."),
    N_("Measuring where {name} acts"),
    N_("{name} is installed."),
    N_("{name} is installed already."),
    N_("{name} is installed, its encoder."),
    N_("{name} is installed, its encoder and the directions {directions}."),
    N_("{name} is installed and the directions {directions}."),
    N_("{name} is the default network now."),
    N_("{name} was the default network: {other} is used now where none is named."),
    N_("Removed {name} ({size} MB)."),
    N_("Removed {name}."),
    N_("What had come of {name} is removed."),
    N_("Kept what you have for it: {parts}."),
)
SENTENCES = (
    N_("Looking for regions"),
    N_("Looking for the faces"),
    N_("Mixing regions"),
    N_("Looking for the part to edit"),
    N_("Looking for a start"),
    N_("Finding the latent"),
    N_("Tuning the generator"),
    N_("Keeping the detail"),
    N_("Encoding the picture"),
    N_("Measuring"),
    N_("Loading the network"),
    N_("Rendering and scoring samples"),
    N_("Keeping the direction"),
    N_("Pasting back"),
    N_("Trying the network"),
    N_("Trying again"),
    N_("Done"),
    N_("No pixel changed: the mask or selection lies outside the square that is edited."),
    N_("No pixel changed: every strength is 0."),
    N_("No pixel changed: the change is smaller than one level of color, so ask for more of it."),
    N_("The regions of these controls are not in this picture."),
    N_("Where these controls act could not be measured."),
    N_(
        "No other network for such pictures is installed: `latentfu generators download` lists "
        "those that can be had."
    ),
    N_("Too many previews are waiting: try again in a moment."),
)
NETWORKS = (N_("Portraits"),)
METHODS = (
    N_("Optimization in W+"),
    N_("Optimization, every option"),
    N_("As stylegan-editing finds codes"),
    N_("As pytorch_stylegan_encoder finds codes"),
    N_("As the StyleGAN2 projector finds codes"),
    N_("A code, and the weights bent around it"),
    N_("A code, and features beside it"),
    N_("Encoder, one pass"),
    N_("Encoder and a short refinement"),
)
MAKERS = (
    N_("Linear SVM boundary (Shen et al. 2020)"),
    N_("Ridge regression on all attributes"),
    N_("What the renderer says of z"),
)
STATES = (
    NP_("state", "starting"),
    NP_("state", "ready"),
    NP_("state", "busy"),
    NP_("state", "restarting"),
    NP_("state", "unknown"),
)
GROUPS = (
    NP_("group", "expression"),
    NP_("group", "pose"),
    NP_("group", "eyes"),
    NP_("group", "mouth"),
    NP_("group", "face"),
    NP_("group", "hair"),
    NP_("group", "extras"),
    NP_("group", "light"),
    NP_("group", "scene"),
    NP_("group", "deformations"),
    NP_("group", "own"),
    NP_("group", "imported"),
    NP_("group", "found"),
    NP_("group", "channels"),
    NP_("group", "components"),
    NP_("group", "other"),
)
REGIONS = (
    NP_("region", "background"),
    NP_("region", "skin"),
    NP_("region", "eyes"),
    NP_("region", "brows"),
    NP_("region", "nose"),
    NP_("region", "mouth"),
    NP_("region", "teeth"),
    NP_("region", "hair"),
    NP_("region", "ears"),
    NP_("region", "neck"),
    NP_("region", "clothes"),
    NP_("region", "glasses"),
    NP_("region", "hat"),
    NP_("region", "earrings"),
)
