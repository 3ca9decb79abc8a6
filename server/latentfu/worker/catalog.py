"""What is installed, as plain JSON for the front (which loads no plug-in itself)."""

from __future__ import annotations

from latentfu.hookspecs import GeneratorSpec, Inverter
from latentfu.plugin_manager import get_registry


def read_catalog() -> dict[str, object]:
    """Generators, inverters, controls per generator and plug-ins; the defaults first."""
    registry = get_registry()
    generators = registry.installed(GeneratorSpec)
    return {
        "generators": [
            {
                "name": name,
                "title": spec.title,
                "domain": spec.domain,
                "resolution": spec.resolution,
                "id": spec.id,
                "licence": spec.licence,
                "description": spec.description,
            }
            for name, spec in generators.items()
        ],
        "inverters": [
            {
                "name": name,
                "title": inverter.title,
                "spaces": list(inverter.spaces),
                "description": inverter.description,
            }
            for name, inverter in registry.installed(Inverter).items()
        ],
        "controls": {
            name: [
                {
                    "name": key,
                    "title": control.title,
                    "plus": control.positive_means,
                    "group": control.group,
                    "kind": control.kind,
                    "minimum": control.minimum,
                    "maximum": control.maximum,
                    "unit": control.unit,
                    "layers": list(control.layers) if control.layers else None,
                    "author": control.author,
                    "licence": control.licence,
                    "source": control.source,
                }
                for key, control in registry.controls(spec).items()
            ]
            for name, spec in generators.items()
        },
        "plugins": [
            {
                "name": status.name,
                "origin": status.origin,
                "state": status.state,
                "reason": status.reason,
                "version": status.version,
            }
            for status in registry.statuses()
        ],
    }
