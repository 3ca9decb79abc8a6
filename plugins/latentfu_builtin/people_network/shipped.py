"""What is shipped for the people network, and what is loaded from it: generator and encoder.

Importing this is cheap: headers of files are read, torch is imported when something is loaded.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from latentfu import Generator

NAME = "people"
DOMAIN = "faces"
"""People are framed as the aligner for photographs cuts them, so they share its domain."""
_FOLDER = Path(__file__).parent
GENERATOR = _FOLDER / "weights" / "generator.safetensors"
ENCODER = _FOLDER / "weights" / "encoder.safetensors"
DIRECTIONS = _FOLDER / "directions"


@cache
def compute_people_generator_id() -> str:
    """sha256 (hex) of the weights."""
    return hashlib.sha256(GENERATOR.read_bytes()).hexdigest()


def load_people_generator(device: str) -> Generator:
    """The generator on ``device``."""
    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

    return StyleGAN2Generator.open(GENERATOR, device, name=NAME, domain=DOMAIN)


PEOPLE_ENDS = {
    "smile": ("frown", "smile"),
    "mouth_open": ("closed", "open"),
    "yaw": ("left", "right"),
    "pitch": ("down", "up"),
    "roll": ("left", "right"),
    "age": ("younger", "older"),
    "gender": ("feminine", "masculine"),
    "skin_tone": ("lighter", "darker"),
    "weight": ("thinner", "heavier"),
    "glasses": ("none", "glasses"),
    "hat": ("none", "hat"),
    "earrings": ("none", "earrings"),
    "beard": ("shaven", "beard"),
    "moustache": ("shaven", "moustache"),
    "fringe": ("none", "fringe"),
    "hair_length": ("short", "long"),
    "hair_curl": ("straight", "curly"),
    "hair_lightness": ("black", "blond"),
    "hair_redness": ("ash", "auburn"),
    "hair_parting": ("left", "right"),
    "gray_hair": ("none", "gray"),
    "brow_angle": ("worried", "angry"),
    "brow_height": ("low", "raised"),
    "brow_thickness": ("thin", "thick"),
    "eye_color": ("brown", "blue"),
    "eye_open": ("closed", "wide"),
    "eye_size": ("small", "large"),
    "gaze_x": ("left", "right"),
    "gaze_y": ("down", "up"),
    "face_width": ("narrow", "wide"),
    "face_length": ("short", "long"),
    "jaw": ("narrow", "square"),
    "nose_length": ("short", "long"),
    "nose_width": ("narrow", "wide"),
    "mouth_width": ("narrow", "wide"),
    "lip_fullness": ("thin", "full"),
    "light_x": ("left", "right"),
    "light_y": ("below", "above"),
    "light_warmth": ("cool", "warm"),
    "background_light": ("dark", "light"),
}
"""What stands at the ends of a slider, by the name of the control."""

STILL = (
    "light_x", "light_y", "light_warmth", "light_contrast", "background_light", "clothes_light",
    "skin_tone", "hair_lightness", "hair_redness", "gray_hair", "eye_color", "lipstick",
    "eye_makeup", "freckles", "blush", "teeth_whiteness", "glasses_color", "glasses_tint",
)  # fmt: skip
"""Controls under which nothing moves in the renderer's people: light, colors, what is painted."""
