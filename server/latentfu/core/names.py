"""What names and ids look like, once for the whole house, and rules for the fields that hold them.

A field is annotated with :data:`Name`, :data:`Sha256` and so on; pydantic then checks the type and
the rule, and the rule's own words say to a person what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,63}"
"""What the user types: ``--set NAME=...``, ``--generator NAME``."""
SHA256_PATTERN = r"[0-9a-f]{64}"
_NAME = re.compile(NAME_PATTERN)
_SHA256 = re.compile(SHA256_PATTERN)
_FILE = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)
# With the marks that turn the order of letters around: "gpj.exe" could be shown for "exe.jpg".
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def is_name(text: str) -> bool:
    """Whether a text can be the name of something that is installed.

    Args:
        text: any text.

    Returns:
        True for 1 to 64 of ``a-z 0-9 . _ -``, the first a letter or a digit.

    >>> is_name("smile-2.0"), is_name("Smile"), is_name("")
    (True, False, False)
    """
    return _NAME.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """Whether a text is a sha256 in hex, lower case.

    Args:
        text: any text.

    Returns:
        True for 64 of ``0-9 a-f``.

    >>> is_sha256("0f" * 32), is_sha256("0F" * 32)
    (True, False)
    """
    return _SHA256.fullmatch(text) is not None


def is_one_line(text: str) -> bool:
    r"""Whether ``text`` has no line breaks, no other control characters, no turned letters.

    >>> is_one_line("more smile"), is_one_line("more\nsmile")
    (True, False)
    >>> is_one_line("shown as \u202egpj.exe")
    False
    """
    return _CONTROL_CHARACTER.search(text) is None


def _is_relative_file(text: str) -> bool:
    return _FILE.fullmatch(text) is not None


def _is_web_address(text: str) -> bool:
    return not text or text.startswith(("https://", "http://"))


def _is_range(pair: tuple[int, int]) -> bool:
    return 0 <= pair[0] <= pair[1]


@dataclass(frozen=True)
class FieldRule:
    """A condition on a field beyond its type: metadata of ``Annotated`` that pydantic applies.

    Args:
        holds: says whether a value of the right type is allowed.
        fault: ends the sentence about a value that is not ("which is not a sha256 in hex").
    """

    holds: Callable[[Any], bool]
    fault: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The schema of the field's type, with this rule after it."""
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def _checked(self, value: object) -> object:
        from pydantic_core import PydanticCustomError

        if not self.holds(value):
            raise PydanticCustomError("field_rule", "{fault}", {"fault": self.fault})
        return value


Name = Annotated[
    str, FieldRule(is_name, "which is not a name (allowed: a-z 0-9 . _ -, at most 64)")
]
"""1 to 64 of ``a-z 0-9 . _ -``, the first a letter or a digit."""
Sha256 = Annotated[str, FieldRule(is_sha256, "which is not a sha256 in hex")]
"""64 hexadecimal digits, lower case."""
OptionalSha256 = Annotated[
    str, FieldRule(lambda text: not text or is_sha256(text), "which is not a sha256 in hex")
]
"""A sha256, or empty where it is not known."""
RelativeFile = Annotated[str, FieldRule(_is_relative_file, "which is not a plain name of a file")]
"""A file's name with folders in front, that stays inside where it is put."""
WebAddress = Annotated[str, FieldRule(_is_web_address, "which is neither https nor http")]
"""An address for fetching, or empty."""
Resolution = Annotated[int, FieldRule(lambda side: 1 <= side <= 16384, "which is not 1 to 16384")]
"""The side of a picture in pixels."""
LayerRange = Annotated[tuple[int, int], FieldRule(_is_range, "which is not a pair (first, last)")]
"""The first and the last layer of a stretch, counted from 0."""
