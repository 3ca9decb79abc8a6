"""Errors of the wire, and which status each code has."""

from __future__ import annotations

from aiohttp import web

from latentfu.core.errors import LatentFuError

STATUS = {
    "bad_input": 400,
    "wrong_generator": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "not_installed": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "cancelled": 409,
    "conflict": 409,
    "overtaken": 409,
    "too_large": 413,
    "unsupported": 415,
    "queue_full": 429,
    "worker": 503,
    "storage": 507,
}


class UnauthorizedError(LatentFuError):
    """The request does not carry this server's token."""

    code = "unauthorized"


class ForbiddenError(LatentFuError):
    """The request comes from a web page or is meant for another host."""

    code = "forbidden"


class UnsupportedError(LatentFuError):
    """The body is of a kind that is not read here."""

    code = "unsupported"


class TooSlowError(LatentFuError):
    """The body did not come in time."""

    code = "too_slow"


def error_reply(code: str, message: str, status: int | None = None) -> web.Response:
    """The JSON body that every error has."""
    return web.json_response(
        {"error": {"code": code, "message": message}}, status=status or STATUS.get(code, 500)
    )
