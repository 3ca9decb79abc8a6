"""An edit as the codes alone show it, and how a layer lies to what they draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from latentfu.pipeline.crop import Floats

MATCHED_SIDE = 256
"""The side at which pictures are matched."""
STEPS = 4


@dataclass(frozen=True)
class HeadOutlines:
    """Where the head is, in the layer and in the codes' pictures; each ``[S, S]`` in 0..1.

    Attributes:
        own: What turns, and what it turns on: the layer's head and neck.
        own_face: The layer's face.
        before: The head in the picture before the edit.
        after: The head in the picture after it.
        face: The face in the picture after it.
        nose: Its nose, which stands out.
        level: Its eyes and mouth, which do not.
    """

    own: Floats
    own_face: Floats
    before: Floats
    after: Floats
    face: Floats
    nose: Floats
    level: Floats


@dataclass(frozen=True)
class SubjectOutline:
    """Where the subject of a layer ends; each ``[S, S]`` in 0..1.

    Attributes:
        outside: What is around it in the layer.
        around: The same, where it keeps its color: the edit neither adds to the subject there nor
            takes from it, and is not meant for it.
        drawn: Where it ends in the codes' pictures, before the edit or after it.
        change: How surely the edit adds a part to it there or takes one.
    """

    outside: Floats
    around: Floats
    drawn: Floats
    change: Floats


@dataclass(frozen=True)
class RegionFit:
    """How a layer's regions lie to those that the codes draw; ``[S, S]`` in 0..1 and pictures.

    Attributes:
        mismatch: Where the layer shows another region than the codes before the edit.
        stays: Where a region stays that keeps its texture, such as hair.
        comes: Where something is put on, such as a hat.
        carried: ``[3, R, R]``: the codes' picture before the edit, with what the edit means for the
            layer's regions added.
        uncovered: The picture after it in the layer's own colors, for what a large motion uncovers.
        outlines: Where the head is; None for other subjects.
        outline: The subject's outline; None for the network's own pictures.
        lines: Whether the edit is meant for something thin, such as the rims of glasses.
    """

    mismatch: Floats
    stays: Floats
    comes: Floats
    carried: Floats
    uncovered: Floats
    outlines: HeadOutlines | None = None
    outline: SubjectOutline | None = None
    lines: bool = False


@dataclass(frozen=True)
class CodesEdit:
    """An edit as the codes alone show it, ``[3, R, R]`` in -1..1.

    What an inversion adds to its codes to meet a picture (feature offsets) does not turn with a
    head as the codes do, so that the motion is read from these.

    Attributes:
        before: The picture of the inversion's codes.
        after: The picture of the edited codes.
        between: Gives the picture at a part (0..1) of the edit; asked only for a large motion.
        side: At which the pictures are matched.
        steps: In which a large motion is followed.
        regions: How the layer's regions lie to those of the pictures; None where that is not known.
        still: Whether nothing moves, whatever the pictures look like.
    """

    before: Floats
    after: Floats
    between: Callable[[float], Floats] | None = None
    side: int = MATCHED_SIDE
    steps: int = STEPS
    regions: RegionFit | None = None
    still: bool = False
