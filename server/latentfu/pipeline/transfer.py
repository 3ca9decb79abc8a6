"""How far a picture is moved along directions, so that it stands where another one does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from latentfu.core.latent import Latent
from latentfu.pipeline.apply_controls import read_amount, readable_effect
from latentfu.pipeline.cache import ControlCache
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.plugin_calls import move_latent
from latentfu.protocol.replies import MoveReply
from latentfu.protocol.requests import EditRequest, TransferRequest
from latentfu.storage.direction_control import DirectionEffect

_PLACES = ("face", "corners", "eyes", "mouth")


def make_exemplar_request(request: TransferRequest) -> TransferRequest:
    """What is asked of the second picture: place, mask and latent are those of the first."""
    alone = {"layer": request.source, "mask": None, "latent": None, **dict.fromkeys(_PLACES)}
    return request.model_copy(update=alone)


def make_transfer_edit(request: TransferRequest, moves: Mapping[str, MoveReply]) -> EditRequest:
    """The edit that a transfer comes down to."""
    common = request.model_dump(exclude={"kind", "source", "along", "scale"})
    return EditRequest(**common, targets={name: move.goal for name, move in moves.items()})


def measure_moves(
    request: TransferRequest,
    latents: tuple[Latent, Latent],
    resolved: ResolvedRequest,
    cache: ControlCache,
) -> dict[str, MoveReply]:
    """How each direction is moved, in the order in which an edit moves them.

    Args:
        request: which directions, and how far of the way.
        latents: one code of the layer and one of the second picture.
        resolved: the generator and its controls, all of ``request.along`` among them.
        cache: where loaded controls are kept.

    Returns:
        The moves by name.

    Raises:
        BadInputError: a control cannot be read off a code.
    """
    first, second = latents
    generator, moves, moved = resolved.generator, {}, first
    for name in sorted(request.along):
        control = resolved.controls[name]
        effect = readable_effect(control, cache.get(control, generator), generator)
        have, want, held = (
            float(read_amount(control, effect, latent, generator)[0])
            for latent in (first, second, moved)
        )
        goal = have + request.scale * (want - have)
        # What was moved before may have moved this one too: an edit has to bring the rest only.
        absolute = isinstance(effect, DirectionEffect) and effect.direction.absolute
        strength = goal if absolute else goal - held
        moves[name] = MoveReply(have=have, exemplar=want, goal=goal, strength=strength)
        reach = partial(effect.reach, moved, goal, generator)
        moved = move_latent(control, reach, moved, goal)
    return moves
