"""The plug-in keeps the contract; the fixtures and checks come with latentfu."""

from collections.abc import Callable

import latentfu
import pytest
from latentfu.plugin_manager import Registry
from latentfu.testing import TinyGenerator, check_controls, spec_of

import latentfu_example_direction


def test_the_control_keeps_the_contract(tiny_generator: TinyGenerator) -> None:
    spec = spec_of(tiny_generator, domain="portraits")
    (control,) = check_controls(latentfu_example_direction, tiny_generator, spec)
    assert control.name == "example-direction"


def test_other_domains_get_nothing(
    tiny_generator: TinyGenerator, registered: Callable[..., Registry]
) -> None:
    registry = registered(latentfu_example_direction)
    assert "example-direction" not in registry.controls(spec_of(tiny_generator, domain="cars"))


def test_on_the_built_in_generator(registered: Callable[..., Registry]) -> None:
    registered(latentfu_example_direction)
    generators = latentfu.generators()
    if "portraits" not in generators:
        pytest.skip("the built-in generator is not installed")
    generator = latentfu.open_generator("portraits", device="cpu")
    check_controls(latentfu_example_direction, generator, generators["portraits"])
