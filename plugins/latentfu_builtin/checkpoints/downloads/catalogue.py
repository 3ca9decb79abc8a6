"""The public networks that are known by name: ours, those of plug-ins, and what a person added.

``known.toml`` beside this module says how entries are written; a file ``networks.toml`` of the
same form in the data folder adds to it or stands in its place, name by name.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from latentfu import (
    BadInputError,
    Name,
    Offer,
    PublicNetwork,
    config_dir,
    data_dir,
    public_networks,
    write_whole,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

M = TypeVar("M", bound=BaseModel)
ROOM = 1.1
"""A size that is only known about may be this much more."""


def file_name(network: PublicNetwork) -> str:
    """The file's name without folders."""
    return network.file.rpartition("/")[2]


def describe_terms(network: PublicNetwork) -> str:
    """The licence in a few words, as it stands with the network once it is installed."""
    return f"{network.licence}{', non-commercial use only' if network.non_commercial else ''}"


def make_offer(network: PublicNetwork, mirror: str = "") -> Offer:
    """Where to fetch it: ``mirror`` is an address with {file} in it, or one to put it after.

    Raises BadInputError where no address is known.
    """
    address = network.address
    if mirror:
        place = mirror if "{file}" in mirror else f"{mirror.rstrip('/')}/{{file}}"
        address = place.replace("{file}", file_name(network))
    if not address:
        raise BadInputError(
            f"No address is known for {network.name}: fetch its file yourself and give the folder "
            "with --from; it is known again by its hash."
        )
    if network.size is None:
        return Offer(address, network.sha256, name=file_name(network))
    exact, most = (network.size if network.exact else None), int(network.size * ROOM)
    return Offer(address, network.sha256, exact, most, name=file_name(network))


class StrictEntry(BaseModel):
    """Wrong keys are said, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CatalogueEntry(StrictEntry):
    """A network below a source."""

    name: Name
    file: str = Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$")
    domain: str
    resolution: int = Field(gt=0)
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    size: int | None = Field(None, gt=0)
    megabytes: int | None = Field(None, gt=0)
    weights: str = ""
    address: str = Field("", pattern=r"^((https?|file)://.+)?$")


class CatalogueSource(StrictEntry):
    """Networks that have their terms in common."""

    title: str
    licence: str
    non_commercial: bool
    page: str = ""
    format: str = ""
    address: str = Field("", pattern=r"^((https?|file)://.+)?$")
    networks: tuple[CatalogueEntry, ...] = Field(strict=False)

    def network(self, entry: CatalogueEntry) -> PublicNetwork:
        """The entry with what its source says."""
        about = entry.megabytes * 1_000_000 if entry.megabytes else None
        return PublicNetwork(
            name=entry.name,
            title=self.title,
            file=entry.file,
            domain=entry.domain,
            resolution=entry.resolution,
            format=self.format,
            licence=self.licence,
            non_commercial=self.non_commercial,
            page=self.page,
            address=entry.address or self.address.replace("{file}", entry.file),
            sha256=entry.sha256,
            size=entry.size or about,
            exact=entry.size is not None,
            weights=entry.weights,
        )


class Catalogue(StrictEntry):
    """The whole file."""

    source: tuple[CatalogueSource, ...] = Field((), strict=False)


def list_known() -> dict[str, PublicNetwork]:
    """All networks by name; a person's own in place of ours. BadInputError for a bad file."""
    found = list_written()
    return found | {name: one for name, one in public_networks().items() if name not in found}


def list_written() -> dict[str, PublicNetwork]:
    """The same without those of plug-ins: what can be said while plug-ins are being listed."""
    own = data_dir() / "networks.toml"
    return list_shipped() | (read_catalogue(own) if own.is_file() else {})


def list_shipped() -> dict[str, PublicNetwork]:
    """The networks that we ship, by name."""
    return read_catalogue(Path(__file__).with_name("known.toml"))


def find_by_hash(sha256: str) -> PublicNetwork | None:
    """The network of ours whose file has that hash, if one is known."""
    return next((one for one in list_shipped().values() if one.sha256 == sha256), None)


def find_known(name: str) -> PublicNetwork:
    """The network of that name; BadInputError with names that are like it."""
    from difflib import get_close_matches

    written = list_written()
    if name in written:
        return written[name]
    networks = list_known()
    if name in networks:
        return networks[name]
    near = get_close_matches(name, networks, n=3, cutoff=0.5)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    raise BadInputError(
        f"No public network is called {name!r}: latentfu generators download lists them.{meant}"
    )


def _explain(error: ValidationError) -> str:
    """What is the matter with the first bad entry, and which one it is."""
    first = error.errors()[0]
    *places, key = first["loc"]
    kinds = {"source": "source", "networks": "network"}
    numbered = zip(places[::2], places[1::2], strict=False)
    where = ", ".join(f"{kinds.get(str(kind), kind)} {int(n) + 1}" for kind, n in numbered)
    sentences = {"extra_forbidden": "there is no such key", "missing": "it is missing"}
    what = sentences.get(first["type"], first["msg"])
    return f"{key!r}{f' of {where}' if where else ''}: {what}"


def read_toml(path: Path, model: type[M], explain: Callable[[ValidationError], str]) -> M:
    """A TOML file as a model; BadInputError, by ``explain`` where the file is not as the model."""
    try:
        return model.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        raise BadInputError(f"{path}: {explain(error)}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInputError(f"{path} cannot be read: {error}.") from error


def read_catalogue(path: Path) -> dict[str, PublicNetwork]:
    """The networks in one file by name; BadInputError says what is wrong with it."""
    sources = read_toml(path, Catalogue, _explain)
    found: dict[str, PublicNetwork] = {}
    for source in sources.source:
        for entry in source.networks:
            if entry.name in found:
                raise BadInputError(f"{path} has two networks called {entry.name}.")
            found[entry.name] = source.network(entry)
    return found


def _agreements_file() -> Path:
    """The file that remembers what was agreed to, and when."""
    return config_dir() / "agreed.json"


def announce_terms(network: PublicNetwork) -> str:
    """The terms for people, in one line."""
    where = f": {network.page}" if network.page else ""
    return f"Terms of {network.name}: {describe_terms(network)}{where}"


def has_agreed(network: PublicNetwork) -> bool:
    """Whether a person has agreed to these terms before."""
    return _key_of(network) in _read_agreements()


def remember_agreement(network: PublicNetwork) -> None:
    """Remember the agreement; StorageError where it cannot be written."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    content = _read_agreements() | {_key_of(network): now}
    write_whole(_agreements_file(), json.dumps(content, indent=2).encode())


def _key_of(network: PublicNetwork) -> str:
    """What is agreed to: other terms, or another page with them, are asked for again."""
    use = "non-commercial" if network.non_commercial else "any use"
    return f"{network.licence}; {use}; {network.page}"


def _read_agreements() -> dict[str, str]:
    """Agreements by their terms; a damaged file is none."""
    try:
        content = json.loads(_agreements_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
