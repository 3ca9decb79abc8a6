"""Imported networks: safetensors files in the data folder, one for each."""

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
    write_whole,
)

FACES = ("faces", "ffhq", "celeba", "metfaces")


def folder() -> Path:
    """Where imported networks lie."""
    return data_dir() / "generators"


@dataclass(frozen=True)
class Wish:
    """What is said about a network that is imported; ``source``: where its file came from."""

    name: str
    domain: str | None = None
    licence: str | None = None
    source: str | None = None


def import_network(path: Path, wish: Wish, progress: Progress) -> Path:
    """Read ``path``, try the network, and keep it under ``wish.name``; the file that was written.

    Raises BadInputError for a file in no known format, for one that its format does not
    understand, for a network that draws no numbers, and for a name that is taken.
    """
    check_name(wish.name)
    data = ours(path, wish) or foreign(path, wish, progress)
    progress(0.9, "Trying the network")
    target = folder() / f"{wish.name}.safetensors"
    trial = target.with_suffix(".trial")
    write_whole(trial, data)
    try:
        try_network(trial)
        write_whole(target, data)
    finally:
        trial.unlink(missing_ok=True)
    progress(1.0, f"Imported {wish.name}")
    return target


def check_name(name: str) -> None:
    """BadInputError unless ``name`` is free and can be a generator's."""
    if not is_name(name):
        raise BadInputError(f"The name {name!r} can not be used: take a-z, 0-9, dot, _ and -.")
    if name in latentfu.generators():
        raise BadInputError(f"There is a generator {name} already: give another name.")


def ours(path: Path, wish: Wish) -> bytes | None:
    """The bytes of a file that is opened as it is: kept unless domain or licence are given."""
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
    changes = {"domain": wish.domain, "licence": wish.licence}
    if not any(changes.values()):
        return path.read_bytes()
    return in_order(
        save(latentfu.read_arrays(path), metadata | {k: v for k, v in changes.items() if v})
    )


def foreign(path: Path, wish: Wish, progress: Progress) -> bytes:
    """A file of another project as one of ours."""
    from safetensors.numpy import save

    read = read_foreign(path, progress)
    for known in latentfu.checkpoint_formats().values():
        found: ConvertedWeights | None = known.convert(read) if known.convert else None
        if found is not None:
            notes = {
                **said_of(read.sha256, wish),
                "source_format": known.name,
                "source_sha256": read.sha256,
            }
            return in_order(save(found.tensors, {**found.metadata, **notes}))
    raise BadInputError(
        f"{path.name} holds no network that is known here; `latentfu generators import --help` "
        "lists the formats."
    )


def in_order(data: bytes) -> bytes:
    """A safetensors file with its metadata sorted; safetensors itself leaves them to chance.

    The same checkpoint then gives the same file everywhere, and with it the same generator id,
    by which directions and encoders know their network.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def said_of(sha256: str, wish: Wish) -> dict[str, str]:
    """Domain, licence and source: what was wished, else what is known of a file with that hash."""
    from latentfu_builtin.checkpoints.downloads.known import known_hash, terms

    public = known_hash(sha256)
    domain = public.domain if public else "unknown"
    licence = terms(public) if public else "unknown: ask whoever published it"
    source = wish.source or (public.address if public else "")
    told = {"domain": wish.domain or domain, "licence": wish.licence or licence}
    return {**told, "source": source} if source else told


def try_network(path: Path) -> None:
    """BadInputError when the network can not draw its mean."""
    import torch

    generator = latentfu.open_generator(path, "cpu")
    with torch.no_grad():
        image = generator.render(generator.mean_latent())
    if not bool(image.isfinite().all()):
        raise BadInputError("This network draws no numbers: its weights may be damaged.")


def installed() -> list[GeneratorSpec]:
    """The imported networks, by name; files that can not be read are left out."""
    found = []
    for path in sorted(folder().glob("*.safetensors")):
        spec = describe(path, path.stat().st_mtime_ns)
        if spec is not None:
            found.append(spec)
    return found


@lru_cache(maxsize=256)
def describe(path: Path, changed: int) -> GeneratorSpec | None:
    """The spec of one file; ``changed`` makes a new file be read again."""
    from latentfu_builtin.networks.stylegan.common import weights_id

    metadata = latentfu.find_metadata(path)
    try:
        resolution = int(json.loads(metadata["config"])["resolution"])
    except (ValueError, KeyError, TypeError):
        return None
    if not is_name(path.stem):
        return None
    domain = metadata.get("domain", "unknown")

    def load(device: str) -> Generator:
        generator = latentfu.open_generator(path, device)
        generator.name, generator.domain = path.stem, domain
        return generator

    return GeneratorSpec(
        name=path.stem,
        title=path.stem,
        domain=domain,
        resolution=resolution,
        id=weights_id(path),
        load=load,
        aligner="faces" if any(word in domain for word in FACES) else "center",
        licence=metadata.get("licence", ""),
        description=description(metadata),
    )


def description(metadata: dict[str, str]) -> str:
    """Where a network came from, in one sentence."""
    said = f"Imported from {metadata.get('source_format', 'a file')}"
    if metadata.get("source_sha256"):
        said += f" (sha256 {metadata['source_sha256']})"
    if metadata.get("source"):
        said += f", from {metadata['source']}"
    return f"{said}."


def path_of(name: str) -> Path:
    """The file of an imported network; BadInputError when there is none of that name."""
    path = folder() / f"{name}.safetensors"
    if not is_name(name) or not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder().glob("*.safetensors"))) or "none"
        raise BadInputError(f"No imported network is called {name!r}; there are: {known}.")
    return path
