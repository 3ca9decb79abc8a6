"""What is kept on a result layer comes back, and damage is not fatal."""

from __future__ import annotations

from latentfu_gimp import masks, state
from latentfu_gimp.wire import Picture

STATE = state.LayerEditState("portraits", "w-plus", {"smile": 2.0}, 12.0, "a" * 64, 7, mask="")


def test_state_comes_back_as_ascii() -> None:
    data = STATE.dump()
    assert data.isascii() and state.load_state(data) == STATE


def test_damage_is_no_state() -> None:
    for data in (b"", b"{}", b"[]", b'{"version": 2}', b'{"version": 1}', b"\xff\xfe"):
        assert state.load_state(data) is None
    nan = STATE.dump().replace(b"2.0", b"NaN")
    assert state.load_state(nan) is None


def test_mask_comes_back() -> None:
    mask = Picture(40, 30, 1, bytes(range(240)) * 5)
    assert masks.unpack_mask(masks.pack_mask(mask), 40, 30) == mask
    assert masks.pack_mask(None) == ""
    assert masks.unpack_mask("", 40, 30) is None


def test_mask_that_does_not_fit_or_is_damaged() -> None:
    packed = masks.pack_mask(Picture(4, 4, 1, bytes(16)))
    for text, size in ((packed, (4, 5)), (packed, (2, 2)), ("%%%", (4, 4)), ("AAAA", (4, 4))):
        assert masks.unpack_mask(text, *size) is None
