"""Importing a checkpoint: reading it, trying the network, keeping it as one safetensors file.

Imported networks lie in the data folder. What is installed there is told by the files' metadata,
which every architecture writes alike: its config is JSON and says the ``resolution``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

import latentfu
from latentfu import (
    BadInputError,
    CheckpointFormat,
    ConvertedWeights,
    Generator,
    GeneratorSpec,
    PluginFailedError,
    Progress,
    StorageError,
    call_plugin,
    data_dir,
    is_name,
    read_foreign,
    whole_file,
)

from latentfu_builtin.checkpoints.find_tensors import describe_content

FACES = ("faces", "ffhq", "celeba", "metfaces")


def generators_folder() -> Path:
    """Where imported networks lie."""
    return data_dir() / "generators"


@dataclass(frozen=True)
class ImportOptions:
    """What a person says of a network that is imported.

    Attributes:
        name: What it is called here.
        domain: What it draws; None for what is known of the file, or what it says.
        licence: Its terms, likewise.
        source: Where its file came from.
        weights: Which published weights they are, e.g. "StyleGAN2 FFHQ config-f".
    """

    name: str
    domain: str | None = None
    licence: str | None = None
    source: str | None = None
    weights: str = ""


def import_checkpoint(path: Path, options: ImportOptions, progress: Progress) -> Path:
    """Read ``path``, try the network, keep it under ``options.name``; the file that was written.

    Raises BadInputError for a file in no known format, for one that its format does not
    understand, for a network that draws no numbers, for a name that is taken, and for weights
    that are installed already.
    """
    check_name(options.name)
    for what, text in (("domain", options.domain), ("licence", options.licence)):
        if text and not text.isprintable():
            raise BadInputError(f"The {what} must be one line of text.")
    data = _read_native(path, options) or _convert_foreign(path, options, progress)
    progress(0.9, "Trying the network")
    target = generators_folder() / f"{options.name}.safetensors"
    with whole_file(target) as trial:  # becomes the target when nothing is wrong with it
        trial.write_bytes(data)
        _refuse_known_weights(trial)
        generator = _try_network(trial)
        if _find_resolution(latentfu.find_metadata(trial)) is None:
            _add_facts(trial, generator)
    progress(1.0, f"Imported {options.name}")
    return target


def _refuse_known_weights(path: Path) -> None:
    """BadInputError when an installed generator has the very tensors of a file."""
    wanted = latentfu.weights_id(path)
    for spec in latentfu.generators().values():
        if spec.id == wanted:
            raise BadInputError(
                f"These weights are installed already, as {spec.name}: use that generator, or "
                f"remove it first with latentfu generators remove {spec.name}."
            )


def check_name(name: str) -> None:
    """BadInputError unless ``name`` is free and can be a generator's."""
    if not is_name(name):
        raise BadInputError(f"The name {name!r} cannot be used: take a-z, 0-9, dot, _ and -.")
    if name in latentfu.generators():
        raise BadInputError(f"There is a generator {name} already: give another name.")


def _read_native(path: Path, options: ImportOptions) -> bytes | None:
    """The bytes of a file that is opened as it is, None for another project's.

    They are kept unless domain or licence are given.
    """
    from safetensors.numpy import save

    if not path.is_file():
        raise BadInputError(f"There is no file {path}.")
    try:
        metadata = latentfu.read_metadata(path)
    except (BadInputError, StorageError) as error:
        if path.suffix == ".safetensors":
            raise BadInputError(f"{path.name} is damaged: {error}.") from error
        return None
    if latentfu.detect_format(path) is None:
        raise BadInputError(f"{path.name} holds no network that an installed plug-in can open.")
    changes = {"domain": options.domain, "licence": options.licence}
    if not any(changes.values()):
        return path.read_bytes()
    return _canonical_bytes(
        save(
            latentfu.read_arrays(path),
            metadata | {"id": "tensors-1"} | {k: v for k, v in changes.items() if v},
        )
    )


def _convert_foreign(path: Path, options: ImportOptions, progress: Progress) -> bytes:
    """Read a file of another project, as the bytes of one of ours."""
    from safetensors.numpy import save

    read = read_foreign(path, progress)
    failed = ""
    for known in latentfu.checkpoint_formats().values():
        if known.convert is None:
            continue
        try:
            found = call_plugin(known, f"read {path.name}", partial(known.convert, read))
        except PluginFailedError as error:  # a format of its own must not keep others from it
            failed = failed or f" {error}"
            continue
        if found is not None:
            _check_converted(known, found)
            said = {key: found.metadata.get(key, "unknown") for key in _OWN_WORDS}
            own = {key: value for key, value in said.items() if value != "unknown"}
            notes = {
                **_provenance(read.sha256, options, own),
                "id": "tensors-1",
                "source_format": known.name,
                "source_sha256": read.sha256,
            }
            return _canonical_bytes(save(found.tensors, {**found.metadata, **notes}))
    raise BadInputError(
        f"{path.name} holds no network that is known here: {describe_content(read)}; `latentfu "
        f"generators import --help` lists the formats.{failed}"
    )


def _check_converted(known: CheckpointFormat, found: object) -> None:
    """Refuse what is no network (raises PluginFailedError)."""
    right = isinstance(found, ConvertedWeights) and all(
        isinstance(key, str) and isinstance(value, str) for key, value in found.metadata.items()
    )
    if not right:
        raise PluginFailedError(
            f"The checkpoint format {known.name} gave a {type(found).__name__} instead of "
            f"latentfu.ConvertedWeights with texts as metadata."
        )


