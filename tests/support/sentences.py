"""What a command says when something is wrong."""

from __future__ import annotations

import pytest


def read_one_sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr: one sentence, and no fault of ours."""
    said = capsys.readouterr().err.strip()
    assert said.endswith(".") and len(said.splitlines()) == 1, said
    assert "Something failed inside" not in said and "Traceback" not in said
    return said
