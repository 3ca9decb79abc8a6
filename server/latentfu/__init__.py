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
    "BadInputError": "latentfu.errors",
    "CancelledError": "latentfu.errors",
    "LatentFuError": "latentfu.errors",
    "NotInstalledError": "latentfu.errors",
    "ServerError": "latentfu.errors",
    "StorageError": "latentfu.errors",
    "WrongGeneratorError": "latentfu.errors",
    "Control": "latentfu.nouns.control",
    "Mover": "latentfu.nouns.control",
    "Crop": "latentfu.nouns.crop",
    "Quad": "latentfu.nouns.crop",
    "Generator": "latentfu.nouns.generator",
    "random_latents": "latentfu.nouns.generator",
    "Inversion": "latentfu.nouns.inversion",
    "Quality": "latentfu.nouns.inversion",
    "Placing": "latentfu.edit.placing",
    "face_quad": "latentfu.edit.placing",
    "carried": "latentfu.edit.carry",
    "Latent": "latentfu.nouns.latent",
    "Bend": "latentfu.nouns.latent",
    "Detail": "latentfu.nouns.latent",
    "Space": "latentfu.nouns.latent",
    "SynthesisLayer": "latentfu.nouns.generator",
    "Noise": "latentfu.nouns.generator",
    "Measure": "latentfu.bench",
    "SheetRow": "latentfu.sheets",
    "contact_sheet": "latentfu.sheets",
    "bench_command": "latentfu.cli.bench",
    "Layer": "latentfu.nouns.layer",
    "keep_freed_memory": "latentfu.heap",
    "mixed_precision": "latentfu.precision",
    "quick_dtype": "latentfu.precision",
    "Progress": "latentfu.progress",
    "watched": "latentfu.cli.output",
    "Strength": "latentfu.cli.options",
    "between": "latentfu.progress",
    "silent": "latentfu.progress",
    "Aligner": "latentfu.hooks",
    "BuildStep": "latentfu.hooks",
    "CheckpointFormat": "latentfu.hooks",
    "Converted": "latentfu.importer",
    "Foreign": "latentfu.importer",
    "Thing": "latentfu.importer",
    "read_foreign": "latentfu.importer",
    "read_torch": "latentfu.importer",
    "tensors_of": "latentfu.importer",
    "checkpoint_formats": "latentfu.api",
    "Command": "latentfu.hooks",
    "ControlMaker": "latentfu.hooks",
    "ControlRequest": "latentfu.hooks",
    "Encoder": "latentfu.hooks",
    "GeneratorSpec": "latentfu.hooks",
    "Identity": "latentfu.hooks",
    "InversionRequest": "latentfu.hooks",
    "Inverter": "latentfu.hooks",
    "Level": "latentfu.hooks",
    "Loss": "latentfu.hooks",
    "PublicNetwork": "latentfu.hooks",
    "Scorer": "latentfu.hooks",
    "hookimpl": "latentfu.hooks",
    "Direction": "latentfu.store.directions",
    "DirectionMover": "latentfu.store.direction_mover",
    "directions_in": "latentfu.store.directions",
    "read_direction": "latentfu.store.directions",
    "write_direction": "latentfu.store.directions",
    "aligners": "latentfu.api",
    "build_steps": "latentfu.api",
    "control_makers": "latentfu.api",
    "controls": "latentfu.api",
    "edit": "latentfu.api",
    "encoders": "latentfu.api",
    "generators": "latentfu.api",
    "identities": "latentfu.api",
    "invert": "latentfu.api",
    "Stopwatch": "latentfu.progress",
    "data_dir": "latentfu.store.paths",
    "load_inversion": "latentfu.store.inversions",
    "write_whole": "latentfu.store.atomic",
    "Offer": "latentfu.store.download",
    "Patience": "latentfu.store.download",
    "download": "latentfu.store.download",
    "config_dir": "latentfu.store.paths",
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
    from latentfu.edit.carry import carried as carried
    from latentfu.edit.placing import Placing as Placing
    from latentfu.edit.placing import face_quad as face_quad
    from latentfu.errors import BadInputError as BadInputError
    from latentfu.errors import CancelledError as CancelledError
    from latentfu.errors import LatentFuError as LatentFuError
    from latentfu.errors import NotInstalledError as NotInstalledError
    from latentfu.errors import ServerError as ServerError
    from latentfu.errors import StorageError as StorageError
    from latentfu.errors import WrongGeneratorError as WrongGeneratorError
    from latentfu.heap import keep_freed_memory as keep_freed_memory
    from latentfu.hooks import Aligner as Aligner
    from latentfu.hooks import BuildStep as BuildStep
    from latentfu.hooks import CheckpointFormat as CheckpointFormat
    from latentfu.hooks import Command as Command
    from latentfu.hooks import ControlMaker as ControlMaker
    from latentfu.hooks import ControlRequest as ControlRequest
    from latentfu.hooks import Encoder as Encoder
    from latentfu.hooks import GeneratorSpec as GeneratorSpec
    from latentfu.hooks import Identity as Identity
    from latentfu.hooks import InversionRequest as InversionRequest
    from latentfu.hooks import Inverter as Inverter
    from latentfu.hooks import Level as Level
    from latentfu.hooks import Loss as Loss
    from latentfu.hooks import PublicNetwork as PublicNetwork
    from latentfu.hooks import Scorer as Scorer
    from latentfu.hooks import hookimpl as hookimpl
    from latentfu.importer import Converted as Converted
    from latentfu.importer import Foreign as Foreign
    from latentfu.importer import Thing as Thing
    from latentfu.importer import read_foreign as read_foreign
    from latentfu.importer import read_torch as read_torch
    from latentfu.importer import tensors_of as tensors_of
    from latentfu.nouns.control import Control as Control
    from latentfu.nouns.control import Mover as Mover
    from latentfu.nouns.crop import Crop as Crop
    from latentfu.nouns.crop import Quad as Quad
    from latentfu.nouns.generator import Generator as Generator
    from latentfu.nouns.generator import Noise as Noise
    from latentfu.nouns.generator import SynthesisLayer as SynthesisLayer
    from latentfu.nouns.generator import random_latents as random_latents
    from latentfu.nouns.inversion import Inversion as Inversion
    from latentfu.nouns.inversion import Quality as Quality
    from latentfu.nouns.latent import Bend as Bend
    from latentfu.nouns.latent import Detail as Detail
    from latentfu.nouns.latent import Latent as Latent
    from latentfu.nouns.latent import Space as Space
    from latentfu.nouns.layer import Layer as Layer
    from latentfu.precision import mixed_precision as mixed_precision
    from latentfu.precision import quick_dtype as quick_dtype
    from latentfu.progress import Progress as Progress
    from latentfu.progress import Stopwatch as Stopwatch
    from latentfu.progress import between as between
    from latentfu.progress import silent as silent
    from latentfu.sheets import SheetRow as SheetRow
    from latentfu.sheets import contact_sheet as contact_sheet
    from latentfu.store.atomic import write_whole as write_whole
    from latentfu.store.direction_mover import DirectionMover as DirectionMover
    from latentfu.store.directions import Direction as Direction
    from latentfu.store.directions import directions_in as directions_in
    from latentfu.store.directions import read_direction as read_direction
    from latentfu.store.directions import write_direction as write_direction
    from latentfu.store.download import Offer as Offer
    from latentfu.store.download import Patience as Patience
    from latentfu.store.download import download as download
    from latentfu.store.inversions import load_inversion as load_inversion
    from latentfu.store.paths import config_dir as config_dir
    from latentfu.store.paths import data_dir as data_dir


def __getattr__(name: str) -> object:
    if name in _WHERE:
        value: object = getattr(importlib.import_module(_WHERE[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'latentfu' has no attribute {name!r}")
