"""Names of 0.1 go on working until 0.3, each with a warning that says the new one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import latentfu
import pytest

RENAMED = {
    "Bend": "WeightOffset",
    "Converted": "ConvertedWeights",
    "Detail": "FeatureOffset",
    "DirectionMover": "DirectionEffect",
    "Foreign": "ForeignFile",
    "Mover": "ControlEffect",
    "Placing": "Placement",
    "Thing": "OpaqueObject",
    "carried": "warp_features",
    "watched": "progress_bar",
}


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_is_the_new_one_and_warns(old: str) -> None:
    with pytest.warns(
        DeprecationWarning, match=f"latentfu.{old} is called latentfu.{RENAMED[old]}"
    ):
        assert getattr(latentfu, old) is getattr(latentfu, RENAMED[old])
    assert old not in latentfu.__all__


def test_what_is_not_needed_any_more_still_works() -> None:
    with pytest.warns(DeprecationWarning, match="open_generator does it"):
        latentfu.keep_freed_memory()  # type: ignore[attr-defined]


def control(**fields: Any) -> latentfu.Control:
    known = {"name": "tilt", "title": "Tilt", "generator_id": "a" * 64, "load": print}
    return latentfu.Control(**known | fields)


def test_old_fields_of_a_control() -> None:
    with pytest.warns(DeprecationWarning, match="positive_means="):
        old = control(plus="more tilt")
    assert old == control(positive_means="more tilt")
    with pytest.warns(DeprecationWarning, match=r"Control.plus is called positive_means"):
        assert old.plus == "more tilt"  # type: ignore[attr-defined]
    with pytest.warns(DeprecationWarning):
        assert replace(old, plus="less").positive_means == "less"  # type: ignore[call-arg]
    assert latentfu.Control("tilt", "Tilt", "more tilt", "a" * 64, print) == old  # type: ignore


def test_old_fields_of_a_quality_and_a_generator() -> None:
    with pytest.warns(DeprecationWarning, match="out_of_domain="):
        quality = latentfu.Quality(20.0, 0.1, "lpips", 1.0, beyond=0.5)  # type: ignore[call-arg]
    assert quality.out_of_domain == 0.5
    with pytest.warns(DeprecationWarning, match="Quality.beyond"):
        assert quality.beyond == 0.5  # type: ignore[attr-defined]
    words = ("mine", "Mine", "test", 16, "a" * 64, print)
    with pytest.warns(DeprecationWarning, match="out_of_domain_limit="):
        spec = latentfu.GeneratorSpec(*words, outside=0.1)  # type: ignore
    with pytest.warns(DeprecationWarning, match="GeneratorSpec.outside"):
        assert spec.outside == spec.out_of_domain_limit == 0.1


def test_an_effect_that_defines_move(tiny_generator: latentfu.Generator) -> None:
    with pytest.warns(DeprecationWarning, match="Twice.move is called apply"):

        class Twice(latentfu.ControlEffect):
            def move(self, latent: Any, strength: float, generator: Any) -> Any:
                return latent.with_codes(latent.codes * 2**strength)

    latent = latentfu.random_latents(tiny_generator, 1, seed=1)
    effect = Twice()  # type: ignore[abstract]
    assert effect.apply(latent, 1.0, tiny_generator).codes.equal(latent.codes * 2)
    assert effect.move(latent, 1.0, tiny_generator).codes.equal(latent.codes * 2)


def test_importing_is_cheap() -> None:
    code = "import sys, latentfu; print({'torch', 'numpy', 'pydantic', 'pluggy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = latentfu.Nothing  # type: ignore[attr-defined]
