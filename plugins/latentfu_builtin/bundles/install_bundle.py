"""From a bundle's name to a generator with its encoder and directions.

What is there already is not fetched again, so that the same call goes on where one broke off.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import latentfu
from latentfu import Generator, Progress, between, data_dir, download, weights_id, write_whole

from latentfu_builtin.bundles.catalogue import Bundle, BundleDirection
from latentfu_builtin.checkpoints.downloads.catalogue import describe_terms
from latentfu_builtin.checkpoints.downloads.held_hashes import hold_hash
from latentfu_builtin.checkpoints.import_checkpoint import generators_folder
from latentfu_builtin.checkpoints.install_network import (
    FetchOptions,
    downloads_folder,
    fetch_file,
    import_fetched,
    refuse_unusable,
)


@dataclass(frozen=True)
class InstalledBundle:
    """The files that a bundle brought: its generator, its encoder (or none), its directions.

    ``weights``: the id of the generator that it brought; empty in what 0.1.0 wrote down.
    ``is_default``: its network works from now on where none is named, as none was chosen before.
    """

    generator: Path
    encoder: Path | None
    directions: tuple[Path, ...]
    weights: str = ""
    is_default: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the generator is there, and no other has taken its name since."""
        there = self.generator.is_file()
        return there and self.weights in {"", weights_id(self.generator)}

    @property
    def files(self) -> list[Path]:
        """All of them that are there; not another network that has the generator's name."""
        files = [self.generator] if self.is_there else []
        files += [*([self.encoder] if self.encoder else []), *self.directions]
        return [path for path in files if path.is_file()]


def install_bundle(bundle: Bundle, options: FetchOptions, progress: Progress) -> InstalledBundle:
    """Fetch and install what is missing of a bundle.

    Raises BadInputError or StorageError, BadInputError also where a network or encoder that the
    bundle did not bring has the name; what has come by then is kept for the next call.
    """
    refuse_strangers(bundle)
    target, encoder = _targets(bundle)
    network, is_new = bundle.public_network(), not target.is_file()
    if is_new:
        refuse_unusable(network)
    if not target.is_file() or (encoder is not None and not encoder.is_file()):
        fetched = fetch_file(network, options, between(progress, 0.0, 0.7))
        if not target.is_file():
            import_fetched(network, bundle.called, fetched, between(progress, 0.7, 0.8))
        hold_hash(network.name, fetched.sha256)  # now that it is known to be a network
        _remember(bundle, InstalledBundle(target, encoder, (), weights_id(target)))
        if encoder is not None and not encoder.is_file():
            _import_encoder(fetched.source, target, encoder, bundle, between(progress, 0.8, 0.9))
        if not options.keep and fetched.source.parent == downloads_folder():
            fetched.source.unlink(missing_ok=True)
    made = _fetch_directions(bundle, target, options, between(progress, 0.9, 1.0))
    installed = InstalledBundle(target, encoder, tuple(made), weights_id(target))
    _remember(bundle, installed)
    progress(1.0, f"Installed {bundle.name}")
    if is_new and not latentfu.read_default_generator():
        latentfu.write_default_generator(bundle.called, check=False)
        return replace(installed, is_default=True)
    return installed


def _targets(bundle: Bundle) -> tuple[Path, Path | None]:
    """Where its generator and its encoder go."""
    target = generators_folder() / f"{bundle.called}.safetensors"
    return target, _encoder_path(bundle) if bundle.encoder else None


def refuse_strangers(bundle: Bundle) -> None:
    """BadInputError where a person's own file has the name of one that the bundle brings."""
    target, encoder = _targets(bundle)
    known = read_installed().get(bundle.name)
    ours = known is not None and (known.is_there or not target.is_file())
    there = [path for path in (target, encoder) if path is not None and path.is_file()]
    if there and not ours:
        raise latentfu.BadInputError(
            f"{there[0].name} is there and did not come with the bundle {bundle.name}: move it out "
            f"of {there[0].parent} or give it another name, then try again."
        )


def _encoder_path(bundle: Bundle) -> Path:
    from latentfu_builtin.encoders.user_files import user_encoder_folder

    return user_encoder_folder() / f"{bundle.called}-encoder.safetensors"


def _import_encoder(
    source: Path, generator: Path, target: Path, bundle: Bundle, progress: Progress
) -> None:
    """The encoder in the file that the generator came from."""
    from latentfu_builtin.encoders.import_encoder import (
        find_encoder_in_tree,
        import_encoder,
        read_checkpoint_tree,
    )

    found = find_encoder_in_tree(read_checkpoint_tree(source, progress))
    network = bundle.public_network()
    notes = {"licence": describe_terms(network), "source": network.address or network.file}
    import_encoder(found, _open_at(generator), target, notes=notes)


