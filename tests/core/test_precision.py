"""bfloat16 only where the device multiplies in it: emulated it is ten times slower than float32."""

from __future__ import annotations

import pytest
import torch
from latentfu import mixed_precision, quick_dtype


@pytest.mark.parametrize("able", [True, False])
def test_a_processor_uses_bfloat16_only_if_it_multiplies_in_it(
    able: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": able})
    assert quick_dtype("cpu") is (torch.bfloat16 if able else torch.float32)
    a = torch.ones(4, 4)
    with mixed_precision(torch.device("cpu")):
        assert (a @ a).dtype is (torch.bfloat16 if able else torch.float32)
    with mixed_precision("cpu", wanted=False):
        assert (a @ a).dtype is torch.float32


def test_other_devices_stay_in_float32() -> None:
    assert quick_dtype("mps") is torch.float32
    with mixed_precision("mps"):
        assert not torch.is_autocast_enabled("mps")
