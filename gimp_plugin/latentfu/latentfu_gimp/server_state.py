"""How the server is, in words."""

from __future__ import annotations

from . import finder


def describe_server() -> str:
    """One sentence on the server's state."""
    found = finder.find()
    if not found:
        return "The Latent-Fu server is not running."
    client, health = found
    workers = ", ".join(
        f"worker {one.get('state', 'unknown')} on {one.get('device') or 'an unknown device'}"
        for one in health.get("workers") or [health.get("worker") or {}]
    )
    version = health.get("version", "")
    return f"The Latent-Fu server {version} runs on port {client.port}, {workers}."
