"""For authors of plug-ins: checks of the contract, and pytest fixtures.

The fixtures are there as soon as ``latentfu`` is installed; the checks are plain functions that
raise AssertionError with a sentence. Importing this costs milliseconds: torch comes with the
first check.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

_WHERE = {
    "check_startup_task": "latentfu.testing.plugin_checks",
    "check_sample_picture": "latentfu.testing.plugin_checks",
    "check_route": "latentfu.testing.plugin_checks",
    "check_region_parser": "latentfu.testing.plugin_checks",
    "check_plugin": "latentfu.testing.plugin_checks",
    "LayeredGenerator": "latentfu.testing.tiny",
    "TinyGenerator": "latentfu.testing.tiny",
    "check_controls": "latentfu.testing.checks",
    "check_aligner": "latentfu.testing.object_checks",
    "check_checkpoint_format": "latentfu.testing.object_checks",
    "check_command": "latentfu.testing.object_checks",
    "check_control_maker": "latentfu.testing.object_checks",
    "check_encoder": "latentfu.testing.object_checks",
    "check_identity": "latentfu.testing.object_checks",
    "check_loss": "latentfu.testing.object_checks",
    "check_scorer": "latentfu.testing.object_checks",
    "check_generator": "latentfu.testing.checks",
    "check_inverter": "latentfu.testing.checks",
    "spec_of": "latentfu.testing.tiny",
    "tiny_spec": "latentfu.testing.tiny",
}

__all__ = [
    "LayeredGenerator",
    "TinyGenerator",
    "check_aligner",
    "check_checkpoint_format",
    "check_command",
    "check_control_maker",
    "check_controls",
    "check_encoder",
    "check_generator",
    "check_identity",
    "check_inverter",
    "check_loss",
    "check_plugin",
    "check_region_parser",
    "check_route",
    "check_sample_picture",
    "check_scorer",
    "check_startup_task",
    "spec_of",
    "tiny_spec",
]

if TYPE_CHECKING:
    from latentfu.testing.checks import check_controls, check_generator, check_inverter
    from latentfu.testing.object_checks import (
        check_aligner,
        check_checkpoint_format,
        check_command,
        check_control_maker,
        check_encoder,
        check_identity,
        check_loss,
        check_scorer,
    )
    from latentfu.testing.plugin_checks import (
        check_plugin,
        check_region_parser,
        check_route,
        check_sample_picture,
        check_startup_task,
    )
    from latentfu.testing.tiny import LayeredGenerator, TinyGenerator, spec_of, tiny_spec


def __getattr__(name: str) -> object:
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'latentfu.testing' has no attribute {name!r}")