def _canonical_bytes(data: bytes) -> bytes:
    """Sort the metadata of a safetensors file; safetensors itself leaves them to chance.

    The same checkpoint with the same labels then gives the same file everywhere. The generator's
    id, by which directions and encoders know it, is of the tensors alone.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


_OWN_WORDS = ("domain", "licence")
"""What a format may say of its networks where nobody else does."""


def _provenance(
    sha256: str, options: ImportOptions, own: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Domain, licence and source: what a person said, else what is known of that hash.

    ``own``: what the file's format says; it counts last.
    """
    from latentfu_builtin.checkpoints.downloads.catalogue import describe_terms, find_by_hash

    public = find_by_hash(sha256)
    domain = public.domain if public else own.get("domain", "unknown")
    unknown = own.get("licence", "unknown: ask whoever published it")
    licence = describe_terms(public) if public else unknown
    source = options.source or (public.address if public else "")
    told = {"domain": options.domain or domain, "licence": options.licence or licence}
    weights = options.weights or (public.weights or public.name if public else "")
    if weights:
        told["weights"] = weights
    return {**told, "source": source} if source else told


def _add_facts(path: Path, generator: Generator) -> None:
    """Write beside the weights what a listing has to know and their own metadata do not say."""
    from safetensors.numpy import save

    told = {"resolution": str(generator.resolution), "family": generator.family}
    metadata = {**told, **latentfu.find_metadata(path)}
    path.write_bytes(_canonical_bytes(save(latentfu.read_arrays(path), metadata)))


def _try_network(path: Path) -> Generator:
    """The network, opened; BadInputError when it cannot draw its mean."""
    import torch

    generator = latentfu.open_generator(path, "cpu")
    with torch.no_grad():
        image = generator.render(generator.mean_latent())
    if image.ndim != 4 or image.shape[1] != 3:
        raise BadInputError(
            f"This network draws {image.shape[1] if image.ndim > 1 else 'no'} channels, where a "
            "picture has 3: it cannot be used."
        )
    if not bool(image.isfinite().all()):
        raise BadInputError("This network draws no numbers: its weights may be damaged.")
    return generator


def weights_of(name: str) -> str:
    """Which published weights an imported network has; nothing where that is not known."""
    path = generators_folder() / f"{name}.safetensors"
    return latentfu.find_metadata(path).get("weights", "") if is_name(name) else ""


def describe_channels(path: Path) -> str:
    """A sentence about a network that was made for other pictures than RGB; else nothing."""
    notes = {
        "1": "It draws gray pictures only: the colors of what it edits are lost.",
        "4": "It draws transparency too, which is left out.",
    }
    return notes.get(latentfu.find_metadata(path).get("channels", ""), "")


def list_imported() -> list[GeneratorSpec]:
    """The imported networks, by name; files that cannot be read are left out."""
    found = []
    for path in sorted(generators_folder().glob("*.safetensors")):
        spec = _describe_file(path, path.stat().st_mtime_ns)
        if spec is not None:
            found.append(spec)
    return found


@lru_cache(maxsize=256)
def _describe_file(path: Path, changed: int) -> GeneratorSpec | None:
    """The spec of one file; ``changed`` makes a new file be read again."""
    metadata = latentfu.find_metadata(path)
    resolution = _find_resolution(metadata)
    if resolution is None or not is_name(path.stem):
        return None
    domain = _as_one_line(metadata.get("domain", "unknown"))
    own_id = latentfu.weights_id(path)

    def load(device: str) -> Generator:
        generator = latentfu.open_generator(path, device)
        generator.name, generator.domain = path.stem, domain
        generator.id = own_id  # a format of others may give another
        return generator

    return GeneratorSpec(
        name=path.stem,
        title=_as_one_line(metadata.get("title") or path.stem),
        domain=domain,
        resolution=resolution,
        id=own_id,
        load=load,
        aligner=metadata.get("aligner")
        or ("faces" if any(word in domain for word in FACES) else "center"),
        licence=_as_one_line(metadata.get("licence", "")),
        description=_as_one_line(metadata.get("description") or _describe_source(metadata)),
        out_of_domain_limit=_find_limit(metadata),
        family=_as_one_line(metadata.get("family") or metadata.get("format", "")),
        file=path,
    )


def _find_resolution(metadata: Mapping[str, str]) -> int | None:
    """The side of its pictures: of the metadata, or of the config in them."""
    try:
        return int(metadata.get("resolution") or json.loads(metadata["config"])["resolution"])
    except (ValueError, KeyError, TypeError):
        return None


def _find_limit(metadata: Mapping[str, str]) -> float:
    """What the metadata say of pictures outside of what it shows, else the usual limit."""
    try:
        return float(metadata["out_of_domain_limit"])
    except (ValueError, KeyError):
        return 0.35


def _as_one_line(text: str) -> str:
    """What a file says of itself, fit to be shown: one file's odd letters hide no others."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:1000]).strip()


def _describe_source(metadata: dict[str, str]) -> str:
    """Where a network came from, in one sentence."""
    said = f"Imported from {metadata.get('source_format', 'a file')}"
    if metadata.get("source_sha256"):
        said += f" (sha256 {metadata['source_sha256']})"
    if metadata.get("source"):
        said += f", from {metadata['source']}"
    note = {"1": " Gray pictures only.", "4": " Its transparency is left out."}
    return f"{said}.{note.get(metadata.get('channels', ''), '')}"


def path_of(name: str) -> Path:
    """The file of an imported network; BadInputError when there is none of that name."""
    path = generators_folder() / f"{name}.safetensors"
    if not is_name(name) or not path.is_file():
        known = (
            ", ".join(sorted(p.stem for p in generators_folder().glob("*.safetensors"))) or "none"
        )
        raise BadInputError(f"No imported network is called {name!r}; there are: {known}.")
    return path
