"""The texts that scripts pass to the procedures."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from latentfu_gimp.arguments import (
    format_edits,
    format_options,
    layer_name,
    parse_edits,
    parse_layers,
    parse_options,
)
from latentfu_gimp.errors import PluginError

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)
STRENGTHS = st.floats(-100, 100).map(lambda x: float(f"{x:.6g}")).filter(bool)


@pytest.mark.slow
@given(st.dictionaries(NAMES, STRENGTHS, max_size=8))
def test_edits_come_back(edits: dict[str, float]) -> None:
    assert parse_edits(format_edits(edits)) == edits


def test_separators() -> None:
    assert parse_edits(" smile=2, yaw=-1;age=0.5\n") == {"smile": 2, "yaw": -1, "age": 0.5}
    assert parse_edits("") == {}


@pytest.mark.parametrize(
    "text", ["smile", "=2", "smile=", "smile=nan", "a=inf", "a=101", "a=1 a=2"]
)
def test_bad_edits_are_one_sentence(text: str) -> None:
    with pytest.raises(PluginError) as caught:
        parse_edits(text)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)


@pytest.mark.slow
@given(st.dictionaries(NAMES, STRENGTHS | VALUES, max_size=8))
def test_edits_with_values_come_back(edits: dict[str, float | str]) -> None:
    text = format_edits(edits)
    assert parse_edits(text) == edits and text.isascii()


def test_values() -> None:
    text = """lenses=on hat="top hat",mole=120,80 dye=#ff8000; badge='a, b=c' like=@/a/b.png"""
    assert parse_edits(f'{text} n="5"') == {
        "lenses": "on",
        "hat": "top hat",
        "mole": "120,80",
        "dye": "#ff8000",
        "badge": "a, b=c",
        "like": "@/a/b.png",
        "n": "5",
    }
    assert parse_edits("smile=2,80=3") == {"smile": 2, "80": 3}


@pytest.mark.slow
@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.booleans() | st.integers(-999, 999) | st.floats(-9, 9) | st.text("ab:, '\"", max_size=9),
        max_size=4,
    )
)
def test_options_come_back(options: dict[str, Any]) -> None:
    assert parse_options(format_options(options)) == options


@pytest.mark.parametrize("text", ["steps", "=3", "steps=1 steps=2", 'losses="l2'])
def test_what_is_no_option_is_told(text: str) -> None:
    with pytest.raises(PluginError, match=r"no option|not closed"):
        parse_options(text)


def test_layers() -> None:
    assert parse_layers("4-7") == (4, 7)
    assert parse_layers(" 3 ") == (3, 3)
    assert parse_layers("0..9") == (0, 9)


@pytest.mark.parametrize("text", ["", "a", "-3", "7-4", "1-2-3", "4-", "1.5"])
def test_bad_layers(text: str) -> None:
    with pytest.raises(PluginError):
        parse_layers(text)


def test_layer_name_is_readable() -> None:
    assert layer_name({"smile": 2, "yaw": -1}) == "smile +2, yaw -1 (Latent-Fu)"
    worn = {"hat": "top hat", "badge": "@@home", "like": "@/home/other.png"}
    assert layer_name(worn) == "hat top hat, badge @home, like (Latent-Fu)"
    assert layer_name({"smile": 0.01}) == "smile +0.01 (Latent-Fu)"
    assert layer_name(dict.fromkeys("abcdef", 1)).endswith(" ... (Latent-Fu)")
