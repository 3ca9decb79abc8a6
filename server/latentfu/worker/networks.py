"""Networks that are installed or can be, as plain JSON for the front; installed and removed."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from latentfu.core.errors import BadInputError, LatentFuError, NotInstalledError
from latentfu.core.installable_network import (
    InstallableNetwork,
    InstallationRequest,
    InstallationState,
)
from latentfu.core.progress import Progress
from latentfu.plugin_manager import get_registry
from latentfu.plugin_manager.running import call_plugin
from latentfu.plugin_manager.set_default import drop_default_generator
from latentfu.plugin_objects import GeneratorSpec
from latentfu.protocol.network_replies import NetworkReply, TermsReply

_log = logging.getLogger(__name__)


def list_networks() -> list[dict[str, Any]]:
    """NetworkReplies: what is installed, then what can be had; in plug-in order."""
    # What a person adds to bundles.toml or networks.toml is offered at once.
    registry = get_registry(fresh=True)
    specs = registry.installed_in_order(GeneratorSpec)
    offered = [
        (one, state)
        for one in registry.installed(InstallableNetwork).values()
        if (state := _read_state(one)) is not None
    ]
    brought = {one.generator for one, state in offered if state.is_installed}
    found = [_describe_own(spec) for name, spec in specs.items() if name not in brought]
    found += [_describe(one, state) for one, state in offered]
    found.sort(key=lambda one: not one.is_installed)
    return [one.model_dump(mode="json") for one in found]


def install_network_by_name(name: str, agreed: bool, progress: Progress) -> dict[str, object]:
    """An InstalledReply as JSON; raises what the plug-in raises, NotInstalledError if unknown."""
    one = _find(name)
    request = InstallationRequest(agreed, progress)
    message = call_plugin(one, "was installed", partial(one.install, request))
    return {"network": one.name, "generator": one.generator, "message": message}


def remove_network(name: str) -> str:
    """Take away what was installed by that name, or a network that the owner imported.

    Returns:
        A sentence.

    Raises:
        NotInstalledError: there is nothing of that name.
        BadInputError: it cannot be removed.
    """
    registry = get_registry()
    spec = registry.installed(GeneratorSpec).get(name)
    offered = registry.installed(InstallableNetwork)
    if name in offered and (spec is None or _holds(offered[name])):
        one = offered[name]
        return call_plugin(one, "was removed", one.remove)
    if spec is None:
        raise NotInstalledError(f"There is no network {name!r} here.")
    if spec.remove is None:
        raise BadInputError(f"{name} belongs to a plug-in and is removed with it.")
    kept = call_plugin(spec, "was removed", spec.remove)
    return " ".join(filter(None, (f"Removed {name}.", kept, drop_default_generator(name))))


def _holds(one: InstallableNetwork) -> bool:
    """Whether anything of it is on this machine."""
    state = _read_state(one)
    return state is not None and (state.is_installed or state.kept_bytes > 0)


def _find(name: str) -> InstallableNetwork:
    found = get_registry().installed(InstallableNetwork)
    if name not in found:
        raise NotInstalledError(f"There is no network {name!r} to install: see the list.")
    return found[name]


def _read_state(one: InstallableNetwork) -> InstallationState | None:
    """How it is; None for one that cannot say, which is left out."""
    try:
        return call_plugin(one, "was listed", one.read_state)
    except LatentFuError as error:
        _log.warning("%s", error)
        return None


def _describe(one: InstallableNetwork, state: InstallationState) -> NetworkReply:
    return NetworkReply(
        name=one.name,
        title=one.title,
        kind=one.kind,
        generator=one.generator,
        domain=one.domain,
        resolution=one.resolution,
        brings=one.brings,
        size=one.size,
        terms=tuple(TermsReply.model_validate(each) for each in one.terms),
        is_agreed=state.is_agreed,
        is_installed=state.is_installed,
        is_default=False,
        is_removable=state.is_installed,
        installed_bytes=state.installed_bytes,
        file_check=state.file_check,
        kept_bytes=state.kept_bytes,
    )


def _describe_own(spec: GeneratorSpec) -> NetworkReply:
    """A generator that nothing to install has brought."""
    size = spec.file.stat().st_size if spec.file is not None and spec.file.is_file() else 0
    terms = TermsReply(covers=spec.name, licence=spec.licence, non_commercial=False, page="")
    return NetworkReply(
        name=spec.name,
        title=spec.title,
        kind="own" if spec.remove is not None else "built-in",
        generator=spec.name,
        domain=spec.domain,
        resolution=spec.resolution,
        brings=(),
        size=None,
        terms=(terms,) if spec.licence else (),
        is_agreed=True,
        is_installed=True,
        is_default=False,
        is_removable=spec.remove is not None,
        installed_bytes=size,
        kept_bytes=0,
    )
