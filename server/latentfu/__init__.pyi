"""Written by docs/reference/generate.py from the table in __init__.py."""

from latentfu.api import aligners as aligners
from latentfu.api import build_steps as build_steps
from latentfu.api import checkpoint_formats as checkpoint_formats
from latentfu.api import control_makers as control_makers
from latentfu.api import controls as controls
from latentfu.api import edit as edit
from latentfu.api import encoders as encoders
from latentfu.api import find_regions as find_regions
from latentfu.api import generators as generators
from latentfu.api import identities as identities
from latentfu.api import installed as installed
from latentfu.api import invert as invert
from latentfu.api import inverters as inverters
from latentfu.api import losses as losses
from latentfu.api import make_directions as make_directions
from latentfu.api import mix as mix
from latentfu.api import public_networks as public_networks
from latentfu.api import refuse_taken_name as refuse_taken_name
from latentfu.api import scorers as scorers
from latentfu.api import transfer as transfer
from latentfu.bench import Measure as Measure
from latentfu.cli.bench import bench_command as bench_command
from latentfu.cli.bench import print_measures as print_measures
from latentfu.cli.options import NamedValue as NamedValue
from latentfu.cli.options import Strength as Strength
from latentfu.cli.options import engine_options as engine_options
from latentfu.cli.output import json_option as json_option
from latentfu.cli.output import progress_bar as progress_bar
from latentfu.core.contact_sheet import SheetRow as SheetRow
from latentfu.core.contact_sheet import contact_sheet as contact_sheet
from latentfu.core.control import Control as Control
from latentfu.core.control import ControlEffect as ControlEffect
from latentfu.core.crop import Crop as Crop
from latentfu.core.crop import Point as Point
from latentfu.core.crop import Quad as Quad
from latentfu.core.errors import BadInputError as BadInputError
from latentfu.core.errors import CancelledError as CancelledError
from latentfu.core.errors import LatentFuError as LatentFuError
from latentfu.core.errors import NotInstalledError as NotInstalledError
from latentfu.core.errors import OutOfMemoryError as OutOfMemoryError
from latentfu.core.errors import PluginFailedError as PluginFailedError
from latentfu.core.errors import ServerError as ServerError
from latentfu.core.errors import StorageError as StorageError
from latentfu.core.errors import WrongGeneratorError as WrongGeneratorError
from latentfu.core.generator import Generator as Generator
from latentfu.core.generator import Noise as Noise
from latentfu.core.generator import SynthesisLayer as SynthesisLayer
from latentfu.core.generator import random_latents as random_latents
from latentfu.core.installable_network import FileCheck as FileCheck
from latentfu.core.installable_network import InstallableNetwork as InstallableNetwork
from latentfu.core.installable_network import InstallationRequest as InstallationRequest
from latentfu.core.installable_network import InstallationState as InstallationState
from latentfu.core.installable_network import NetworkTerms as NetworkTerms
from latentfu.core.latent import FeatureOffset as FeatureOffset
from latentfu.core.latent import Inversion as Inversion
from latentfu.core.latent import Latent as Latent
from latentfu.core.latent import Quality as Quality
from latentfu.core.latent import Space as Space
from latentfu.core.latent import WeightOffset as WeightOffset
from latentfu.core.layer import Layer as Layer
from latentfu.core.limits import PICTURE_FORMATS as PICTURE_FORMATS
from latentfu.core.names import Name as Name
from latentfu.core.names import Sha256 as Sha256
from latentfu.core.names import is_name as is_name
from latentfu.core.names import is_sha256 as is_sha256
from latentfu.core.paths import config_dir as config_dir
from latentfu.core.paths import data_dir as data_dir
from latentfu.core.precision import mixed_precision as mixed_precision
from latentfu.core.precision import quick_dtype as quick_dtype
from latentfu.core.progress import ByteCount as ByteCount
from latentfu.core.progress import Progress as Progress
from latentfu.core.progress import Stopwatch as Stopwatch
from latentfu.core.progress import between as between
from latentfu.core.progress import cancel_scope as cancel_scope
from latentfu.core.progress import check_cancelled as check_cancelled
from latentfu.core.progress import silent as silent
from latentfu.core.regions import RegionParser as RegionParser
from latentfu.core.regions import measure_region_changes as measure_region_changes
from latentfu.core.setting import Setting as Setting
from latentfu.core.value_effect import ControlValue as ControlValue
from latentfu.core.value_effect import Exemplar as Exemplar
from latentfu.core.value_effect import ValueEffect as ValueEffect
from latentfu.engine.batch_task import BatchTask as BatchTask
from latentfu.engine.batch_task import Resources as Resources
from latentfu.engine.batch_task import WorkerPlace as WorkerPlace
from latentfu.engine.local import LocalEngine as LocalEngine
from latentfu.engine.map_batches import Engine as Engine
from latentfu.engine.map_batches import WorkerCrew as WorkerCrew
from latentfu.engine.map_batches import map_batches as map_batches
from latentfu.engine.map_batches import run_batches as run_batches
from latentfu.engine.open_engine import EngineChoice as EngineChoice
from latentfu.engine.open_engine import open_engine as open_engine
from latentfu.engine.shards import ShardedRows as ShardedRows
from latentfu.hookspecs import hookimpl as hookimpl
from latentfu.pipeline.align import Placement as Placement
from latentfu.pipeline.align import face_quad as face_quad
from latentfu.pipeline.feature_warp import warp_features as warp_features
from latentfu.pipeline.generator_pool import detect_format as detect_format
from latentfu.pipeline.generator_pool import open_generator as open_generator
from latentfu.pipeline.generator_recipe import GeneratorRecipe as GeneratorRecipe
from latentfu.pipeline.generator_recipe import choose_render_batch as choose_render_batch
from latentfu.pipeline.generator_recipe import describe_generator as describe_generator
from latentfu.pipeline.generator_recipe import measure_worker as measure_worker
from latentfu.pipeline.make_directions import choose_scorer as choose_scorer
from latentfu.pipeline.network_memory import network_settings as network_settings
from latentfu.pipeline.plugin_calls import load_identity as load_identity
from latentfu.pipeline.spare_memory import work_in_parts as work_in_parts
from latentfu.plugin_manager.default_choice import read_default_generator as read_default_generator
from latentfu.plugin_manager.network_access import worker_settings as worker_settings
from latentfu.plugin_manager.running import call_plugin as call_plugin
from latentfu.plugin_manager.set_default import drop_default_generator as drop_default_generator
from latentfu.plugin_manager.set_default import write_default_generator as write_default_generator
from latentfu.plugin_objects import Aligner as Aligner
from latentfu.plugin_objects import BuildStep as BuildStep
from latentfu.plugin_objects import CheckpointFormat as CheckpointFormat
from latentfu.plugin_objects import Command as Command
from latentfu.plugin_objects import ControlMaker as ControlMaker
from latentfu.plugin_objects import ControlRequest as ControlRequest
from latentfu.plugin_objects import Encoder as Encoder
from latentfu.plugin_objects import GeneratorSpec as GeneratorSpec
from latentfu.plugin_objects import Identity as Identity
from latentfu.plugin_objects import InversionRequest as InversionRequest
from latentfu.plugin_objects import Inverter as Inverter
from latentfu.plugin_objects import Level as Level
from latentfu.plugin_objects import Loss as Loss
from latentfu.plugin_objects import PublicNetwork as PublicNetwork
from latentfu.plugin_objects import Route as Route
from latentfu.plugin_objects import RouteRequest as RouteRequest
from latentfu.plugin_objects import SamplePicture as SamplePicture
from latentfu.plugin_objects import Scorer as Scorer
from latentfu.plugin_objects import StartupTask as StartupTask
from latentfu.plugin_objects import WatchedFolder as WatchedFolder
from latentfu.sandbox import ConvertedWeights as ConvertedWeights
from latentfu.sandbox import ForeignFile as ForeignFile
from latentfu.sandbox import OpaqueObject as OpaqueObject
from latentfu.sandbox import read_foreign as read_foreign
from latentfu.sandbox import read_torch as read_torch
from latentfu.sandbox import tensors_of as tensors_of
from latentfu.sandbox.foreign_latent import load_latent as load_latent
from latentfu.storage.atomic import whole_file as whole_file
from latentfu.storage.atomic import write_image as write_image
from latentfu.storage.atomic import write_whole as write_whole
from latentfu.storage.deformations import Deformation as Deformation
from latentfu.storage.deformations import DeformationEffect as DeformationEffect
from latentfu.storage.deformations import deformations_in as deformations_in
from latentfu.storage.deformations import read_deformation as read_deformation
from latentfu.storage.deformations import write_deformation as write_deformation
from latentfu.storage.direction_control import DirectionEffect as DirectionEffect
from latentfu.storage.direction_control import directions_in as directions_in
from latentfu.storage.direction_control import find_direction as find_direction
from latentfu.storage.directions import Direction as Direction
from latentfu.storage.directions import read_direction as read_direction
from latentfu.storage.directions import write_direction as write_direction
from latentfu.storage.download import Offer as Offer
from latentfu.storage.download import Patience as Patience
from latentfu.storage.download import download as download
from latentfu.storage.inversion_cache import load_inversion as load_inversion
from latentfu.storage.layer_store import find_latent_file as find_latent_file
from latentfu.storage.own_directions import choose_direction_file as choose_direction_file
from latentfu.storage.own_directions import own_directions_dir as own_directions_dir
from latentfu.storage.own_directions import save_direction as save_direction
from latentfu.storage.safetensors_file import file_sha256 as file_sha256
from latentfu.storage.safetensors_file import find_metadata as find_metadata
from latentfu.storage.safetensors_file import read_arrays as read_arrays
from latentfu.storage.safetensors_file import read_metadata as read_metadata
from latentfu.storage.safetensors_file import read_tensors as read_tensors
from latentfu.storage.safetensors_file import read_tensors_and_metadata as read_tensors_and_metadata
from latentfu.storage.safetensors_file import weights_id as weights_id
from latentfu.storage.safetensors_file import write_tensors as write_tensors
from latentfu.storage.settings import read_setting as read_setting

