"""The bundles that are known by name: ours, and what a person added in ``bundles.toml``."""

from __future__ import annotations

from pathlib import Path

from latentfu import BadInputError, FileCheck, Name, Offer, PublicNetwork, data_dir
from pydantic import Field, ValidationError

from latentfu_builtin.checkpoints.downloads.catalogue import StrictEntry, find_known, read_toml
from latentfu_builtin.checkpoints.downloads.held_hashes import (
    describe_check,
    find_check,
    held_hash,
    with_held_hash,
)


class BundleDirection(StrictEntry):
    """A file of directions: where it is, and its terms."""

    file: str = Field(pattern=r"^\w[\w.-]*$")
    address: str = Field(pattern=r"^(https?|file)://.+")
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    licence: str
    non_commercial: bool = False
    page: str = ""

    @property
    def held_as(self) -> str:
        """Under which name its hash is held, where nobody states one."""
        return f"direction/{self.file}"

    def offer(self, mirror: str = "") -> Offer:
        """Where to fetch it; ``mirror`` as for a network."""
        place = mirror if not mirror or "{file}" in mirror else f"{mirror.rstrip('/')}/{{file}}"
        address = place.replace("{file}", self.file) or self.address
        return Offer(
            address, self.sha256 or held_hash(self.held_as), largest=64 << 20, name=self.file
        )


class Bundle(StrictEntry):
    """What is installed together.

    Attributes:
        name: What is typed.
        title: What it is for.
        network: Its generator among the public networks.
        called: What the generator is called here.
        encoder: Whether the network's file holds its encoder too.
        directions: Files of directions that were made for these weights.
    """

    name: Name
    title: str
    network: str
    called: Name
    encoder: bool = False
    directions: tuple[BundleDirection, ...] = Field((), strict=False)

    def public_network(self) -> PublicNetwork:
        """Its generator; of a file whose hash nobody states, with the one it had before."""
        return with_held_hash(find_known(self.network))

    def describe_check(self) -> str:
        """How its generator's file is checked, in words."""
        return describe_check(find_known(self.network).sha256, self.network)

    def find_check(self) -> FileCheck:
        """Of its files the one that is checked least."""
        checks = {find_check(find_known(self.network).sha256, self.network)}
        checks |= {find_check(one.sha256, one.held_as) for one in self.directions}
        least: tuple[FileCheck, ...] = ("none", "held", "stated")
        return next(each for each in least if each in checks)

    def terms(self) -> list[PublicNetwork]:
        """One network or file for each different set of terms, as consent is asked for."""
        network = self.public_network()
        files = [
            PublicNetwork(
                name=f"{self.name}: {one.file}",
                title=self.title,
                file=one.file,
                domain=network.domain,
                resolution=network.resolution,
                licence=one.licence,
                non_commercial=one.non_commercial,
                page=one.page,
            )
            for one in self.directions
        ]
        different = {(one.licence, one.non_commercial, one.page): one for one in [*files, network]}
        return list(different.values())


class _Bundles(StrictEntry):
    bundle: tuple[Bundle, ...] = Field((), strict=False)


def list_bundles() -> dict[str, Bundle]:
    """All bundles by name; a person's own in place of ours. BadInputError for a bad file."""
    found = _read_bundles(Path(__file__).with_name("bundles.toml"))
    own = data_dir() / "bundles.toml"
    return found | _read_bundles(own) if own.is_file() else found


def find_bundle(name: str) -> Bundle:
    """The bundle of that name; BadInputError with those that there are."""
    bundles = list_bundles()
    if name not in bundles:
        raise BadInputError(f"There is no bundle {name!r}; there are: {', '.join(bundles)}.")
    return bundles[name]


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _read_bundles(path: Path) -> dict[str, Bundle]:
    return {one.name: one for one in read_toml(path, _Bundles, _explain).bundle}
