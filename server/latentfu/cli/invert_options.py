"""The options of ``latentfu invert`` that go to the inverter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Value = float | int | str | bool

_NAMED: tuple[tuple[tuple[str, ...], str, Any, str], ...] = (
    (("--steps", "--iterations"), "steps", click.IntRange(1), "Optimisation steps."),
    (("--learning-rate", "--rate"), "rate", click.FloatRange(min=0, min_open=True),
     "Its highest learning rate."),
    (("--optimizer",), "optimizer", click.Choice(["adam", "sgd", "lbfgs"]), "How it moves."),
    (("--losses",), "losses", str, "Names and weights: l1:1,lpips:0.8 (latentfu losses list)."),
    (("--vgg-layer",), "vgg_layer", click.IntRange(1, 30), "Where the loss vgg16 looks."),
    (("--backbone",), "backbone", str, "VGG16's weights, a file."),
    (("--space",), "space", click.Choice(["z", "w", "w+", "w++"]), "Where the code is searched."),
    (("--start",), "start", str, "mean, auto, encoder, another inverter, or a latent's file."),
    (("--encoder",), "encoder", str, "Which encoder gives the first code, a name or a file."),
    (("--noise",), "noise", click.Choice(["no", "yes", "auto"]), "Find noise maps too."),
    (("--seed",), "seed", click.IntRange(0), "For what is drawn at random."),
)  # fmt: skip


class Setting(click.ParamType[tuple[str, Value]]):
    """``NAME=VALUE``: a number, true or false, or a text."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Value]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not name.strip():
            self.fail(f"{value!r} is not like prior=0.01 (an option and its value).", param, ctx)
        return name.strip(), plain(text.strip())


def plain(text: str) -> Value:
    """A number where the text is one, a truth value where it is one, else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def method_options(function: F) -> F:
    """The options above, and ``--option NAME=VALUE`` for all others; see :func:`gathered`."""
    function = click.option(
        "--option", "settings", multiple=True, type=Setting(), metavar="NAME=VALUE",
        help="Any option of the inverter (repeatable).",
    )(function)  # fmt: skip
    for flags, name, kind, what in reversed(_NAMED):
        function = click.option(*flags, f"of_{name}", type=kind, help=what)(function)
    return function


def gathered(given: Mapping[str, Any]) -> dict[str, Value]:
    """What was given of these options, by the inverter's names."""
    named = {key.removeprefix("of_"): value for key, value in given.items() if key != "settings"}
    said = {name: value for name, value in named.items() if value is not None}
    return {**dict(given["settings"]), **said}
