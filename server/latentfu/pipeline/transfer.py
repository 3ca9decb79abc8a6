"""How far a picture is moved along directions, so that it stands where another one does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from latentfu.core.control import Control, ControlEffect, check_strengths
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


def list_moved(request: TransferRequest, controls: Mapping[str, Control]) -> list[str]:
    """The directions that a request moves: those it names, then those of its attributes.

    Args:
        request: what is asked for.
        controls: of its generator, by name.

    Raises:
        BadInputError: no direction of the generator belongs to an attribute.
        NotInstalledError: there is no control of a name.
    """
    check_strengths(dict.fromkeys(request.along, 0.0), controls)
    groups: dict[str, list[str]] = {}
    for control in controls.values():
        if control.kind == "direction":
            groups.setdefault(control.group, []).append(control.name)
    for attribute in request.attributes:
        if attribute not in groups:
            raise BadInputError(
                f"There is no attribute {attribute!r} here; there are: {', '.join(sorted(groups))}."
            )
    belonging = [name for attribute in request.attributes for name in groups[attribute]]
    return list(dict.fromkeys([*request.along, *belonging]))


def make_mapping_request(request: TransferRequest, controls: Mapping[str, Control]) -> EditRequest:
    """The edit that gives a layer attributes of the source by their conditional mappings.

    Args:
        request: what is asked for.
        controls: of its generator, by name.

    Raises:
        BadInputError: there is no conditional mapping for one of the attributes.
    """
    for attribute in request.attributes:
        if f"{attribute}{MAPPING_ENDING}" not in controls:
            raise BadInputError(
                f"There is no conditional mapping for {attribute!r} here: train one with latentfu "
                f"train conditional-mapping GENERATOR --attributes {attribute}."
            )
    common = request.model_dump(exclude={"kind", "source", *_OWN})
    wanted = {f"{attribute}{MAPPING_ENDING}": request.source for attribute in request.attributes}
    return EditRequest(**common, exemplars=wanted)


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

    def make_request(self, request: TransferRequest) -> EditRequest:
        """The edit that the transfer comes down to."""
        common = request.model_dump(exclude={"kind", "source", *_OWN})
        return EditRequest(**common, edits=self.edits, targets=self.targets)


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
