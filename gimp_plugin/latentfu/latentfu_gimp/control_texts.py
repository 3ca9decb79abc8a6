"""The texts of the built-in controls: title, less, more, and what more of it means.

Marked to be translated; they are looked up as the server sends them. The ends are translated as
those of their control: "long" is another word for hair than for a nose in some languages.
"""

from __future__ import annotations

from .translate import N_, NP_

UNITS = (N_("standard deviations"), N_("units of its own size"))
CONTROLS = (
    (
        N_("Smile"),
        NP_("smile", "frown"),
        NP_("smile", "smile"),
        N_("more smile"),
    ),
    (
        N_("Mouth open"),
        NP_("mouth_open", "closed"),
        NP_("mouth_open", "open"),
        N_("mouth further open"),
    ),
    (
        N_("Turn (yaw)"),
        NP_("yaw", "left"),
        NP_("yaw", "right"),
        N_("head turned further to the right of the picture"),
    ),
    (
        N_("Age"),
        NP_("age", "younger"),
        NP_("age", "older"),
        N_("older: wrinkles, greyer hair, sagging face"),
    ),
    (
        N_("Gender"),
        NP_("gender", "feminine"),
        NP_("gender", "masculine"),
        N_("more masculine presentation: jaw, brows, lips, lashes"),
    ),
    (
        N_("Glasses"),
        NP_("glasses", "none"),
        NP_("glasses", "glasses"),
        N_("glasses"),
    ),
    (
        N_("Hair length"),
        NP_("hair_length", "short"),
        NP_("hair_length", "long"),
        N_("longer hair"),
    ),
    (
        N_("Light from the side"),
        NP_("light_x", "left"),
        NP_("light_x", "right"),
        N_("key light further to the right of the picture"),
    ),
    (
        N_("Background colour"),
        N_("background hue round the colour circle"),
    ),
    (
        N_("Background light"),
        NP_("background_light", "dark"),
        NP_("background_light", "light"),
        N_("lighter background"),
    ),
    (
        N_("Beard"),
        NP_("beard", "shaven"),
        NP_("beard", "beard"),
        N_("beard: stubble just above the threshold, then longer"),
    ),
    (
        N_("Brow angle"),
        NP_("brow_angle", "worried"),
        NP_("brow_angle", "angry"),
        N_("inner ends of the brows lower, as in anger"),
    ),
    (
        N_("Brow height"),
        NP_("brow_height", "low"),
        NP_("brow_height", "raised"),
        N_("brows raised"),
    ),
    (
        N_("Clothes colour"),
        N_("hue of the clothes round the colour circle"),
    ),
    (
        N_("Earrings"),
        NP_("earrings", "none"),
        NP_("earrings", "earrings"),
        N_("earrings"),
    ),
    (
        N_("Eye colour"),
        NP_("eye_hue", "brown"),
        NP_("eye_hue", "blue"),
        N_("irises from brown over green to blue"),
    ),
    (
        N_("Eye open"),
        NP_("eye_open", "closed"),
        NP_("eye_open", "wide"),
        N_("eyes wider open"),
    ),
    (
        N_("Eye size"),
        NP_("eye_size", "small"),
        NP_("eye_size", "large"),
        N_("larger eyes"),
    ),
    (
        N_("Face width"),
        NP_("face_width", "narrow"),
        NP_("face_width", "wide"),
        N_("wider face"),
    ),
    (
        N_("Fringe"),
        NP_("fringe", "none"),
        NP_("fringe", "fringe"),
        N_("fringe further down the forehead"),
    ),
    (
        N_("Gaze to the side"),
        NP_("gaze_x", "left"),
        NP_("gaze_x", "right"),
        N_("looking further to the right of the picture"),
    ),
    (
        N_("Gaze upwards"),
        NP_("gaze_y", "down"),
        NP_("gaze_y", "up"),
        N_("looking further up"),
    ),
    (
        N_("Hair curl"),
        NP_("hair_curl", "straight"),
        NP_("hair_curl", "curly"),
        N_("curlier and fuller hair"),
    ),
    (
        N_("Hair lightness"),
        NP_("hair_lightness", "black"),
        NP_("hair_lightness", "blond"),
        N_("lighter hair, black over brown to blond"),
    ),
    (
        N_("Hair redness"),
        NP_("hair_redness", "ash"),
        NP_("hair_redness", "auburn"),
        N_("redder hair, ash to auburn"),
    ),
    (
        N_("Hat"),
        NP_("hat", "none"),
        NP_("hat", "hat"),
        N_("hat"),
    ),
    (
        N_("Jaw"),
        NP_("jaw", "narrow"),
        NP_("jaw", "square"),
        N_("broader, squarer jaw"),
    ),
    (
        N_("Light warmth"),
        NP_("light_warmth", "cool"),
        NP_("light_warmth", "warm"),
        N_("warmer key light"),
    ),
    (
        N_("Light from above"),
        NP_("light_y", "below"),
        NP_("light_y", "above"),
        N_("key light higher"),
    ),
    (
        N_("Nose length"),
        NP_("nose_length", "short"),
        NP_("nose_length", "long"),
        N_("longer nose"),
    ),
    (
        N_("Raise (pitch)"),
        NP_("pitch", "down"),
        NP_("pitch", "up"),
        N_("head raised"),
    ),
    (
        N_("Tilt (roll)"),
        NP_("roll", "left"),
        NP_("roll", "right"),
        N_("head tilted clockwise in the picture"),
    ),
    (
        N_("Skin tone"),
        NP_("skin_tone", "lighter"),
        NP_("skin_tone", "darker"),
        N_("darker skin"),
    ),
    (
        N_("Cap"),
        NP_("cap", "none"),
        NP_("cap", "cap"),
        N_("a soft cap on top"),
    ),
    (
        N_("Hair side"),
        NP_("hair_side", "left"),
        NP_("hair_side", "right"),
        N_("hair on the right-hand side"),
    ),
    (
        N_("Laugh"),
        NP_("laugh", "serious"),
        NP_("laugh", "laugh"),
        N_("a laugh that narrows the eyes"),
    ),
    (
        N_("Monocle"),
        NP_("monocle", "none"),
        NP_("monocle", "monocle"),
        N_("one round lens over one eye"),
    ),
    (
        N_("Visor"),
        NP_("visor", "none"),
        NP_("visor", "visor"),
        N_("one wide lens over both eyes"),
    ),
)
