"""Latent-Fu: semantic photo editing inside GIMP.

What is importable from here is the public interface that plug-ins, notebooks and the project's
own plug-ins use; everything else may change. Names are loaded when first used, so
``import latentfu`` costs milliseconds and torch is imported only where a network is.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_WHERE = {
    "BadInputError": "latentfu.core.errors",
    "CancelledError": "latentfu.core.errors",
    "LatentFuError": "latentfu.core.errors",
    "NotInstalledError": "latentfu.core.errors",
    "ServerError": "latentfu.core.errors",
    "StorageError": "latentfu.core.errors",
    "WrongGeneratorError": "latentfu.core.errors",
    "Control": "latentfu.core.control",
    "Mover": "latentfu.core.control",
    "Crop": "latentfu.core.crop",
    "Quad": "latentfu.core.crop",
    "Generator": "latentfu.core.generator",
    "random_latents": "latentfu.core.generator",
    "Inversion": "latentfu.core.inversion",
    "Quality": "latentfu.core.inversion",
    "Placement": "latentfu.pipeline.align",
    "face_quad": "latentfu.pipeline.align",
    "carried": "latentfu.pipeline.feature_warp",
    "Latent": "latentfu.core.latent",
    "WeightOffset": "latentfu.core.latent",
    "FeatureOffset": "latentfu.core.latent",
    "Space": "latentfu.core.latent",
    "SynthesisLayer": "latentfu.core.generator",
    "Noise": "latentfu.core.generator",
    "Measure": "latentfu.bench",
    "SheetRow": "latentfu.core.contact_sheet",
    "contact_sheet": "latentfu.core.contact_sheet",
    "bench_command": "latentfu.cli.bench",
    "Layer": "latentfu.core.layer",
    "keep_freed_pages": "latentfu.core._malloc",
    "mixed_precision": "latentfu.core.precision",
    "quick_dtype": "latentfu.core.precision",
    "Progress": "latentfu.core.progress",
    "watched": "latentfu.cli.output",
    "Strength": "latentfu.cli.options",
    "between": "latentfu.core.progress",
    "silent": "latentfu.core.progress",
    "Aligner": "latentfu.hookspecs",
    "BuildStep": "latentfu.hookspecs",
    "CheckpointFormat": "latentfu.hookspecs",
    "ConvertedWeights": "latentfu.sandbox",
    "ForeignFile": "latentfu.sandbox",
    "OpaqueObject": "latentfu.sandbox",
    "read_foreign": "latentfu.sandbox",
    "read_torch": "latentfu.sandbox",
    "tensors_of": "latentfu.sandbox",
    "checkpoint_formats": "latentfu.api",
    "Command": "latentfu.hookspecs",
    "ControlMaker": "latentfu.hookspecs",
    "ControlRequest": "latentfu.hookspecs",
    "Encoder": "latentfu.hookspecs",
    "GeneratorSpec": "latentfu.hookspecs",
    "Identity": "latentfu.hookspecs",
    "InversionRequest": "latentfu.hookspecs",
    "Inverter": "latentfu.hookspecs",
    "Level": "latentfu.hookspecs",
    "Loss": "latentfu.hookspecs",
    "PublicNetwork": "latentfu.hookspecs",
    "Scorer": "latentfu.hookspecs",
    "hookimpl": "latentfu.hookspecs",
    "Direction": "latentfu.storage.directions",
    "DirectionEffect": "latentfu.storage.direction_mover",
    "directions_in": "latentfu.storage.directions",
    "read_direction": "latentfu.storage.directions",
    "write_direction": "latentfu.storage.directions",
    "aligners": "latentfu.api",
    "build_steps": "latentfu.api",
    "control_makers": "latentfu.api",
    "controls": "latentfu.api",
    "edit": "latentfu.api",
    "encoders": "latentfu.api",
    "generators": "latentfu.api",
    "identities": "latentfu.api",
    "invert": "latentfu.api",
    "Stopwatch": "latentfu.core.progress",
    "data_dir": "latentfu.storage.paths",
    "load_inversion": "latentfu.storage.inversion_cache",
    "write_whole": "latentfu.storage.atomic",
    "Offer": "latentfu.storage.download",
    "Patience": "latentfu.storage.download",
    "download": "latentfu.storage.download",
    "config_dir": "latentfu.storage.paths",
    "inverters": "latentfu.api",
    "losses": "latentfu.api",
    "mix": "latentfu.api",
    "open_generator": "latentfu.api",
    "public_networks": "latentfu.api",
    "scorers": "latentfu.api",
}

__all__ = ["__version__", *sorted(_WHERE)]  # noqa: PLE0604 - all of them are str

if TYPE_CHECKING:
    from latentfu.api import aligners as aligners
    from latentfu.api import build_steps as build_steps
    from latentfu.api import checkpoint_formats as checkpoint_formats
    from latentfu.api import control_makers as control_makers
    from latentfu.api import controls as controls
    from latentfu.api import edit as edit
    from latentfu.api import encoders as encoders
    from latentfu.api import generators as generators
    from latentfu.api import identities as identities
    from latentfu.api import invert as invert
    from latentfu.api import inverters as inverters
    from latentfu.api import losses as losses
    from latentfu.api import mix as mix
    from latentfu.api import open_generator as open_generator
    from latentfu.api import public_networks as public_networks
    from latentfu.api import scorers as scorers
    from latentfu.bench import Measure as Measure
    from latentfu.cli.bench import bench_command as bench_command
    from latentfu.cli.options import Strength as Strength
    from latentfu.cli.output import watched as watched
    from latentfu.core._malloc import keep_freed_pages as keep_freed_pages
    from latentfu.core.contact_sheet import SheetRow as SheetRow
    from latentfu.core.contact_sheet import contact_sheet as contact_sheet
    from latentfu.core.control import Control as Control
    from latentfu.core.control import Mover as Mover
    from latentfu.core.crop import Crop as Crop
    from latentfu.core.crop import Quad as Quad
    from latentfu.core.errors import BadInputError as BadInputError
    from latentfu.core.errors import CancelledError as CancelledError
    from latentfu.core.errors import LatentFuError as LatentFuError
    from latentfu.core.errors import NotInstalledError as NotInstalledError
    from latentfu.core.errors import ServerError as ServerError
    from latentfu.core.errors import StorageError as StorageError
    from latentfu.core.errors import WrongGeneratorError as WrongGeneratorError
    from latentfu.core.generator import Generator as Generator
    from latentfu.core.generator import Noise as Noise
    from latentfu.core.generator import SynthesisLayer as SynthesisLayer
    from latentfu.core.generator import random_latents as random_latents
    from latentfu.core.inversion import Inversion as Inversion
    from latentfu.core.inversion import Quality as Quality
    from latentfu.core.latent import FeatureOffset as FeatureOffset
    from latentfu.core.latent import Latent as Latent
    from latentfu.core.latent import Space as Space
    from latentfu.core.latent import WeightOffset as WeightOffset
    from latentfu.core.layer import Layer as Layer
    from latentfu.core.precision import mixed_precision as mixed_precision
    from latentfu.core.precision import quick_dtype as quick_dtype
    from latentfu.core.progress import Progress as Progress
    from latentfu.core.progress import Stopwatch as Stopwatch
    from latentfu.core.progress import between as between
    from latentfu.core.progress import silent as silent
    from latentfu.hookspecs import Aligner as Aligner
    from latentfu.hookspecs import BuildStep as BuildStep
    from latentfu.hookspecs import CheckpointFormat as CheckpointFormat
    from latentfu.hookspecs import Command as Command
    from latentfu.hookspecs import ControlMaker as ControlMaker
    from latentfu.hookspecs import ControlRequest as ControlRequest
    from latentfu.hookspecs import Encoder as Encoder
    from latentfu.hookspecs import GeneratorSpec as GeneratorSpec
    from latentfu.hookspecs import Identity as Identity
    from latentfu.hookspecs import InversionRequest as InversionRequest
    from latentfu.hookspecs import Inverter as Inverter
    from latentfu.hookspecs import Level as Level
    from latentfu.hookspecs import Loss as Loss
    from latentfu.hookspecs import PublicNetwork as PublicNetwork
    from latentfu.hookspecs import Scorer as Scorer
    from latentfu.hookspecs import hookimpl as hookimpl
    from latentfu.pipeline.align import Placement as Placement
    from latentfu.pipeline.align import face_quad as face_quad
    from latentfu.pipeline.feature_warp import carried as carried
    from latentfu.sandbox import ConvertedWeights as ConvertedWeights
    from latentfu.sandbox import ForeignFile as ForeignFile
    from latentfu.sandbox import OpaqueObject as OpaqueObject
    from latentfu.sandbox import read_foreign as read_foreign
    from latentfu.sandbox import read_torch as read_torch
    from latentfu.sandbox import tensors_of as tensors_of
    from latentfu.storage.atomic import write_whole as write_whole
    from latentfu.storage.direction_mover import DirectionEffect as DirectionEffect
    from latentfu.storage.directions import Direction as Direction
    from latentfu.storage.directions import directions_in as directions_in
    from latentfu.storage.directions import read_direction as read_direction
    from latentfu.storage.directions import write_direction as write_direction
    from latentfu.storage.download import Offer as Offer
    from latentfu.storage.download import Patience as Patience
    from latentfu.storage.download import download as download
    from latentfu.storage.inversion_cache import load_inversion as load_inversion
    from latentfu.storage.paths import config_dir as config_dir
    from latentfu.storage.paths import data_dir as data_dir


def __getattr__(name: str) -> object:
    if name in _WHERE:
        value: object = getattr(importlib.import_module(_WHERE[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'latentfu' has no attribute {name!r}")