def _open_at(path: Path) -> Generator:
    """The network in a file that this process may not list yet."""
    generator = latentfu.open_generator(path, "cpu")
    generator.name = path.stem
    return generator


def _fetch_directions(
    bundle: Bundle, generator: Path, options: FetchOptions, progress: Progress
) -> list[Path]:
    """The directions of a bundle that are there now; those that are missing are fetched."""
    before = read_installed().get(bundle.name)
    there = {path.name: path for path in (before.directions if before else ()) if path.is_file()}
    if len(there) == len(bundle.directions):
        return list(there.values())
    # Here, because whoever lists the bundles shall not wait for torch.
    from latentfu_builtin.directions.commands.import_published import import_set_file

    opened, made = _open_at(generator), []
    for place, one in enumerate(bundle.directions):
        own = direction_download(bundle, one)
        step = between(
            progress, place / len(bundle.directions), (place + 1) / len(bundle.directions)
        )
        sha256 = download(one.offer(options.mirror), own, step)
        named = own.with_name(one.file)  # a set is known by the names of its files too
        own.replace(named)
        try:
            made += import_set_file(named, opened)
            hold_hash(one.held_as, sha256)
        finally:
            named.unlink(missing_ok=True)
    return made


def direction_download(bundle: Bundle, direction: BundleDirection) -> Path:
    """Where a file of directions is put until it is imported."""
    return downloads_folder() / f"{bundle.name}-{direction.file}"


def check_room(bundle: Bundle) -> None:
    """BadInputError where the disk has no room for the file and what is made of it."""
    size = bundle.public_network().size
    folder = data_dir()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size and free < 2 * size:
        raise latentfu.BadInputError(
            f"{bundle.name} needs {2 * size / 1e6:.0f} MB while it is set up, and {folder} has "
            f"{free / 1e6:.0f} MB: make room, or set LATENTFU_HOME to another disk."
        )


def _installed_file() -> Path:
    return data_dir() / "bundles.json"


def read_installed() -> dict[str, InstalledBundle]:
    """What bundles brought here, by name, also where the generator has gone since."""
    try:
        content = json.loads(_installed_file().read_text("utf-8"))
        return {name: _read_one(facts) for name, facts in content.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _read_one(facts: dict[str, Any]) -> InstalledBundle:
    encoder = facts["encoder"]
    directions = tuple(data_dir() / path for path in facts["directions"])
    return InstalledBundle(
        data_dir() / facts["generator"],
        data_dir() / encoder if encoder else None,
        directions,
        str(facts.get("weights", "")),
    )


def _remember(bundle: Bundle, installed: InstalledBundle) -> None:
    """Write down what belongs to a bundle, so that it can be removed."""
    known = read_installed()
    old = known.get(bundle.name)
    if old is not None and not installed.directions:
        installed = replace(installed, directions=old.directions)
    _write_installed(known | {bundle.name: installed})


def _write_installed(bundles: dict[str, InstalledBundle]) -> None:
    content = {
        name: {
            "generator": str(one.generator.relative_to(data_dir())),
            "encoder": str(one.encoder.relative_to(data_dir())) if one.encoder else None,
            "directions": [str(path.relative_to(data_dir())) for path in one.directions],
            "weights": one.weights,
        }
        for name, one in bundles.items()
    }
    write_whole(_installed_file(), json.dumps(content, indent=2).encode())


@dataclass(frozen=True)
class RemovedBundle:
    """``size``: bytes that are free now. ``weights``: the id of the generator that went.

    ``default``: a sentence where that was the default network; else empty.
    """

    size: int
    weights: str
    default: str


def remove_bundle(name: str) -> RemovedBundle:
    """Remove what a bundle brought.

    Raises BadInputError for one that is not installed. What a person made for the network stays,
    and so does another network that has its generator's name now. Broken off, it goes on with
    the next call.
    """
    known = read_installed()
    if name not in known:
        there = ", ".join(known) or "none"
        raise latentfu.BadInputError(f"The bundle {name!r} is not installed; there are: {there}.")
    gone = known.pop(name)
    is_there, size = gone.is_there, 0
    number = gone.weights or (weights_id(gone.generator) if is_there else "")
    for path in gone.files:
        size += path.stat().st_size
        path.unlink()
    _write_installed(known)
    default = latentfu.drop_default_generator(gone.generator.stem) if is_there else ""
    return RemovedBundle(size, number, default)
