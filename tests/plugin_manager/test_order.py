"""tryfirst and trylast decide what stands first among plug-ins of others, hook by hook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import latentfu
from latentfu.core import paths
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import file_sources
from latentfu.testing import TinyGenerator, tiny_spec

_LOSSES = """
import latentfu

@latentfu.hookimpl({how})
def latentfu_losses():
    return [latentfu.Loss("{own}", "{plugin}", print), latentfu.Loss("shared", "{plugin}", print)]

@latentfu.hookimpl({controls})
def latentfu_controls(generator):
    return [latentfu.Control("tilt", "T", "more", generator.id, print)]
"""


def write(plugin: str, how: str = "", controls: str = "") -> None:
    folder = paths.plugin_dir()
    folder.mkdir(parents=True, exist_ok=True)
    text = _LOSSES.format(own=f"of-{plugin}", plugin=plugin, how=how, controls=controls)
    (folder / f"{plugin}.py").write_text(text)


def test_the_order_of_each_hook_is_its_own(isolated_home: Path) -> None:
    write("a", "trylast=True", "tryfirst=True")
    write("b")
    write("c", "tryfirst=True", "trylast=True")
    registry = Registry(file_sources())
    losses = registry.installed(latentfu.Loss)
    assert list(losses) == ["of-c", "shared", "of-b", "of-a"]
    assert losses["shared"].title == "c", "the first has the name"
    left_out = {status.name: status.left_out for status in registry.statuses()}
    assert left_out["c"] == ()
    assert left_out["a"][0].startswith("left out the loss 'shared', which c (file ")
    controls = registry.controls(tiny_spec())
    assert list(controls) == ["tilt", "b.tilt", "c.tilt"]


def test_without_a_word_it_is_by_name(isolated_home: Path) -> None:
    for plugin in "bca":
        write(plugin)
    losses = Registry(file_sources()).installed(latentfu.Loss)
    assert list(losses) == ["of-a", "shared", "of-b", "of-c"]


def test_the_programs_own_stay_first(isolated_home: Path) -> None:
    write("a", "tryfirst=True")
    write("own")
    sources = [
        replace(source, origin="package latentfu") if source.name == "own" else source
        for source in file_sources()
    ]
    losses = Registry(sources).installed(latentfu.Loss)
    assert list(losses) == ["of-own", "shared", "of-a"]
    assert losses["shared"].title == "own"


def test_a_persons_preference_comes_before_all(isolated_home: Path) -> None:
    write("a", "tryfirst=True")
    write("b", "trylast=True")
    losses = Registry(file_sources(), preferred=("b",)).installed(latentfu.Loss)
    assert losses["shared"].title == "b"
    assert list(losses) == ["of-a", "of-b", "shared"]


def test_the_first_encoder_that_fits_is_used(isolated_home: Path) -> None:
    """What a user sees of it: which of two encoders finds the latent."""
    generator = TinyGenerator()
    text = """
import latentfu

def load(generator):
    import torch
    return lambda pictures: torch.full((len(pictures), 8), {value})

@latentfu.hookimpl({how})
def latentfu_encoders():
    return [latentfu.Encoder("e-{value}", "E", "{id}", load, space="z")]
"""
    folder = paths.plugin_dir()
    folder.mkdir(parents=True)
    for name, value, how in (("a", 1.0, ""), ("b", 2.0, "tryfirst=True")):
        (folder / f"{name}.py").write_text(text.format(value=value, how=how, id=generator.id))
    encoders = Registry(file_sources()).installed(latentfu.Encoder)
    first = next(one for one in encoders.values() if one.is_for(generator))
    assert first.name == "e-2.0"
