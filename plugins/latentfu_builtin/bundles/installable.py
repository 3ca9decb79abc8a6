"""Bundles as what can be installed by one name, without the command line."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path

from latentfu import (
    InstallableNetwork,
    InstallationRequest,
    InstallationState,
    LatentFuError,
    NetworkTerms,
)

from latentfu_builtin.bundles.catalogue import Bundle, list_bundles
from latentfu_builtin.bundles.install_bundle import (
    InstalledBundle,
    check_room,
    direction_download,
    install_bundle,
    read_installed,
    refuse_strangers,
    remove_bundle,
)
from latentfu_builtin.checkpoints.downloads.catalogue import file_name, has_agreed
from latentfu_builtin.checkpoints.install_network import own_download
from latentfu_builtin.checkpoints.installable import (
    agree,
    drop_kept,
    kept_files,
    make_terms,
    server_options,
)
from latentfu_builtin.checkpoints.library_files import describe_files, list_what_hangs_on


def list_installable_bundles() -> list[InstallableNetwork]:
    """The bundles whose networks are written down, not those of networks of other plug-ins.

    Where ``bundles.toml`` is damaged there are none: ``setup list`` says what is wrong.
    """
    found = []
    with suppress(LatentFuError):
        for bundle in list_bundles().values():
            with suppress(LatentFuError):
                found.append(_make_installable(bundle))
    return found


def _make_installable(bundle: Bundle) -> InstallableNetwork:
    network = bundle.public_network()
    directions = [one.file.partition(".")[0] for one in bundle.directions]
    brings = [*(["encoder"] if bundle.encoder else []), *(f"direction {one}" for one in directions)]
    terms = [
        make_terms(network, file_name(network)),
        *(
            NetworkTerms(one.file, one.licence, one.non_commercial, one.page)
            for one in bundle.directions
        ),
    ]
    return InstallableNetwork(
        name=bundle.name,
        title=bundle.title,
        generator=bundle.called,
        domain=network.domain,
        resolution=network.resolution,
        terms=tuple(terms),
        read_state=partial(_read_state, bundle),
        install=partial(_install, bundle),
        remove=partial(_remove, bundle),
        kind="bundle",
        brings=tuple(brings),
        size=network.size,
    )


def _read_state(bundle: Bundle) -> InstallationState:
    known = read_installed().get(bundle.name)
    is_installed = known is not None and known.is_there and _is_whole(bundle, known)
    return InstallationState(
        is_installed,
        all(has_agreed(one) for one in bundle.terms()),
        sum(path.stat().st_size for target in _downloads(bundle) for path in kept_files(target)),
        sum(path.stat().st_size for path in known.files) if known is not None else 0,
        bundle.find_check(),
    )


def _is_whole(bundle: Bundle, known: InstalledBundle) -> bool:
    """Whether nothing of it is missing: an installation may have broken off."""
    encoder = known.encoder is None or known.encoder.is_file()
    return encoder and (not bundle.directions or any(one.is_file() for one in known.directions))


def _downloads(bundle: Bundle) -> list[Path]:
    """Where its files are put until they are imported."""
    files = [direction_download(bundle, one) for one in bundle.directions]
    return [own_download(bundle.public_network()), *files]


def _install(bundle: Bundle, request: InstallationRequest) -> str:
    refuse_strangers(bundle)
    agree(bundle.terms(), request.agreed)
    check_room(bundle)
    installed = install_bundle(bundle, server_options(), request.progress)
    return " ".join(describe_installed(bundle, installed))


def describe_installed(bundle: Bundle, installed: InstalledBundle) -> list[str]:
    """What is there now, a sentence each."""
    encoder = ", its encoder" if installed.encoder else ""
    sliders = [path.stem for path in installed.directions]
    with_them = f" and the directions {', '.join(sliders)}" if sliders else ""
    sentences = [f"{bundle.called} is installed{encoder}{with_them}."]
    if installed.is_default:
        sentences.append(f"{bundle.called} is the default network now.")
    return sentences


def _remove(bundle: Bundle) -> str:
    for target in _downloads(bundle):
        drop_kept(target)
    if bundle.name not in read_installed():
        return f"What had come of {bundle.name} is removed."
    removed = remove_bundle(bundle.name)
    left = list_what_hangs_on(removed.weights)
    kept = f"Kept what you have for it: {describe_files(left)}." if left else ""
    first = f"Removed {bundle.name} ({removed.size / 1e6:.1f} MB)."
    return " ".join(filter(None, (first, kept, removed.default)))
