"""What a request sets controls to that are no sliders, as their effects take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from latentfu.core.control import Control, find_control, tell_values
from latentfu.core.crop import Point, Quad
from latentfu.core.errors import BadInputError
from latentfu.core.value_effect import ControlValue, Exemplar, read_control_value
from latentfu.pipeline.crop import crop_to_layer
from latentfu.protocol.requests import ControlsRequest


def check_valued_controls(request: ControlsRequest, controls: Mapping[str, Control]) -> None:
    """Refuse values before anything costs time.

    Raises:
        NotInstalledError: there is no control of a name.
        BadInputError: a control is a slider, or does not take what it is set to.
    """
    for name in sorted(request.valued):
        control = find_control(name, controls)
        if control.widget == "slider" or (control.widget == "picture") != (
            name in request.exemplars
        ):
            raise BadInputError(f"{name} takes something else: set it to {tell_values(control)}.")
        if name in request.values:
            read_control_value(control, request.values[name])


def resolve_values(
    request: ControlsRequest,
    controls: Mapping[str, Control],
    quad: Quad,
    find_exemplar: Callable[[str], Exemplar],
) -> dict[str, ControlValue]:
    """The values of a request that has been checked, without those that are as good as not set.

    ``quad`` is the square of the layer that is edited, ``find_exemplar`` finds the latent of a
    picture by its reference. Raises BadInputError for a point outside the square.
    """
    values: dict[str, ControlValue] = {}
    for name, given in request.values.items():
        value = read_control_value(controls[name], given)
        if controls[name].widget == "point":
            value = _place_in_square(name, value, quad)
        if value is not None:
            values[name] = value
    return values | {name: find_exemplar(each) for name, each in request.exemplars.items()}


def _place_in_square(name: str, point: object, quad: Quad) -> Point:
    """A point in layer pixels as a place in the square, 0..1."""
    to_square = np.linalg.inv(crop_to_layer(quad, 1.0))
    x, y, scale = to_square @ np.asarray([*np.asarray(point, float), 1.0])
    place = float(x / scale), float(y / scale)
    if not all(0.0 <= part <= 1.0 for part in place):
        raise BadInputError(f"The point of {name} lies outside the part that is edited.")
    return place
