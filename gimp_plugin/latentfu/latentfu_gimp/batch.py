"""The procedures without a window: all HTTP first, then the image is touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gi.repository import Gimp

from . import finder, jobs
from .arguments import layer_name, parse_edits, parse_layers
from .errors import PluginError
from .layers import check_layer, chosen_layer, insert_result, plain_target, show_report
from .pixels import read_layer
from .remember import remembered


def edit(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Edit the layer as the arguments say; the new layer, or PluginError."""
    layer = chosen_layer(drawables)
    edits = parse_edits(config.get_property("edits") or "")
    if not edits:
        raise PluginError("There is nothing to change: give edits such as smile=2 yaw=-1.")
    target = plain_target(image, layer)
    work = jobs.Work(target.picture, target.mask, edits=edits, **common(config))
    result = _run(work, "Editing the portrait ...")
    new = insert_result(target, result, layer_name(edits), remembered(target, work, result))
    show_report(result)
    return new


def mix(
    image: Gimp.Image, drawables: Sequence[Gimp.Drawable], config: Gimp.ProcedureConfig
) -> Gimp.Layer:
    """Mix the layer with another; the new layer, or PluginError."""
    layer = chosen_layer(drawables)
    source = config.get_property("source")
    if source is None:
        raise PluginError("No second layer is given: choose the one whose features to take.")
    layers = parse_layers(config.get_property("layers") or "")
    target = plain_target(image, layer)
    work = jobs.Work(
        target.picture,
        target.mask,
        source=read_layer(check_layer(source)),
        layers=layers,
        **common(config),
    )
    result = _run(work, "Mixing the portraits ...")
    name = mix_name(source, layers)
    new = insert_result(target, result, name, remembered(target, work, result))
    show_report(result)
    return new


def mix_name(source: Gimp.Layer, layers: tuple[int, int]) -> str:
    """What the new layer of a mix is called."""
    return f"Latent-Fu: {layers[0]}-{layers[1]} of {source.get_name()}"


def server(action: str) -> str:
    """See, start or stop the server; one sentence on its state."""
    if action == "start":
        Gimp.progress_init("Starting the Latent-Fu server ...")
        finder.connect(_report).close()
        Gimp.progress_end()
    elif action == "stop":
        finder.stop()
    return status()


def status() -> str:
    """One sentence on the server's state."""
    found = finder.find()
    if not found:
        return "The Latent-Fu server is not running."
    client, health = found
    workers = ", ".join(
        f"worker {one.get('state', 'unknown')} on {one.get('device') or 'an unknown device'}"
        for one in health.get("workers") or [health.get("worker") or {}]
    )
    version = health.get("version", "")
    return f"The Latent-Fu server {version} runs on port {client.port}, {workers}."


def common(config: Gimp.ProcedureConfig) -> dict[str, Any]:
    """The arguments that editing and mixing share."""
    return {
        "generator": config.get_property("generator") or "",
        "inverter": config.get_property("inverter") or "",
        "feather": config.get_property("feather"),
    }


def _run(work: jobs.Work, message: str) -> jobs.Result:
    Gimp.progress_init(message)
    try:
        with finder.connect(_report) as client:
            return jobs.run(client, work, _report)
    finally:
        Gimp.progress_end()


def _report(fraction: float, message: str) -> None:
    Gimp.progress_update(min(max(fraction, 0.0), 1.0))
    if message:
        Gimp.progress_set_text(message)
