"""Importing a checkpoint: reading it, trying the network, keeping it as one safetensors file.

Imported networks lie in the data folder. What is installed there is told by the files' metadata,
which every architecture writes alike: its config is JSON and says the ``resolution``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import latentfu
from latentfu import (
    BadInputError,
    ConvertedWeights,
    Generator,
    GeneratorSpec,
    Progress,
    StorageError,
    data_dir,
    is_name,
    read_foreign,
    whole_file,
)

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
    """

    name: str
    domain: str | None = None
    licence: str | None = None
    source: str | None = None


def import_checkpoint(path: Path, options: ImportOptions, progress: Progress) -> Path:
    """Read ``path``, try the network, keep it under ``options.name``; the file that was written.

    Raises BadInputError for a file in no known format, for one that its format does not
    understand, for a network that draws no numbers, and for a name that is taken.
    """
    check_name(options.name)
    for what, text in (("domain", options.domain), ("licence", options.licence)):
        if text and not text.isprintable():
            raise BadInputError(f"The {what} must be one line of text.")
    data = read_native(path, options) or convert_foreign(path, options, progress)
    progress(0.9, "Trying the network")
    target = generators_folder() / f"{options.name}.safetensors"
    with whole_file(target) as trial:  # becomes the target when nothing is wrong with it
        trial.write_bytes(data)
        try_network(trial)
    progress(1.0, f"Imported {options.name}")
    return target


def check_name(name: str) -> None:
    """BadInputError unless ``name`` is free and can be a generator's."""
    if not is_name(name):
        raise BadInputError(f"The name {name!r} cannot be used: take a-z, 0-9, dot, _ and -.")
    if name in latentfu.generators():
        raise BadInputError(f"There is a generator {name} already: give another name.")


def read_native(path: Path, options: ImportOptions) -> bytes | None:
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
    formats = latentfu.checkpoint_formats().values()
    if not any(known.detect and known.detect(path) for known in formats):
        raise BadInputError(f"{path.name} holds no network that an installed plug-in can open.")
    changes = {"domain": options.domain, "licence": options.licence}
    if not any(changes.values()):
        return path.read_bytes()
    return canonical_bytes(
        save(latentfu.read_arrays(path), metadata | {k: v for k, v in changes.items() if v})
    )


def convert_foreign(path: Path, options: ImportOptions, progress: Progress) -> bytes:
    """Read a file of another project, as the bytes of one of ours."""
    from safetensors.numpy import save

    read = read_foreign(path, progress)
    for known in latentfu.checkpoint_formats().values():
        found: ConvertedWeights | None = known.convert(read) if known.convert else None
        if found is not None:
            notes = {
                **provenance(read.sha256, options),
                "source_format": known.name,
                "source_sha256": read.sha256,
            }
            return canonical_bytes(save(found.tensors, {**found.metadata, **notes}))
    raise BadInputError(
        f"{path.name} holds no network that is known here; `latentfu generators import --help` "
        "lists the formats."
    )


def canonical_bytes(data: bytes) -> bytes:
    """Sort the metadata of a safetensors file; safetensors itself leaves them to chance.

    The same checkpoint then gives the same file everywhere, and with it the same generator id,
    by which directions and encoders know their network.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def provenance(sha256: str, options: ImportOptions) -> dict[str, str]:
    """Domain, licence and source: what a person said, else what is known of that hash."""
    from latentfu_builtin.checkpoints.downloads.catalogue import describe_terms, find_by_hash

    public = find_by_hash(sha256)
    domain = public.domain if public else "unknown"
    licence = describe_terms(public) if public else "unknown: ask whoever published it"
    source = options.source or (public.address if public else "")
    told = {"domain": options.domain or domain, "licence": options.licence or licence}
    return {**told, "source": source} if source else told


def try_network(path: Path) -> None:
    """BadInputError when the network cannot draw its mean."""
    import torch

    generator = latentfu.open_generator(path, "cpu")
    with torch.no_grad():
        image = generator.render(generator.mean_latent())
    if not bool(image.isfinite().all()):
        raise BadInputError("This network draws no numbers: its weights may be damaged.")


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
    try:
        resolution = int(json.loads(metadata["config"])["resolution"])
    except (ValueError, KeyError, TypeError):
        return None
    if not is_name(path.stem):
        return None
    domain = _as_one_line(metadata.get("domain", "unknown"))

    def load(device: str) -> Generator:
        generator = latentfu.open_generator(path, device)
        generator.name, generator.domain = path.stem, domain
        return generator

    return GeneratorSpec(
        name=path.stem,
        title=path.stem,
        domain=domain,
        resolution=resolution,
        id=latentfu.file_sha256(path),
        load=load,
        aligner="faces" if any(word in domain for word in FACES) else "center",
        licence=_as_one_line(metadata.get("licence", "")),
        description=_as_one_line(_describe_source(metadata)),
    )


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
    return f"{said}."


def path_of(name: str) -> Path:
    """The file of an imported network; BadInputError when there is none of that name."""
    path = generators_folder() / f"{name}.safetensors"
    if not is_name(name) or not path.is_file():
        known = (
            ", ".join(sorted(p.stem for p in generators_folder().glob("*.safetensors"))) or "none"
        )
        raise BadInputError(f"No imported network is called {name!r}; there are: {known}.")
    return path
