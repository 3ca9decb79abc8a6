"""What the built-in portraits bring: generator, aligner, scorer, loss, directions, commands.

Listing is cheap: headers of files are read, torch is imported when something is loaded.
"""

from __future__ import annotations

import json
from dataclasses import replace

from latentfu import (
    Aligner,
    BuildStep,
    Command,
    Control,
    Encoder,
    GeneratorSpec,
    Loss,
    SamplePicture,
    directions_in,
    hookimpl,
)
from latentfu import Scorer as ScorerObject

from latentfu_builtin.lazy import call_later, later
from latentfu_builtin.portraits.shipped import (
    DEFORMATIONS,
    DIRECTIONS,
    ENCODER,
    GENERATOR,
    LOCATOR,
    NAME,
    SCORER,
    compute_generator_id,
    read_header,
)

_ROOM = "latentfu_builtin.portraits"
_SHIPPED = f"{_ROOM}.shipped"
_FIRST = ("smile", "mouth_open", "yaw", "age", "gender", "glasses", "hair_length", "light_x")
"""What a person tries first stands first in its group."""


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """The built-in generator."""
    if not GENERATOR.is_file():
        return []
    notes = read_header(GENERATOR)
    return [
        GeneratorSpec(
            name=NAME,
            title="Portraits",
            domain=NAME,
            resolution=int(json.loads(notes["config"])["resolution"]),
            id=compute_generator_id(),
            load=call_later(f"{_SHIPPED}:load_portrait_generator"),
            aligner=NAME if LOCATOR.is_file() else "center",
            licence=notes.get("licence", ""),
            description="Drawn portraits of people who do not exist; trained on our renderer.",
            out_of_domain_limit=0.25,  # portraits with a room behind: 0.03 to 0.14; a photo: 0.53
        )
    ]


@hookimpl
def latentfu_aligners() -> list[Aligner]:
    """Finds a drawn portrait by five landmarks."""
    if not LOCATOR.is_file():
        return []
    return [
        Aligner(
            NAME,
            "The portrait in the layer",
            (NAME,),
            call_later(f"{_SHIPPED}:find_portrait"),
            call_later(f"{_SHIPPED}:place_portrait"),
        )
    ]


@hookimpl
def latentfu_losses() -> list[Loss]:
    """A perceptual distance by the scorer's features."""
    if not SCORER.is_file():
        return []
    return [
        Loss(
            NAME,
            "Features of the portraits' scorer",
            call_later(f"{_SHIPPED}:choose_distance"),
            (NAME,),
        )
    ]


@hookimpl
def latentfu_encoders() -> list[Encoder]:
    """The shipped encoder, if it was trained for some generator's weights."""
    from latentfu_builtin.encoders.user_files import list_encoder_file

    found = list_encoder_file(ENCODER, NAME, "Portraits in one pass") if ENCODER.is_file() else None
    return [] if found is None else [found]


@hookimpl
def latentfu_scorers() -> list[ScorerObject]:
    """Reads a portrait's factors."""
    if not SCORER.is_file():
        return []
    names = tuple(json.loads(read_header(SCORER)["factors"]))
    return [
        ScorerObject(
            NAME, "Factors of a portrait", NAME, names, call_later(f"{_SHIPPED}:choose_score")
        )
    ]


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The shipped directions, and after them the deformations."""
    from latentfu import deformations_in

    from latentfu_builtin.portraits.shipped import ENDS

    def place(control: Control) -> int:
        return _FIRST.index(control.name) if control.name in _FIRST else len(_FIRST)

    shipped = sorted(directions_in(DIRECTIONS, generator.id), key=place)
    listed = [*shipped, *deformations_in(DEFORMATIONS, generator.id)]
    return [replace(control, ends=ENDS.get(control.name, ("", ""))) for control in listed]


@hookimpl
def latentfu_sample_pictures() -> list[SamplePicture]:
    """Two rendered people, for the demo."""
    from latentfu_builtin.portraits.sample_pictures import list_sample_pictures

    return list_sample_pictures(NAME)


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training the locator, measuring the generator, rendering people."""
    return [
        Command(
            ("train", "locator"),
            "Train the portraits' locator.",
            later(f"{_ROOM}.cli:train_locator_command"),
        ),
        Command(
            ("evaluate", "portraits"),
            "Measure the portraits against renders.",
            later(f"{_ROOM}.cli:evaluate_portraits_command"),
        ),
        Command(
            ("render", "portraits"),
            "Render people to try things on.",
            later(f"{_ROOM}.render_portraits:render_portraits_command"),
        ),
    ]


_STEPS = (
    ("encoder", 10, "The shipped encoder", "weights:build_encoder"),
    ("directions", 20, "The shipped directions", "weights:build_shipped_directions"),
    ("deformations", 30, "The shipped deformations", "weights:build_shipped_deformations"),
    ("renders", 80, "Renders for the card", "pictures:build_renders"),
    ("sitters", 80, "Portraits as photos bring them", "pictures:build_sitters"),
    ("samples", 81, "Samples for the card", "pictures:build_samples"),
    ("mixing", 82, "Style mixing for the card", "pictures:build_mixing"),
    ("sheet", 83, "Every direction on a sample", "pictures:build_direction_sheet"),
    ("bends", 85, "Every deformation on samples", "weights:build_deformation_sheet"),
    ("table", 84, "What the directions do, for the card", "pictures:build_direction_table"),
    ("leakage", 85, "What each direction moves besides", "pictures:build_leakage"),
    ("figures", 90, "The card's figures", "pictures:build_figures"),
)
"""Name, order, title, and where it is: a function of ``latentfu_builtin.portraits.rebuild``."""


@hookimpl
def latentfu_build_steps() -> list[BuildStep]:
    """Encoder, directions, pictures and figures, made again from the weights."""
    return [
        BuildStep(f"portraits-{name}", title, NAME, order, call_later(f"{_ROOM}.rebuild.{target}"))
        for name, order, title, target in _STEPS
    ]
