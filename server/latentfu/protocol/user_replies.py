"""What an administrator is told about the users of a shared server."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latentfu.protocol.replies import Reply


class UserReply(Reply):
    """A user of the server, and how much he has there."""

    name: str
    role: Literal["edit", "administer"]
    created: float = Field(description="Seconds since 1970.")
    waiting: int = Field(description="Jobs that wait.")
    running: int = Field(description="Jobs at work.")
    ended: int = Field(description="Jobs that are done, failed or cancelled, and still listed.")
    layer_bytes: int = Field(description="Bytes of the layers that he has sent.")


class UsersReply(Reply):
    """All users."""

    users: list[UserReply]
