"""Where each factor of a person acts, measured: the regions that hold its change of the picture.

Of a calm face at 96 px, each factor from a quarter to near the end of its range; regions with at
least 5 % of the change, the strongest first. ``tests/people/test_renderer.py`` measures them again.
"""

from __future__ import annotations

FACTOR_REGIONS: dict[str, tuple[str, ...]] = {
    "gender": (
        "skin",
        "hair",
        "clothes",
        "neck",
        "background",
    ),
    "age": (
        "hair",
        "clothes",
        "background",
        "skin",
    ),
    "skin_tone": (
        "skin",
        "neck",
        "nose",
    ),
    "african": (
        "hair",
        "background",
        "skin",
        "clothes",
        "neck",
    ),
    "asian": (
        "hair",
        "background",
        "skin",
        "clothes",
        "neck",
    ),
    "caucasian": (
        "hair",
        "background",
        "skin",
    ),
    "weight": (
        "hair",
        "skin",
        "background",
        "neck",
        "clothes",
    ),
    "smile": (
        "skin",
        "mouth",
        "hair",
    ),
    "mouth_open": (
        "skin",
        "mouth",
        "neck",
        "clothes",
    ),
    "laugh": (
        "skin",
        "mouth",
        "neck",
        "teeth",
    ),
    "gaze_x": (
        "eyes",
        "skin",
    ),
    "gaze_y": (
        "eyes",
        "skin",
    ),
    "eye_open": (
        "skin",
        "eyes",
        "brows",
    ),
    "brow_height": (
        "skin",
        "hair",
        "brows",
    ),
    "brow_angle": (
        "skin",
        "hair",
        "brows",
    ),
    "frown": (
        "skin",
        "hair",
        "brows",
    ),
    "surprise": (
        "skin",
        "mouth",
        "brows",
        "neck",
    ),
    "wink_left": (
        "skin",
        "eyes",
        "mouth",
        "hair",
    ),
    "wink_right": (
        "skin",
        "mouth",
        "eyes",
        "hair",
    ),
    "sneer": (
        "skin",
        "hair",
        "brows",
        "nose",
        "mouth",
    ),
    "pucker": (
        "skin",
        "mouth",
        "nose",
    ),
    "teeth_whiteness": (
        "teeth",
        "mouth",
    ),
    "eye_size": (
        "skin",
        "brows",
        "eyes",
    ),
    "eye_color": (
        "eyes",
        "skin",
    ),
    "eyelid_fold": (
        "skin",
        "brows",
        "nose",
    ),
    "eye_distance": (
        "skin",
        "brows",
        "eyes",
    ),
    "eye_slant": (
        "skin",
        "eyes",
    ),
    "face_width": (
        "hair",
        "skin",
        "background",
    ),
    "face_length": (
        "hair",
        "skin",
        "background",
        "neck",
    ),
    "jaw": (
        "skin",
        "neck",
        "hair",
        "clothes",
    ),
    "chin": (
        "skin",
        "neck",
        "clothes",
    ),
    "cheekbones": (
        "skin",
        "hair",
        "ears",
    ),
    "cheeks": (
        "skin",
        "hair",
    ),
    "nose_length": (
        "nose",
        "skin",
    ),
    "nose_width": (
        "nose",
        "skin",
    ),
    "nose_bridge": (
        "nose",
        "skin",
    ),
    "nose_tip": (
        "nose",
        "skin",
    ),
    "mouth_width": (
        "skin",
        "mouth",
        "teeth",
    ),
    "lip_fullness": (
        "skin",
        "mouth",
    ),
    "ear_size": (
        "hair",
        "background",
    ),
    "identity_1": (
        "hair",
        "skin",
        "background",
        "clothes",
        "neck",
        "nose",
    ),
    "identity_2": (
        "hair",
        "skin",
        "background",
        "ears",
        "neck",
    ),
    "identity_3": (
        "skin",
        "hair",
        "background",
        "neck",
        "clothes",
    ),
    "identity_4": (
        "skin",
        "neck",
        "hair",
        "background",
        "clothes",
    ),
    "identity_5": (
        "hair",
        "background",
        "skin",
    ),
    "identity_6": (
        "hair",
        "skin",
        "background",
        "nose",
        "neck",
    ),
    "asymmetry": (
        "hair",
        "skin",
        "background",
    ),
    "lipstick": (
        "mouth",
        "skin",
    ),
    "lipstick_hue": (
        "mouth",
        "skin",
    ),
    "eye_makeup": (
        "skin",
        "eyes",
    ),
    "freckles": (
        "skin",
        "neck",
        "nose",
    ),
    "blush": (
        "skin",
        "ears",
        "nose",
    ),
    "wrinkles": (
        "skin",
        "neck",
    ),
    "pores": (
        "skin",
        "ears",
        "neck",
        "hair",
    ),
    "blemishes": (
        "skin",
        "neck",
    ),
    "hair_length": (
        "hair",
        "background",
        "clothes",
    ),
    "hair_lightness": (
        "hair",
        "background",
    ),
    "hair_redness": (
        "hair",
        "background",
    ),
    "gray_hair": (
        "hair",
        "background",
    ),
    "hair_curl": (
        "hair",
        "background",
    ),
    "hair_volume": (
        "hair",
        "background",
    ),
    "hair_parting": (
        "hair",
        "background",
        "skin",
    ),
    "fringe": (
        "hair",
        "skin",
        "background",
    ),
    "hair_tied": (
        "hair",
        "background",
    ),
    "bald": (
        "hair",
        "skin",
        "background",
    ),
    "brow_thickness": (
        "skin",
        "brows",
    ),
    "beard": (
        "skin",
        "hair",
        "neck",
    ),
    "beard_cut": (
        "skin",
        "hair",
        "neck",
    ),
    "moustache": (
        "skin",
        "hair",
    ),
    "moustache_cut": (
        "skin",
        "hair",
    ),
    "stubble": (
        "skin",
        "neck",
    ),
    "glasses": (
        "skin",
        "glasses",
        "brows",
        "hair",
    ),
    "glasses_shape": (
        "glasses",
        "skin",
        "brows",
    ),
    "glasses_color": (
        "glasses",
        "skin",
        "brows",
    ),
    "glasses_tint": (
        "skin",
        "eyes",
    ),
    "hat": (
        "hat",
        "skin",
        "hair",
        "background",
    ),
    "hat_kind": (
        "hat",
        "skin",
        "background",
    ),
    "hat_hue": ("hat",),
    "hat_light": ("hat",),
    "earrings": (
        "background",
        "earrings",
        "neck",
        "skin",
    ),
    "earring_kind": (
        "background",
        "earrings",
        "skin",
    ),
    "yaw": (
        "hair",
        "skin",
        "background",
        "neck",
        "clothes",
    ),
    "pitch": (
        "hair",
        "skin",
        "background",
        "neck",
        "clothes",
    ),
    "roll": (
        "hair",
        "background",
        "skin",
        "clothes",
    ),
    "camera_distance": (
        "hair",
        "skin",
        "background",
        "clothes",
    ),
    "light_x": (
        "skin",
        "clothes",
        "hair",
        "neck",
    ),
    "light_y": (
        "skin",
        "clothes",
        "neck",
        "hair",
    ),
    "light_warmth": (
        "clothes",
        "skin",
        "hair",
    ),
    "light_contrast": (
        "skin",
        "clothes",
        "neck",
        "hair",
    ),
    "background_hue": ("background",),
    "background_light": ("background",),
    "background_kind": ("background",),
    "clothes_hue": ("clothes",),
    "clothes_light": ("clothes",),
    "collar_kind": (
        "clothes",
        "neck",
        "background",
    ),
    "neckline": (
        "clothes",
        "neck",
        "background",
    ),
}
"""Names of ``region_names.REGIONS`` by factor."""
