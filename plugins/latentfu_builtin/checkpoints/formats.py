"""The formats of other projects: how a converter declares itself, and the list of all.

A converter is one module in `converters`. It declares itself with ``FORMAT = ForeignFormat(...)``;
nothing else lists it. The import command's help and the table in docs/howto/bring-a-network.md
are printed from what is declared.

**Order.** Formats are tried in the order of their modules' names, and that order decides nothing:
`recognize` of two formats may never take the same file (tests/reference asks every format about
every file). No false alarms, that is, and a file that is missing a tensor is still its format's:
`convert` then names the tensor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from latentfu import CheckpointFormat, ConvertedWeights, ForeignFile

from latentfu_builtin.checkpoints.find_tensors import (
    FoundTensors,
    StateDict,
    find_state_dict,
    list_places,
)


@dataclass(frozen=True)
class HasTensors:
    """A network that is known by some of its tensors, wherever in a file it lies.

    Attributes:
        names: All of these are in it, behind one and the same prefix.
        without: None of these is in it.
        decoder: True for what lies below ``decoder.`` alone, False for all else, None for both.
        modules: Whether a whole pickled module counts too.
    """

    names: tuple[str, ...]
    without: tuple[str, ...] = ()
    decoder: bool | None = None
    modules: bool = True

    def find(self, foreign: ForeignFile) -> StateDict | None:
        """The tensors at the first place that fits, by their own names; None where none does."""
        for place in list_places(foreign):
            if place.is_module and not self.modules:
                continue
            for prefix in self._prefixes(place):
                found = place.below(prefix)
                if self._fits(found):
                    return find_state_dict(found)
        return None

    def _prefixes(self, place: FoundTensors) -> list[str]:
        """What stands before the first name at a place, the shortest first."""
        first = self.names[0]
        ends = [key for key in place.values if key == first or key.endswith(f".{first}")]
        prefixes = [key.removesuffix(first) for key in ends]
        return sorted(prefixes, key=lambda prefix: place.below(prefix).rank)

    def _fits(self, found: FoundTensors) -> bool:
        wanted = self.decoder is None or self.decoder == found.is_decoder
        held = all(name in found.values for name in self.names)
        return wanted and held and not any(name in found.values for name in self.without)

    def __call__(self, foreign: ForeignFile) -> bool:
        return self.find(foreign) is not None


@dataclass(frozen=True)
class ForeignFormat(CheckpointFormat):
    """A format that is imported, as its converter declares it.

    Attributes:
        files: What its files are, with their ending, for the table of formats.
        publisher: Whose format it is.
        told_by: What `recognize` looks at, in words.
    """

    files: str = ""
    publisher: str = ""
    told_by: str = ""

    @staticmethod
    def declare(
        name: str,
        title: str,
        *,
        recognize: Callable[[ForeignFile], bool],
        convert: Callable[[ForeignFile], ConvertedWeights],
        files: str,
        publisher: str,
        told_by: str,
    ) -> ForeignFormat:
        """Declare a converter.

        Args:
            name: What an imported file says of its source.
            title: A few words for lists.
            recognize: Whether a file is of this format; see the module.
            convert: Its content as tensors and metadata of a format that can be opened; raises
                BadInputError naming what it does not understand.
            files: See the class, as `publisher` and `told_by`.
        """

        def convert_own(foreign: ForeignFile) -> ConvertedWeights | None:
            return convert(foreign) if recognize(foreign) else None

        return ForeignFormat(
            name, title, convert=convert_own, files=files, publisher=publisher, told_by=told_by
        )


def describe_formats(formats: Iterable[CheckpointFormat]) -> list[tuple[str, str]]:
    """Name and files of each format that can be imported, for a command's help."""
    return [(known.name, _describe_files(known)) for known in _list_foreign(formats)]


def _list_foreign(formats: Iterable[CheckpointFormat]) -> list[CheckpointFormat]:
    """Those that can be imported, by what their files are called in words."""
    return sorted((known for known in formats if known.convert), key=_words_of)


def _words_of(known: CheckpointFormat) -> str:
    return (known.files if isinstance(known, ForeignFormat) else known.title).lower()


def _describe_files(known: CheckpointFormat) -> str:
    if not isinstance(known, ForeignFormat):
        return known.title
    files = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", known.files)  # links as text
    return f"{files} ({known.publisher})".replace("`", "")


def format_table(formats: Iterable[CheckpointFormat]) -> str:
    """The formats that can be imported as a table in Markdown."""
    rows = ["| format | as published by | told by |", "|---|---|---|"]
    for known in _list_foreign(formats):
        if isinstance(known, ForeignFormat):
            rows.append(f"| {known.files} | {known.publisher} | {known.told_by} |")
        else:
            rows.append(f"| {known.title} | | |")
    rows.append(
        "| `.safetensors` of ours | `latentfu generators export`, `latentfu train export` "
        "| its metadata |"
    )
    return "\n".join(rows)
