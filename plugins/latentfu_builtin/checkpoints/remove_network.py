"""An imported network taken from this machine, with or without what was made for it."""

from __future__ import annotations

from dataclasses import dataclass

import latentfu

from latentfu_builtin.checkpoints.import_checkpoint import path_of
from latentfu_builtin.checkpoints.library_files import (
    LibraryFile,
    describe_files,
    list_what_hangs_on,
)


@dataclass(frozen=True)
class RemovedNetwork:
    """``for_it``: what the person has for the network, gone too where ``everything`` was to go.

    ``default``: a sentence where it was the default network; else empty.
    """

    for_it: tuple[LibraryFile, ...]
    told: str
    everything: bool
    default: str

    @property
    def note(self) -> str:
        """What went with it or was kept, as a sentence; empty for nothing."""
        if not self.for_it:
            return ""
        words = "Removed with it" if self.everything else "Kept what you have for it"
        return f"{words}: {self.told}."


def describe_what_hangs_on(name: str) -> str:
    """What a person has for an imported network, in words; empty for nothing."""
    files = list_what_hangs_on(latentfu.weights_id(path_of(name)))
    return describe_files(files) if files else ""


def remove_imported(name: str, everything: bool = False) -> RemovedNetwork:
    """Remove the imported network ``name``; BadInputError where there is none."""
    path = path_of(name)
    hanging = list_what_hangs_on(latentfu.weights_id(path))
    told = describe_files(hanging)
    path.unlink()
    for file in hanging if everything else ():
        file.path.unlink()
    return RemovedNetwork(tuple(hanging), told, everything, latentfu.drop_default_generator(name))


def remove_for_server(name: str) -> str:
    """The same for whoever removes networks by their specs: a sentence on what was kept."""
    removed = remove_imported(name)
    return " ".join(filter(None, (removed.note, removed.default)))
