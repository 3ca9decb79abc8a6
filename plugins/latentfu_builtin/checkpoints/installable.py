"""Public networks as what can be installed by one name, without the command line."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from latentfu import (
    BadInputError,
    InstallableNetwork,
    InstallationRequest,
    InstallationState,
    NetworkTerms,
    PublicNetwork,
)

from latentfu_builtin.checkpoints.downloads.catalogue import (
    announce_terms,
    file_name,
    has_agreed,
    list_written,
    remember_agreement,
)
from latentfu_builtin.checkpoints.downloads.held_hashes import find_check
from latentfu_builtin.checkpoints.import_checkpoint import generators_folder
from latentfu_builtin.checkpoints.install_network import (
    MIRROR,
    FetchOptions,
    install_network,
    own_download,
)
from latentfu_builtin.checkpoints.remove_network import remove_for_server


def list_installable() -> list[InstallableNetwork]:
    """The public networks whose address is known, without those of other plug-ins.

    Where the person's own list is damaged there are none: `generators download` says what is wrong.
    """
    try:
        known = list_written()
    except BadInputError:
        return []
    return [_make_installable(one) for one in known.values() if one.address]


def _make_installable(network: PublicNetwork) -> InstallableNetwork:
    return InstallableNetwork(
        name=network.name,
        title=f"{network.domain.capitalize()} at {network.resolution} px: {network.title}",
        generator=network.name,
        domain=network.domain,
        resolution=network.resolution,
        terms=(make_terms(network, file_name(network)),),
        read_state=partial(_read_state, network),
        install=partial(_install, network),
        remove=partial(_remove, network),
        size=network.size,
    )


def make_terms(network: PublicNetwork, covers: str) -> NetworkTerms:
    """A network's terms as they are shown before a download."""
    return NetworkTerms(covers, network.licence, network.non_commercial, network.page)


def _read_state(network: PublicNetwork) -> InstallationState:
    target = _target(network)
    size = target.stat().st_size if target.is_file() else 0
    check = find_check(network.sha256, network.name)
    return InstallationState(size > 0, has_agreed(network), kept_bytes(network), size, check)


def _target(network: PublicNetwork) -> Path:
    return generators_folder() / f"{network.name}.safetensors"


def kept_bytes(network: PublicNetwork) -> int:
    """What has come of its file and is not imported yet."""
    return sum(path.stat().st_size for path in kept_files(own_download(network)))


def kept_files(target: Path) -> list[Path]:
    """A file that is being fetched or was, and what it has of itself beside it."""
    part = target.with_name(f"{target.name}.part")
    return [path for path in (target, part) if path.is_file()]


def drop_kept(target: Path) -> None:
    """Throw away what has come of a file."""
    for path in (*kept_files(target), target.with_name(f"{target.name}.part.json")):
        path.unlink(missing_ok=True)


def agree(networks: list[PublicNetwork], agreed: bool) -> None:
    """Remember that a person agrees to terms; BadInputError for new ones without a yes."""
    new = [network for network in networks if not has_agreed(network)]
    if new and not agreed:
        told = "; ".join(announce_terms(network) for network in new)
        raise BadInputError(f"{told}: nobody has agreed to that.")
    for network in new:
        remember_agreement(network)


def server_options() -> FetchOptions:
    """How files are fetched where nobody gives options: by the environment."""
    return FetchOptions(os.environ.get(MIRROR, ""))


def _install(network: PublicNetwork, request: InstallationRequest) -> str:
    if _target(network).is_file():
        return f"{network.name} is installed already."
    agree([network], request.agreed)
    install_network(network, network.name, server_options(), request.progress)
    return f"{network.name} is installed."


def _remove(network: PublicNetwork) -> str:
    drop_kept(own_download(network))
    if not _target(network).is_file():
        return f"What had come of {network.name} is removed."
    note = remove_for_server(network.name)
    return " ".join(filter(None, (f"Removed {network.name}.", note)))
