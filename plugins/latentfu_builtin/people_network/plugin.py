"""What the network of people brings: generator, encoder, directions, and the steps that make them.

Listing is cheap: headers of files are read, torch is imported when something is loaded.
"""

from __future__ import annotations

import json
from dataclasses import replace

from latentfu import (
    BuildStep,
    Control,
    Encoder,
    GeneratorSpec,
    SamplePicture,
    directions_in,
    hookimpl,
    read_metadata,
)

from latentfu_builtin.lazy import call_later
from latentfu_builtin.people_network.shipped import (
    DIRECTIONS,
    DOMAIN,
    ENCODER,
    GENERATOR,
    NAME,
    PEOPLE_ENDS,
    STILL,
    compute_people_generator_id,
)

_ROOM = "latentfu_builtin.people_network"
_FIRST = (
    "smile", "age", "yaw", "gender", "laugh", "mouth_open", "hair_lightness", "hair_length",
    "hair_redness", "gray_hair", "fringe", "beard", "glasses", "hat", "skin_tone", "light_x",
    "light_warmth", "background_light", "pitch", "brow_height", "brow_angle", "frown",
    "surprise", "eye_open", "gaze_x", "weight", "jaw", "face_width", "moustache", "stubble",
    "lipstick", "freckles",
)  # fmt: skip
"""What a person tries first stands first in its group."""


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """The built-in network of people."""
    if not GENERATOR.is_file():
        return []
    notes = read_metadata(GENERATOR)
    return [
        GeneratorSpec(
            name=NAME,
            title="People",
            domain=DOMAIN,
            resolution=int(json.loads(notes["config"])["resolution"]),
            id=compute_people_generator_id(),
            load=call_later(f"{_ROOM}.shipped:load_people_generator"),
            aligner="faces",
            licence=notes.get("licence", ""),
            description="People who never lived, for photographs; trained on our renderer.",
            out_of_domain_limit=1.0,  # 25 photographs of people: 0.23 to 0.95
            photograph_distance=0.18,  # its own pictures: 0.03 to 0.16; renders of 1024 px: 0.14
        )
    ]


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The shipped encoder, if it was trained for some generator's weights."""
    from latentfu_builtin.encoders.user_files import list_encoder_file

    found = list_encoder_file(ENCODER, NAME, "People in one pass") if ENCODER.is_file() else None
    return [] if found is None else [found]


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The shipped directions."""

    def place(control: Control) -> int:
        return _FIRST.index(control.name) if control.name in _FIRST else len(_FIRST)

    shipped = sorted(directions_in(DIRECTIONS, generator.id), key=place)
    return [
        replace(
            control,
            ends=PEOPLE_ENDS.get(control.name, ("", "")),
            still=control.name in STILL,
        )
        for control in shipped
    ]


@hookimpl
def latentfu_sample_pictures() -> list[SamplePicture]:
    """Two rendered people, for the demo."""
    from latentfu_builtin.people_network.sample_pictures import list_people_samples

    return list_people_samples(DOMAIN)


_STEPS = (
    ("encoder", 10, "The shipped encoder", "build_people_encoder"),
    ("directions", 20, "The shipped directions", "build_people_directions"),
    ("samples", 30, "The people of the demo", "build_people_samples"),
)
"""Name, order, title, and the function of ``latentfu_builtin.people_network.rebuild``."""


@hookimpl
def latentfu_build_steps() -> list[BuildStep]:
    """Encoder and directions, made again from the weights."""
    return [
        BuildStep(f"{NAME}-{name}", title, NAME, order, call_later(f"{_ROOM}.rebuild:{target}"))
        for name, order, title, target in _STEPS
    ]
