"""Networks and plug-ins: what the server has and can have, in words, and what is asked of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from . import finder
from .client import RefusedError, ServerClient
from .errors import PluginError
from .jobs import follow_to_end
from .translate import _, ngettext

UNFINISHED = ("queued", "running")
Report = Callable[[float, str], None]
NetworkFacts = Mapping[str, Any]


@dataclass(frozen=True)
class NetworksState:
    """``networks`` and ``plugins`` as the server lists them; ``jobs``: those that install, by id.

    ``fault``: why the plug-ins are not known, as a sentence; empty where they are.
    """

    networks: list[dict[str, Any]] = field(default_factory=list)
    plugins: list[dict[str, Any]] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    fault: str = ""

    @property
    def installed(self) -> list[dict[str, Any]]:
        """Networks that are here, the default first."""
        return [one for one in self.networks if one["is_installed"]]

    def offered(self, kind: str) -> list[dict[str, Any]]:
        """What can be had: of ``kind`` bundle or network."""
        return [one for one in self.networks if not one["is_installed"] and one["kind"] == kind]

    def find(self, name: str) -> dict[str, Any]:
        """The network of that name; PluginError where there is none."""
        for one in self.networks:
            if one["name"] == name:
                return one
        known = ", ".join(str(one["name"]) for one in self.networks)
        raise PluginError(_("There is no network {name}; there are: {known}.").format(
            name=name, known=known
        ))  # fmt: skip


def read_networks(report: Report = lambda fraction, message: None) -> NetworksState:
    """All of it; starts the server where none runs. Raises PluginError."""
    with finder.connect(report) as client:
        networks, plugins, fault = client.get("/v1/networks")["networks"], [], ""
        try:
            plugins = client.get("/v1/plugins")["plugins"]
        except (
            RefusedError
        ) as error:  # a worker that does not start: networks are listed all the same
            fault = str(error)
        return NetworksState(list(networks), list(plugins), _read_jobs(client), fault)


def read_installations() -> dict[str, dict[str, Any]]:
    """The jobs that install networks, ended ones too, by id; none while no server runs."""
    found = finder.find()
    if not found:
        return {}
    with found[0] as client:
        return _read_jobs(client)


def _read_jobs(client: ServerClient) -> dict[str, dict[str, Any]]:
    jobs = client.get("/v1/jobs")["jobs"]
    return {str(job["id"]): job for job in jobs if job["kind"] == "install"}


def begin_installation(name: str, agreed: bool) -> str:
    """Let the server fetch and install a network; the id of the job. Raises PluginError."""
    job = str(uuid.uuid4())
    with finder.connect() as client:
        client.put(f"/v1/jobs/{job}", {"kind": "install", "network": name, "agreed": agreed})
    return job


def install_and_wait(name: str, agreed: bool, report: Report) -> str:
    """The same, until it has ended; a sentence. A person who cancels keeps what has come."""
    with finder.connect(report) as client:
        told = follow_to_end(client, {"kind": "install", "network": name, "agreed": agreed}, report)
    return str((told.get("report") or {}).get("message") or "")


def pause_installation(job: str) -> None:
    """Stop a download; what has come is kept. Raises PluginError."""
    with finder.connect() as client:
        client.delete(f"/v1/jobs/{job}")


def take_away_network(name: str) -> str:
    """Remove a network, or what came of one; a sentence. Raises PluginError."""
    with finder.connect() as client:
        answer = client.delete(f"/v1/networks/{quote(name, safe='')}")
    return str(json.loads(answer or b"{}").get("message") or "")


def choose_default(name: str) -> str:
    """Make a network the one that works where none is named; a sentence. Raises PluginError.

    ``name``: of the network, or of what brought it.
    """
    with finder.connect() as client:
        networks = client.get("/v1/networks")["networks"]
        here = [one for one in networks if one["is_installed"]]
        brought = {one["name"]: one["generator"] for one in here}
        known = name in [one["generator"] for one in here]
        generator = name if known else brought.get(name, name)
        client.put("/v1/default-generator", {"generator": generator})
        told = client.get("/v1/default-generator")
    return _("{name} is the default network.").format(name=told["generator"])


def use_plugin(name: str, enabled: bool) -> str:
    """Switch a plug-in on or off; a sentence. Raises PluginError."""
    with finder.connect() as client:
        client.put(f"/v1/plugins/{quote(name, safe='')}", {"enabled": enabled})
    text = _("The plug-in {name} is on.") if enabled else _("The plug-in {name} is off.")
    return text.format(name=name)


def say_size(size: float | None) -> str:
    """Bytes for people; nothing where they are not known."""
    if not size:
        return ""
    if size >= 1e9:
        return _("{size:.1f} GB").format(size=size / 1e9)
    return _("{size:.0f} MB").format(size=max(size / 1e6, 1.0))


def describe_network(network: NetworkFacts) -> str:
    """Its name, side, size and terms in one line."""
    side = _("{side} px").format(side=network["resolution"])
    if network["is_installed"]:
        size = say_size(network["installed_bytes"])
    else:
        size = say_size(network["size"])
    kept = say_size(network["kept_bytes"])
    if kept and not network["is_installed"]:
        text = _("{kept} of {size} are here") if size else _("{kept} are here")
        size = text.format(kept=kept, size=size)
    size = size or ("" if network["is_installed"] else _("size not stated"))
    parts = [str(network["generator"]), side, size, describe_licence(network)]
    return " · ".join(part for part in parts if part)


def describe_licence(network: NetworkFacts) -> str:
    """The licence of the network itself, the first of its terms."""
    terms = network["terms"]
    return _say_terms(terms[0]) if terms else ""


def _say_terms(terms: NetworkFacts) -> str:
    if terms["non_commercial"]:
        return _("{licence}, no commercial use").format(licence=terms["licence"])
    return str(terms["licence"])


def list_terms(network: NetworkFacts) -> list[tuple[str, str]]:
    """What is agreed to, a line each, and where it can be read (or nothing)."""
    return [(f"{one['covers']}: {_say_terms(one)}", str(one["page"])) for one in network["terms"]]


def describe_contents(network: NetworkFacts) -> str:
    """What comes with a network."""
    brings = [str(one) for one in network["brings"]]
    if not brings:
        return _("The network alone.")
    return _("With it come: {parts}.").format(parts=", ".join(brings))


def say_check(network: NetworkFacts) -> str:
    """How what is fetched is checked, as a sentence; nothing where nobody says."""
    told = {
        "stated": _("The files are checked by their known hashes."),
        "held": _("The files are held to the hashes that they had when they came first."),
        "none": _("No hash is known: what comes first is trusted, and held to from then on."),
    }
    return told.get(str(network.get("file_check")), "")


def describe_progress(job: NetworkFacts) -> str:
    """How far an installation is."""
    if job["state"] == "queued":
        return _("waits for another installation")
    done, total = job.get("bytes_done"), job.get("bytes_total")
    if done is None:
        return str(job.get("message") or _("begins"))
    if not total:
        return say_size(done) or _("begins")
    return _("{done} of {total} MB").format(
        done=round(done / 1e6), total=max(round(total / 1e6), 1)
    )


def describe_plugin(plugin: NetworkFacts) -> str:
    """Where a plug-in is from, and why it is set aside if it is."""
    told = str(plugin.get("reason") or "")
    if plugin["state"] == "quarantined":
        return _("set aside: {reason}").format(reason=told)
    left_out: Sequence[str] = plugin.get("left_out") or ()
    version = str(plugin.get("version") or "")
    return " · ".join(part for part in (str(plugin["origin"]), version, *left_out) if part)


def describe_all(state: NetworksState) -> str:
    """What is installed and what can be had, a line each."""
    lines = []
    for one in state.networks:
        words = [str(one["name"]), str(one["title"]), describe_network(one)]
        words += [_("installed")] if one["is_installed"] else []
        words += [_("default")] if one["is_default"] else []
        lines.append(" · ".join(words))
    return "\n".join(lines)


def count_waiting(jobs: Mapping[str, NetworkFacts]) -> str:
    """How many installations go on, as a sentence; nothing for none."""
    number = sum(job["state"] in UNFINISHED for job in jobs.values())
    if not number:
        return ""
    text = ngettext("{count} installation goes on.", "{count} installations go on.", number)
    return text.format(count=number)