__version__: str
__all__ = [
    "PICTURE_FORMATS",
    "Aligner",
    "BadInputError",
    "BatchTask",
    "BuildStep",
    "ByteCount",
    "CancelledError",
    "CheckpointFormat",
    "Command",
    "Control",
    "ControlEffect",
    "ControlMaker",
    "ControlRequest",
    "ControlValue",
    "ConvertedWeights",
    "Crop",
    "Deformation",
    "DeformationEffect",
    "Direction",
    "DirectionEffect",
    "Encoder",
    "Engine",
    "EngineChoice",
    "Exemplar",
    "FeatureOffset",
    "FileCheck",
    "ForeignFile",
    "Generator",
    "GeneratorRecipe",
    "GeneratorSpec",
    "Identity",
    "InstallableNetwork",
    "InstallationRequest",
    "InstallationState",
    "Inversion",
    "InversionRequest",
    "Inverter",
    "Latent",
    "LatentFuError",
    "Layer",
    "Level",
    "LocalEngine",
    "Loss",
    "Measure",
    "Name",
    "NamedValue",
    "NetworkTerms",
    "Noise",
    "NotInstalledError",
    "Offer",
    "OpaqueObject",
    "OutOfMemoryError",
    "Patience",
    "Placement",
    "PluginFailedError",
    "Point",
    "Progress",
    "PublicNetwork",
    "Quad",
    "Quality",
    "RegionParser",
    "Resources",
    "Route",
    "RouteRequest",
    "SamplePicture",
    "Scorer",
    "ServerError",
    "Setting",
    "Sha256",
    "ShardedRows",
    "SheetRow",
    "Space",
    "StartupTask",
    "Stopwatch",
    "StorageError",
    "Strength",
    "SynthesisLayer",
    "ValueEffect",
    "WatchedFolder",
    "WeightOffset",
    "WorkerCrew",
    "WorkerPlace",
    "WrongGeneratorError",
    "__version__",
    "aligners",
    "bench_command",
    "between",
    "build_steps",
    "call_plugin",
    "cancel_scope",
    "check_cancelled",
    "checkpoint_formats",
    "choose_direction_file",
    "choose_render_batch",
    "choose_scorer",
    "config_dir",
    "contact_sheet",
    "control_makers",
    "controls",
    "data_dir",
    "deformations_in",
    "describe_generator",
    "detect_format",
    "directions_in",
    "download",
    "drop_default_generator",
    "edit",
    "encoders",
    "engine_options",
    "face_quad",
    "file_sha256",
    "find_direction",
    "find_latent_file",
    "find_metadata",
    "find_regions",
    "generators",
    "hookimpl",
    "identities",
    "installed",
    "invert",
    "inverters",
    "is_name",
    "is_sha256",
    "json_option",
    "load_identity",
    "load_inversion",
    "load_latent",
    "losses",
    "make_directions",
    "map_batches",
    "measure_region_changes",
    "measure_worker",
    "mix",
    "mixed_precision",
    "network_settings",
    "open_engine",
    "open_generator",
    "own_directions_dir",
    "print_measures",
    "progress_bar",
    "public_networks",
    "quick_dtype",
    "random_latents",
    "read_arrays",
    "read_default_generator",
    "read_deformation",
    "read_direction",
    "read_foreign",
    "read_metadata",
    "read_setting",
    "read_tensors",
    "read_tensors_and_metadata",
    "read_torch",
    "refuse_taken_name",
    "run_batches",
    "save_direction",
    "scorers",
    "silent",
    "tensors_of",
    "transfer",
    "warp_features",
    "weights_id",
    "whole_file",
    "work_in_parts",
    "worker_settings",
    "write_default_generator",
    "write_deformation",
    "write_direction",
    "write_image",
    "write_tensors",
    "write_whole",
]
