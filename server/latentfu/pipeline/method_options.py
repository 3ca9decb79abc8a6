"""Options of a method that somebody gave by name, put over the method's own."""

from __future__ import annotations

from collections.abc import Mapping

from latentfu.core.errors import BadInputError
from latentfu.plugin_objects import ControlMaker, Inverter

Options = Mapping[str, float | int | str | bool]


def merge_options(
    word: str, method: Inverter | ControlMaker, given: Options
) -> dict[str, float | int | str | bool]:
    """The defaults of ``method`` overridden by ``given``; ``word``: what it is, for people.

    Raises:
        BadInputError: it has no option of that name, or takes a number and got a text.
    """
    unknown = sorted(set(given) - set(method.options))
    if unknown:
        known = ", ".join(sorted(method.options)) or "none"
        raise BadInputError(
            f"The {word} {method.name} has no option {unknown[0]!r}; it has: {known}."
        )
    for name, value in given.items():
        if isinstance(value, str) and not isinstance(method.options[name], str):
            raise BadInputError(
                f"The option {name} of the {word} {method.name} is {value!r}: give a number, "
                f"such as {method.options[name]}."
            )
    return {**method.options, **given}
