"""The other layer of the last mix or transfer: GIMP keeps no layer among a filter's last values."""

from __future__ import annotations

from gi.repository import Gimp

_NAME = "latentfu/last-source-{procedure}"
_NOT_KEPT = 0
"""The parasite's flags: a layer's number means nothing once GIMP is closed."""


def keep_source(procedure: str, config: Gimp.ProcedureConfig) -> None:
    """Remember the other layer until GIMP is closed, so that Repeat Last finds it."""
    source = _read(config)
    if source is not None:
        name, data = _NAME.format(procedure=procedure), str(source.get_id()).encode("ascii")
        Gimp.attach_parasite(Gimp.Parasite.new(name, _NOT_KEPT, data))


def recall_source(procedure: str, config: Gimp.ProcedureConfig) -> None:
    """Put the other layer into the arguments again, if it is still there and none is given."""
    parasite = Gimp.get_parasite(_NAME.format(procedure=procedure))
    if parasite is None or not _takes_source(config) or _read(config) is not None:
        return
    number = int(bytes(parasite.get_data()))
    if Gimp.Item.id_is_layer(number):
        config.set_property("source", Gimp.Layer.get_by_id(number))


def _takes_source(config: Gimp.ProcedureConfig) -> bool:
    return config.find_property("source") is not None


def _read(config: Gimp.ProcedureConfig) -> Gimp.Layer | None:
    return config.get_property("source") if _takes_source(config) else None
