"""Latent-Fu: semantic photo editing inside GIMP.

What is importable from here is the public interface that plug-ins, notebooks and the project's
own plug-ins use; everything else may change. Names are loaded when first used, so
``import latentfu`` costs milliseconds and torch is imported only where a network is.

The names stand once, in the table below, and in ``latentfu.hookspecs.KINDS``. What type checkers
read (``__init__.pyi``) and ``docs/reference`` are written from them by
``python docs/reference/generate.py``.
"""

from __future__ import annotations

import importlib

__version__ = "0.2.0"

_NAMES: dict[str, tuple[str, ...]] = {
    "latentfu.api": (
        "aligners", "build_steps", "checkpoint_formats", "control_makers", "controls",
        "edit", "encoders", "find_regions", "generators", "identities", "installed", "invert",
        "inverters", "losses", "make_directions", "mix", "public_networks", "refuse_taken_name",
        "scorers", "transfer",
    ),
    "latentfu.core.layer": ("Layer",),
    "latentfu.core.crop": ("Crop", "Point", "Quad"),
    "latentfu.core.latent": (
        "FeatureOffset", "Inversion", "Latent", "Quality", "Space", "WeightOffset",
    ),
    "latentfu.core.generator": ("Generator", "Noise", "SynthesisLayer", "random_latents"),
    "latentfu.core.control": ("Control", "ControlEffect"),
    "latentfu.core.value_effect": ("ControlValue", "Exemplar", "ValueEffect"),
    "latentfu.core.regions": ("measure_region_changes",),
    "latentfu.core.errors": (
        "BadInputError", "CancelledError", "LatentFuError", "NotInstalledError",
        "OutOfMemoryError", "PluginFailedError", "ServerError", "StorageError",
        "WrongGeneratorError",
    ),
    "latentfu.core.names": ("Name", "Sha256", "is_name", "is_sha256"),
    "latentfu.core.installable_network": (
        "FileCheck", "InstallationRequest", "InstallationState", "NetworkTerms",
    ),
    "latentfu.core.progress": (
        "ByteCount", "Progress", "Stopwatch", "between", "cancel_scope", "check_cancelled",
        "silent",
    ),
    "latentfu.core.limits": ("PICTURE_FORMATS",),
    "latentfu.core.precision": ("mixed_precision", "quick_dtype"),
    "latentfu.core.contact_sheet": ("SheetRow", "contact_sheet"),
    "latentfu.hookspecs": ("hookimpl",),  # and the classes of KINDS
    "latentfu.plugin_objects": ("ControlRequest", "InversionRequest", "Level", "RouteRequest"),
    "latentfu.plugin_manager.running": ("call_plugin",),
    "latentfu.plugin_manager.default_choice": ("read_default_generator",),
    "latentfu.plugin_manager.network_access": ("worker_settings",),
    "latentfu.plugin_manager.set_default": (
        "drop_default_generator", "write_default_generator",
    ),
    "latentfu.pipeline.generator_pool": ("detect_format", "open_generator"),
    "latentfu.pipeline.generator_recipe": (
        "GeneratorRecipe", "choose_render_batch", "describe_generator", "measure_worker",
    ),
    "latentfu.engine.batch_task": ("BatchTask", "Resources", "WorkerPlace"),
    "latentfu.engine.map_batches": ("Engine", "WorkerCrew", "map_batches", "run_batches"),
    "latentfu.engine.local": ("LocalEngine",),
    "latentfu.engine.open_engine": ("EngineChoice", "open_engine"),
    "latentfu.engine.shards": ("ShardedRows",),
    "latentfu.pipeline.plugin_calls": ("load_identity",),
    "latentfu.pipeline.network_memory": ("network_settings",),
    "latentfu.pipeline.spare_memory": ("work_in_parts",),
    "latentfu.pipeline.align": ("Placement", "face_quad"),
    "latentfu.pipeline.feature_warp": ("warp_features",),
    "latentfu.storage.directions": ("Direction", "read_direction", "write_direction"),
    "latentfu.storage.own_directions": (
        "choose_direction_file", "own_directions_dir", "save_direction",
    ),
    "latentfu.pipeline.make_directions": ("choose_scorer",),
    "latentfu.storage.direction_control": (
        "DirectionEffect", "directions_in", "find_direction",
    ),
    "latentfu.storage.deformations": (
        "Deformation", "DeformationEffect", "deformations_in", "read_deformation",
        "write_deformation",
    ),
    "latentfu.storage.settings": ("read_setting",),
    "latentfu.storage.inversion_cache": ("load_inversion",),
    "latentfu.storage.layer_store": ("find_latent_file",),
    "latentfu.storage.atomic": ("whole_file", "write_image", "write_whole"),
    "latentfu.storage.safetensors_file": (
        "file_sha256", "find_metadata", "read_arrays", "read_metadata", "read_tensors",
        "read_tensors_and_metadata", "weights_id", "write_tensors",
    ),
    "latentfu.core.paths": ("config_dir", "data_dir"),
    "latentfu.storage.download": ("Offer", "Patience", "download"),
    "latentfu.sandbox.foreign_latent": ("load_latent",),
    "latentfu.sandbox": (
        "ConvertedWeights", "ForeignFile", "OpaqueObject", "read_foreign", "read_torch",
        "tensors_of",
    ),
    "latentfu.cli.output": ("json_option", "progress_bar"),
    "latentfu.cli.options": ("NamedValue", "Strength", "engine_options"),
    "latentfu.cli.bench": ("bench_command", "print_measures"),
    "latentfu.bench": ("Measure",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}

_RENAMED = {
    "Bend": "WeightOffset",
    "Converted": "ConvertedWeights",
    "Detail": "FeatureOffset",
    "DirectionMover": "DirectionEffect",
    "Foreign": "ForeignFile",
    "Mover": "ControlEffect",
    "Placing": "Placement",
    "Thing": "OpaqueObject",
    "carried": "warp_features",
    "watched": "progress_bar",
}
"""Public names of 0.1; until when they work stands in latentfu.core.deprecation."""
_NEEDLESS = {"keep_freed_memory": ("latentfu.pipeline.generator_pool", "keep_freed_pages")}
"""Names of 0.1 that nothing replaces: the module and name behind each."""


def __getattr__(name: str) -> object:
    if name == "__all__":
        return __dir__()
    if name in _RENAMED:
        from latentfu.core.deprecation import warn_deprecated

        warn_deprecated(f"latentfu.{name}")
        return __getattr__(_RENAMED[name])
    if name in _NEEDLESS:
        from latentfu.core.deprecation import warn_deprecated

        home, inner = _NEEDLESS[name]
        warn_deprecated(f"latentfu.{name}")
        return getattr(importlib.import_module(home), inner)
    module = _MODULE_OF.get(name)
    if module is None and not name.startswith("_") and name in _kind_classes():
        module = _kind_classes()[name]
    if module is None:
        raise AttributeError(f"module 'latentfu' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return ["__version__", *sorted({*_MODULE_OF, *_kind_classes()})]


def _kind_classes() -> dict[str, str]:
    """The classes that hooks return, with the module that each is in."""
    from latentfu.hookspecs import KINDS

    return {kind.cls.__name__: kind.cls.__module__ for kind in KINDS.values()}
