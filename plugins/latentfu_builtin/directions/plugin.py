"""What this package brings: two makers of directions, and the commands below ``directions``."""

from __future__ import annotations

from latentfu import Command, ControlMaker, Route, hookimpl

from latentfu_builtin.lazy import call_later, later

_HERE = "latentfu_builtin.directions"
_COMMANDS = (
    (
        "directions train",
        "Train one from samples or sorted pictures.",
        "train:train_direction_command",
    ),
    ("directions sample", "Draw pictures to sort by hand.", "train:sample_command"),
    ("directions fit", "Train one from codes and scores in files.", "fit:fit_command"),
    ("directions pairs", "Make one of pictures before and after.", "fit:direction_pairs_command"),
    ("directions find", "Find some without labels.", "find:find_command"),
    ("directions report", "Measure what they do.", "report:report_command"),
    ("directions clean", "Make one leave others alone.", "report:clean_command"),
    (
        "directions import",
        "Take in published directions.",
        "import_published:import_directions_command",
    ),
)


@hookimpl
def latentfu_control_makers() -> list[ControlMaker]:
    """Makers that learn from scored samples."""
    return [
        ControlMaker(
            name="svm",
            title="Linear SVM boundary (Shen et al. 2020)",
            make=call_later(f"{_HERE}.control_makers:make_svm"),
            options={"ends": 0.25, "clean": 0, "trials": 64},
        ),
        ControlMaker(
            name="ridge",
            title="Ridge regression on all attributes",
            make=call_later(f"{_HERE}.control_makers:make_ridge"),
            options={"strength": 0.01, "clean": -1, "trials": 64},
        ),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training directions, and measuring how long it takes."""
    return [
        *(
            Command(tuple(path.split()), line, later(f"{_HERE}.commands.{target}"))
            for path, line, target in _COMMANDS
        ),
    ]


@hookimpl
def latentfu_routes() -> list[Route]:
    """Making a direction from pictures that a client has inverted."""
    answer = call_later(f"{_HERE}.routes:answer_pairs")
    return [Route("directions", "pairs", "A direction from pairs of latents", answer, "POST")]
