"""Whether plug-ins reach the network from a server's worker: only where a person lets them.

What a worker does needs no network, and it holds people's pictures. So it gives the way out away
before the first plug-in is imported. Commands that run without a server, and those that install
something, are as free as any program.
"""

from __future__ import annotations

import socket
import traceback

from latentfu.core.setting import Setting
from latentfu.storage.settings import read_setting

_NETWORK = Setting(
    "worker",
    "network",
    "Plug-ins may use the network while they edit",
    False,
    "check",
    "Only for a plug-in that asks a service; the server's worker starts again when it is changed.",
)
_state = {"forbidden": False}


def worker_settings() -> list[Setting]:
    """What can be chosen about a server's workers, for `latentfu settings` and GIMP."""
    return [_NETWORK]


def is_network_allowed() -> bool:
    """Whether a person has let plug-ins of a worker use the network."""
    return bool(read_setting(_NETWORK))


def forbid_network_if_unwanted() -> None:
    """Take the network from this process, unless it was allowed; Linux with libseccomp only.

    Call it before threads are started and plug-ins are imported.
    """
    from latentfu.sandbox.few_calls import forbid_network  # Slow: the front asks only what is set.

    _state["forbidden"] = not is_network_allowed() and forbid_network()


def explain_refused_socket(error: BaseException) -> str:
    """A sentence on what to do when ``error`` comes of the network that was taken; else ''."""
    seen: BaseException | None = error
    while _state["forbidden"] and seen is not None:
        frames = traceback.extract_tb(seen.__traceback__)
        if isinstance(seen, PermissionError) and frames and frames[-1].filename == socket.__file__:
            return (
                " Plug-ins have no network in the server's worker: latentfu settings set worker "
                "network true gives it to them."
            )
        seen = seen.__cause__ or seen.__context__
    return ""
