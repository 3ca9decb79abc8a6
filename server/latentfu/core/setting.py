"""Setting: what a person can choose about a plug-in, and which values it takes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from latentfu.core.errors import BadInputError
from latentfu.core.names import Name

SettingValue = bool | int | float | str
Widget = Literal["check", "choice", "slider", "number", "color", "path", "text", "secret"]
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
TRUTHS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
"""The words for a truth value, in lower case."""


@dataclass(frozen=True)
class Setting:
    """A setting of a plug-in.

    ``plugin``: whose it is. ``default``: what it is until a person says otherwise; its type is the
    setting's. ``help``: one line. ``widget``: how it is shown: "check" for True or False, "choice"
    for one of ``choices``, "slider" between ``minimum`` and ``maximum``, "number", "color"
    (``#rrggbb``), "path", "text", or "secret", which is shown to nobody. The environment variable
    ``LATENTFU_PLUGIN_NAME`` (upper case, ``_`` for other signs) comes before what is kept.

    Read it with :func:`latentfu.read_setting` when it is needed, so that a change counts at once.
    """

    plugin: Name
    name: Name
    title: str
    default: SettingValue
    widget: Widget
    help: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def variable(self) -> str:
        """The environment variable that says it.

        >>> Setting("tea-pots", "spout", "Spout", 1, "number").variable
        'LATENTFU_TEA_POTS_SPOUT'
        """
        return re.sub(r"[^A-Z0-9]", "_", f"LATENTFU_{self.plugin}_{self.name}".upper())

    def find_fault(self) -> str | None:
        """What is wrong with the setting itself, for its author; None for nothing."""
        if self.widget == "choice" and not self.choices:
            return "the widget choice and no choices"
        if self.widget == "slider" and (self.minimum is None or self.maximum is None):
            return "the widget slider and no minimum and maximum"
        if (self.widget == "check") != isinstance(self.default, bool):
            return f"the widget {self.widget} and the default {self.default!r}"
        try:
            self.check(self.default)
        except BadInputError as error:
            return f"a default that it does not take ({error})"
        return None

    def check(self, value: object) -> SettingValue:
        """``value`` as the setting's own type; a text is read as one.

        Raises:
            BadInputError: the setting does not take it.
        """
        if isinstance(self.default, bool):
            return self._check_truth(value)
        if isinstance(self.default, (int, float)):
            return self._check_number(value)
        if not isinstance(value, str) or "\n" in value:
            raise self._refused(value, "a text of one line")
        if self.widget == "choice" and value not in self.choices:
            raise self._refused(value, f"one of {', '.join(self.choices)}")
        if self.widget == "color" and not COLOR.fullmatch(value):
            raise self._refused(value, "a color like #ff8800")
        return value

    def _check_truth(self, value: object) -> bool:
        found = TRUTHS.get(value.lower(), value) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise self._refused(value, "true or false")
        return found

    def _check_number(self, value: object) -> int | float:
        try:
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                raise ValueError
            number = float(value)
        except (ValueError, OverflowError):
            raise self._refused(value, "a number") from None
        whole = isinstance(self.default, int)
        if not math.isfinite(number) or (whole and number != round(number)):
            raise self._refused(value, "a whole number" if whole else "a number")
        low, high = self.minimum, self.maximum
        if (low is not None and number < low) or (high is not None and number > high):
            ends = [
                f"{word} {end:g}"
                for word, end in (("at least", low), ("at most", high))
                if end is not None
            ]
            raise self._refused(value, " and ".join(ends))
        return round(number) if whole else number

    def _refused(self, value: object, wanted: str) -> BadInputError:
        shown = "what was given" if self.widget == "secret" else repr(value)
        return BadInputError(
            f"The setting {self.name} of {self.plugin} does not take {shown}: give {wanted}."
        )
