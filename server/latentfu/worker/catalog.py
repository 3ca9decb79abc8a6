"""What is installed, as plain JSON for the front (which loads no plug-in itself)."""

from __future__ import annotations

from dataclasses import asdict

from latentfu.core.setting import Setting
from latentfu.plugin_manager import get_registry
from latentfu.plugin_objects import (
    Aligner,
    ControlMaker,
    GeneratorSpec,
    Inverter,
    Route,
    Scorer,
)
from latentfu.protocol.replies import (
    AlignerReply,
    ControlReply,
    GeneratorReply,
    InverterReply,
    MakerReply,
    PluginReply,
    dump_named,
)


def read_catalog() -> dict[str, object]:
    """Generators, methods, scorers, controls per generator and plug-ins, in plug-in order.

    The front, which knows at any time which generator was chosen, puts that first.
    """
    registry = get_registry()
    generators = registry.installed_in_order(GeneratorSpec)
    return {
        "generators": dump_named(GeneratorReply, generators),
        "inverters": dump_named(InverterReply, registry.installed(Inverter)),
        "makers": dump_named(MakerReply, registry.installed(ControlMaker)),
        "scorers": [
            {"name": name, "domain": each.domain, "attributes": list(each.attributes)}
            for name, each in registry.installed(Scorer).items()
        ],
        "aligners": dump_named(AlignerReply, registry.installed(Aligner)),
        "controls": {
            name: dump_named(ControlReply, registry.controls(spec))
            for name, spec in generators.items()
        },
        "settings": [asdict(each) for each in registry.installed(Setting).values()],
        "routes": [
            {"plugin": each.plugin, "name": each.name, "method": each.method}
            for each in registry.installed(Route).values()
        ],
        "plugins": [
            PluginReply.model_validate(status).model_dump(mode="json")
            for status in registry.statuses()
        ],
    }
