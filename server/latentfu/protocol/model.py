"""What requests and replies have in common: strict models, names and ids."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from latentfu.core import names

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
SHA256_PATTERN = f"^{names.SHA256_PATTERN}$"
NAME_PATTERN = r"^[^\x00-\x1f\x7f]{1,100}$"
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class Model(BaseModel):
    """Strict: no unknown fields, no NaN, no text where a number belongs."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, ser_json_inf_nan="null"
    )
