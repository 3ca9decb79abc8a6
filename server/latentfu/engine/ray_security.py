"""Ray with its door shut: every request needs the cluster's token, and nothing is sent home."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from latentfu.core.errors import BadInputError
from latentfu.core.paths import config_dir, make_private
from latentfu.storage.atomic import write_whole

_OWN_TOKEN = "ray-token"
_STEADY = {
    "GRPC_ENABLE_FORK_SUPPORT": "0",
    "RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S": "60",
    "TIMEOUT_FOR_SPECIFIC_SERVER_S": "60",
}
"""For each client the cluster's head starts a process: on a busy one that takes more than the usual
30 seconds, and gRPC's handlers of a fork, which is not one for long, now and then crash it."""


def ray_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that Ray reads, for this process and for those that it starts.

    The token is the one that Ray itself would take (RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH,
    ~/.ray/auth_token); else one of ours, in a file that only this user can read.

    Args:
        environment: what is set already.

    Returns:
        What has to be set as well.

    Raises:
        BadInputError: RAY_AUTH_MODE asks for a cluster that anybody can use.
        StorageError: the token cannot be kept.
    """
    mode = environment.get("RAY_AUTH_MODE", "token")
    if mode.lower() != "token":
        raise BadInputError(
            f"RAY_AUTH_MODE is {mode!r}, so that anybody on the network could run programs here: "
            "take it away, or set it to token."
        )
    wanted = {
        "RAY_AUTH_MODE": "token",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # what Ray would warn of, and is the default
        **_STEADY,
    }
    if not _has_token(environment):
        wanted["RAY_AUTH_TOKEN_PATH"] = str(_keep_own_token())
    return wanted


def _has_token(environment: Mapping[str, str]) -> bool:
    named = environment.get("RAY_AUTH_TOKEN") or environment.get("RAY_AUTH_TOKEN_PATH")
    return bool(named) or (Path.home() / ".ray" / "auth_token").is_file()


def _keep_own_token() -> Path:
    """The file of our own token, made when it is first needed."""
    path = _own_token_file()
    return path if path.is_file() else keep_ray_token(secrets.token_hex(32))


def keep_ray_token(token: str) -> Path:
    """Keep a cluster's token as this machine's own.

    Args:
        token: of the cluster.

    Returns:
        The file, which only this user can read.

    Raises:
        StorageError: it cannot be written.
    """
    path = _own_token_file()
    write_whole(path, token.encode(), mode=0o600)
    return path


def read_ray_token(environment: Mapping[str, str] = os.environ) -> str:
    """The token that this machine's Ray uses; one is made where there is none.

    Raises:
        BadInputError: its file cannot be read.
    """
    if token := environment.get("RAY_AUTH_TOKEN"):
        return token
    path = {**ray_environment(environment), **environment}.get("RAY_AUTH_TOKEN_PATH")
    file = Path(path) if path else Path.home() / ".ray" / "auth_token"
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise BadInputError(f"{file} cannot be read as a token of Ray: {error}.") from error


def _own_token_file() -> Path:
    return make_private(config_dir()) / _OWN_TOKEN
