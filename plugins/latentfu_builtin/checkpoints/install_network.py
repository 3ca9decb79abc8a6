"""From the name of a public network to one that is installed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import latentfu
from latentfu import (
    BadInputError,
    LatentFuError,
    NotInstalledError,
    Offer,
    Progress,
    PublicNetwork,
    between,
    data_dir,
    download,
    find_metadata,
)

from latentfu_builtin.checkpoints.downloads.catalogue import (
    ROOM,
    describe_terms,
    file_name,
    make_offer,
)
from latentfu_builtin.checkpoints.downloads.held_hashes import hold_hash, with_held_hash
from latentfu_builtin.checkpoints.import_checkpoint import (
    ImportOptions,
    check_name,
    import_checkpoint,
)

PIECE = 8 << 20
MIRROR = "LATENTFU_MIRROR"
"""The environment variable that names another place for all files."""


@dataclass(frozen=True)
class FetchOptions:
    """How a person wants it: ``mirror`` instead of the network's address; ``places`` (files and
    folders) to look in before; ``keep`` the file as it was published."""

    mirror: str = ""
    places: tuple[Path, ...] = ()
    keep: bool = False


@dataclass(frozen=True)
class Fetched:
    """``network`` is the file that was installed, ``source`` the one it was made from.

    ``sha256`` of the source; ``found``: it was on this disk already.
    """

    network: Path
    source: Path
    sha256: str
    found: bool


def downloads_folder() -> Path:
    """Where files lie until they are imported."""
    return data_dir() / "downloads"


def install_network(
    network: PublicNetwork, name: str, options: FetchOptions, progress: Progress
) -> Fetched:
    """Fetch (or find) the file, import it under ``name``; what came of it.

    Raises BadInputError or StorageError; what has come by then is kept for the next call.
    """
    check_name(name)
    network = with_held_hash(network)
    refuse_unusable(network)
    fetched = fetch_file(network, options, between(progress, 0.0, 0.8))
    written = import_fetched(network, name, fetched, between(progress, 0.8, 1.0))
    hold_hash(network.name, fetched.sha256)
    if not options.keep and fetched.source == own_download(network):
        fetched.source.unlink(missing_ok=True)
    return replace(fetched, network=written)


def refuse_unusable(network: PublicNetwork) -> None:
    """Refuse a network before it is fetched, where it is known that it could not be imported.

    Raises BadInputError where its very file was imported before and is still installed,
    NotInstalledError where no plug-in reads its format.
    """
    formats = latentfu.checkpoint_formats()
    if network.format and network.format not in formats:
        known = ", ".join(formats) or "none"
        raise NotInstalledError(
            f"{network.name} is published in the format {network.format}, which no installed "
            f"plug-in reads ({known}): nothing was fetched."
        )
    if not network.sha256:
        return
    for spec in latentfu.generators().values():
        metadata = find_metadata(spec.file) if spec.file is not None else {}
        if metadata.get("source_sha256") == network.sha256:
            raise BadInputError(
                f"The weights of {network.name} are installed already, as {spec.name}: use that "
                f"generator, or remove it first with latentfu generators remove {spec.name}."
            )


def own_download(network: PublicNetwork) -> Path:
    """Where its file is put until it is imported."""
    return downloads_folder() / _download_name(network)


def fetch_file(network: PublicNetwork, options: FetchOptions, progress: Progress) -> Fetched:
    """Fetch (or find) a network's file, and import nothing yet: ``network`` is the source."""
    target = own_download(network)
    places = (*options.places, downloads_folder())
    source = _find_file(network, places, between(progress, 0.0, 0.1))
    found, digest = source is not None, network.sha256
    if source is None:
        source = target
        digest = download(_offer_after_search(network, options), target, progress)
    digest = digest or _sha256_of(source, progress)
    return Fetched(source, source, digest, found)


def import_fetched(network: PublicNetwork, name: str, fetched: Fetched, progress: Progress) -> Path:
    """Import the network in a fetched file under ``name``; the file that was written."""
    said = ImportOptions(
        name,
        network.domain,
        describe_terms(network),
        network.address,
        network.weights or network.name,
    )
    try:
        return import_checkpoint(fetched.source, said, progress)
    except LatentFuError:
        if fetched.source == own_download(network) and not network.sha256:
            fetched.source.unlink(missing_ok=True)  # whatever it is, it is not to be found again
        raise


def _offer_after_search(network: PublicNetwork, options: FetchOptions) -> Offer:
    """Where to fetch it, after it was found nowhere; BadInputError where no address is known."""
    try:
        return make_offer(network, options.mirror)
    except BadInputError as error:
        if not options.places:
            raise
        raise BadInputError(
            f"None of the files given with --from is {file_name(network)} (its sha256 begins with "
            f"{network.sha256[:12]}), and no address is known for it."
        ) from error


def _find_file(network: PublicNetwork, places: tuple[Path, ...], progress: Progress) -> Path | None:
    """The network's file in ``places``: by its hash, or where none is known by its name.

    Raises BadInputError for a file that was named and is another one.
    """
    for place in places:
        for path in _list_candidates(network, place):
            if not network.sha256:
                if path == place or path.name in (file_name(network), _download_name(network)):
                    return path
            elif _sha256_of(path, progress) == network.sha256:
                return path
        if place.is_file():
            raise BadInputError(
                f"{place} is not {file_name(network)}, whose sha256 begins with "
                f"{network.sha256[:12]}: give the right one, or leave out --from."
            )
    return None


def _download_name(network: PublicNetwork) -> str:
    """What its file is called among the downloads: files of other networks may be called alike."""
    return f"{network.name}-{file_name(network)}"


def _list_candidates(network: PublicNetwork, place: Path) -> Iterator[Path]:
    """Files of the right size at or below ``place``, those with the right name first."""
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    for path in sorted(files, key=lambda path: (path.name != file_name(network), path)):
        if path.suffix not in (".part", ".json") and _may_be(network, path.stat().st_size):
            yield path


def _may_be(network: PublicNetwork, size: int) -> bool:
    """Whether a file of ``size`` bytes can be the network's."""
    if network.size is None:
        return size > 0
    if network.exact:
        return size == network.size
    return network.size / ROOM <= size <= network.size * ROOM


def _sha256_of(path: Path, progress: Progress) -> str:
    """The sha256 (hex) of a file; BadInputError when it cannot be read."""
    digest, whole, read = hashlib.sha256(), max(path.stat().st_size, 1), 0
    try:
        with path.open("rb") as file:
            while data := file.read(PIECE):
                digest.update(data)
                read += len(data)
                progress(read / whole, f"Reading {path.name}")
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from error
    return digest.hexdigest()
