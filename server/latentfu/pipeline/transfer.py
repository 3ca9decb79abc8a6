"""How far a picture is moved along directions, so that it stands where another one does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from latentfu.core.control import Control, ControlEffect, check_strengths, find_control
from latentfu.core.errors import BadInputError
from latentfu.core.latent import Latent
from latentfu.pipeline.apply_controls import read_amount, readable_effect
from latentfu.pipeline.cache import ControlCache
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.plugin_calls import move_latent
from latentfu.protocol.replies import MoveReply
from latentfu.protocol.requests import EditRequest, TransferRequest
from latentfu.storage.direction_control import DirectionEffect

MAPPING_ENDING = "_like"
"""How the control of a conditional mapping is called after its attribute."""
_OWN = ("along", "attributes", "method", "scale")
_PLACES = ("face", "corners", "eyes", "mouth")


def make_exemplar_request(request: TransferRequest) -> TransferRequest:
    """What is asked of the second picture: place, mask and latent are those of the first."""
    alone = {"layer": request.source, "mask": None, "latent": None, **dict.fromkeys(_PLACES)}
    return request.model_copy(update=alone)


@dataclass(frozen=True)
class MovedControls:
    """The controls that a transfer uses.

    ``directions``: moved to where the second picture stands; ``shown``: set to that picture.
    """

    directions: list[str]
    shown: list[str]


def list_moved(request: TransferRequest, controls: Mapping[str, Control]) -> MovedControls:
    """What a request names, then what belongs to its attributes.

    Args:
        request: what is asked for.
        controls: of its generator, by name.

    Raises:
        BadInputError: nothing of the generator belongs to an attribute, or what takes a picture
            shall act by a part.
        NotInstalledError: there is no control of a name.
    """
    shown = [name for name in request.along if find_control(name, controls).widget == "picture"]
    along = [name for name in request.along if name not in shown]
    check_strengths(dict.fromkeys(along, 0.0), controls)
    if request.method == "mapping":
        shown += _list_mappings(request.attributes, controls)
    else:
        along += _list_directions(request.attributes, controls)
    if shown and request.scale != 1.0:
        raise BadInputError(
            f"{shown[0]} goes the whole way: use a scale of 1, not {request.scale:g}."
        )
    return MovedControls(list(dict.fromkeys(along)), list(dict.fromkeys(shown)))


def _list_directions(attributes: Sequence[str], controls: Mapping[str, Control]) -> list[str]:
    """All directions of these groups."""
    groups: dict[str, list[str]] = {}
    for control in controls.values():
        if control.kind == "direction":
            groups.setdefault(control.group, []).append(control.name)
    for attribute in attributes:
        if attribute not in groups:
            raise BadInputError(
                f"There is no attribute {attribute!r} here; there are: {', '.join(sorted(groups))}."
            )
    return [name for attribute in attributes for name in groups[attribute]]


def _list_mappings(attributes: Sequence[str], controls: Mapping[str, Control]) -> list[str]:
    """The conditional mapping of each."""
    for attribute in attributes:
        if f"{attribute}{MAPPING_ENDING}" not in controls:
            raise BadInputError(
                f"There is no conditional mapping for {attribute!r} here: train one with latentfu "
                f"train conditional-mapping GENERATOR --attributes {attribute}."
            )
    return [f"{attribute}{MAPPING_ENDING}" for attribute in attributes]


@dataclass(frozen=True)
class TransferPlan:
    """How a transfer moves its directions, by name.

    ``edits``, ``targets``: those of an edit that does it. A direction that is a straight line
    gets a strength, so that an edit of the same strengths gives the same pixels; what takes
    several steps to an amount gets a target.
    """

    moves: dict[str, MoveReply]
    edits: dict[str, float]
    targets: dict[str, float]

    def make_request(self, request: TransferRequest, shown: Sequence[str]) -> EditRequest:
        """The edit that the transfer comes down to; ``shown``: what is set to the source."""
        common = request.model_dump(exclude={"kind", "source", *_OWN})
        exemplars = dict.fromkeys(shown, request.source)
        return EditRequest(**common, edits=self.edits, targets=self.targets, exemplars=exemplars)


def plan_transfer(
    request: TransferRequest,
    latents: tuple[Latent, Latent],
    resolved: ResolvedRequest,
    cache: ControlCache,
    moving: Sequence[str],
) -> TransferPlan:
    """How far each direction is moved, in the order in which an edit moves them.

    Args:
        request: how far of the way.
        latents: one code of the layer and one of the second picture.
        resolved: the generator and its controls.
        cache: where loaded controls are kept.
        moving: the directions.

    Returns:
        The moves, and the edit they are.

    Raises:
        BadInputError: a control cannot be read off a code.
    """
    first, second = latents
    generator, plan, moved = resolved.generator, TransferPlan({}, {}, {}), first
    effects: dict[str, ControlEffect] = {}
    for name in moving:
        control = resolved.controls[name]
        effects[name] = readable_effect(control, cache.get(control, generator), generator)
    straight = {name for name, one in effects.items() if isinstance(one, DirectionEffect)}
    for name in sorted(effects, key=lambda name: (name not in straight, name)):
        control, effect = resolved.controls[name], effects[name]
        have, want, held = (
            float(read_amount(control, effect, latent, generator)[0])
            for latent in (first, second, moved)
        )
        goal = have + request.scale * (want - have)
        # What was moved before may have moved this one too: an edit has to bring the rest only.
        absolute = isinstance(effect, DirectionEffect) and effect.direction.absolute
        strength = round(goal if absolute else goal - held, _DIGITS)
        plan.moves[name] = MoveReply(have=have, exemplar=want, goal=goal, strength=strength)
        if name in straight:
            plan.edits[name] = strength
        else:
            plan.targets[name] = goal
        reach = partial(effect.reach, moved, goal, generator)
        moved = move_latent(control, reach, moved, goal)
    return plan


_DIGITS = 4
"""Of a strength: what a slider keeps."""
