"""What this package brings: two makers of directions, and the command that trains one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import Command, ControlMaker, ControlRequest, hookimpl

if TYPE_CHECKING:
    import click


def svm(request: ControlRequest, out: Path) -> list[Path]:
    """InterFaceGAN's boundaries."""
    from latentfu_builtin.directions.makers import make_svm

    return make_svm(request, out)


def ridge(request: ControlRequest, out: Path) -> list[Path]:
    """Regression slopes that leave the other attributes alone."""
    from latentfu_builtin.directions.makers import make_ridge

    return make_ridge(request, out)


def train() -> click.Command:
    """latentfu directions train."""
    from latentfu_builtin.directions.train import train_command

    return train_command


def sample() -> click.Command:
    """latentfu directions sample."""
    from latentfu_builtin.directions.train import sample_command

    return sample_command


def pairs() -> click.Command:
    """latentfu directions pairs."""
    from latentfu_builtin.directions.pairs import pairs_command

    return pairs_command


def find() -> click.Command:
    """latentfu directions find."""
    from latentfu_builtin.directions.find_cli import find_command

    return find_command


def report() -> click.Command:
    """latentfu directions report."""
    from latentfu_builtin.directions.report_cli import report_command

    return report_command


def clean() -> click.Command:
    """latentfu directions clean."""
    from latentfu_builtin.directions.report_cli import clean_command

    return clean_command


def fit() -> click.Command:
    """latentfu directions fit."""
    from latentfu_builtin.directions.fit import fit_command

    return fit_command


def import_() -> click.Command:
    """latentfu directions import."""
    from latentfu_builtin.directions.foreign.cli import import_command

    return import_command


@hookimpl
def latentfu_control_makers() -> list[ControlMaker]:
    """Makers that learn from scored samples."""
    return [
        ControlMaker(
            name="svm",
            title="Linear SVM boundary (Shen et al. 2020)",
            make=svm,
            options={"ends": 0.25, "clean": 0, "trials": 64},
        ),
        ControlMaker(
            name="ridge",
            title="Ridge regression on all attributes",
            make=ridge,
            options={"strength": 0.01, "clean": -1, "trials": 64},
        ),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu directions ...``."""
    return [
        Command(("directions", "train"), "Train one from samples or sorted pictures.", train),
        Command(("directions", "sample"), "Draw pictures to sort by hand.", sample),
        Command(("directions", "fit"), "Train one from codes and scores in files.", fit),
        Command(("directions", "pairs"), "Make one of pictures before and after.", pairs),
        Command(("directions", "find"), "Find some without labels.", find),
        Command(("directions", "report"), "Measure what they do.", report),
        Command(("directions", "clean"), "Make one leave others alone.", clean),
        Command(("directions", "import"), "Take in published directions.", import_),
    ]
