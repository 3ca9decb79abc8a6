"""Plug-ins that list well and fail at work, each a file: what they cost is told by the tests."""

from __future__ import annotations

from pathlib import Path

from tests.support import small_house

_HEAD = "import latentfu\nfrom latentfu import hookimpl\n"

PIECES: dict[str, str] = {
    "no_inversion": """
def invert(request):
    return None

@hookimpl
def latentfu_inverters():
    levels = {"good": latentfu.Level(rank=90)}
    return [latentfu.Inverter("i-none", "None", ("z",), invert, levels=levels)]
""",
    "unfitting": """
def fail(request):
    return {}["weights"]

def guess(request):
    latent = latentfu.random_latents(request.generator, 1, seed=2)
    return latentfu.Inversion(latent, latentfu.Quality(9.0, 0.1, "none", 0.0), "u-false")

def refuse(generator):
    raise latentfu.NotInstalledError(f"There is no u-net for {generator.name}: bring one in.")

def raises(generator):
    return {}["fits"]

@hookimpl
def latentfu_inverters():
    def make(name, run, spaces=("z",), **more):
        levels = {"good": latentfu.Level(rank=95)}
        return latentfu.Inverter(name, name, spaces, run, levels=levels, **more)
    return [
        make("u-false", guess, fits=lambda generator: False),
        make("u-fails", fail, fits=refuse),
        make("u-raises", fail, fits=raises),
        make("u-space", fail, spaces=("w++",)),
    ]
""",
    "no_numbers": """
def invert(request):
    latent = latentfu.random_latents(request.generator, 1, seed=2)
    return latentfu.Inversion(latent, latentfu.Quality(float("nan"), 0.1, "none", 0.0), "i-nan")

@hookimpl
def latentfu_inverters():
    levels = {"good": latentfu.Level(rank=80)}
    return [latentfu.Inverter("i-nan", "NaN", ("z",), invert, levels=levels)]
""",
    "no_identity": """
def load(device):
    raise KeyError("arcface.onnx")

def giving(make):
    return lambda device: make

@hookimpl
def latentfu_identities():
    return [
        latentfu.Identity("who", "Who", ("test",), load),
        latentfu.Identity("who-one", "One", ("test",), giving(lambda x: x.mean(dim=(1, 2, 3)))),
        latentfu.Identity("who-map", "A map", ("test",), giving(lambda x: x)),
        latentfu.Identity("who-two", "Twice", ("test",), giving(lambda x: x.reshape(2, -1))),
        latentfu.Identity("who-nan", "NaN", ("test",), giving(lambda x: x.flatten(1) / 0)),
        latentfu.Identity("who-none", "None", ("test",), giving(lambda x: None)),
        latentfu.Identity("who-three", "Three", ("test",), giving(3)),
    ]
""",
    "no_regions": """
def load(device):
    raise KeyError("parser.onnx")

@hookimpl
def latentfu_region_parsers():
    return [latentfu.RegionParser("p-raises", "Raises", ("test",), ("hair", "skin"), load)]
""",
    "no_losses": """
def build(generator):
    return lambda a, b: {}["weights"]

@hookimpl
def latentfu_losses():
    return [latentfu.Loss("l-raises", "Raises", build)]
""",
    "no_controls": """
class Broken(latentfu.ControlEffect):
    def __init__(self, what):
        self.what = what

    def apply(self, latent, strength, generator):
        print("I talk to stdout")
        if self.what == "raises":
            return {}["weights"]
        if self.what == "nan":
            return latent.with_codes(latent.codes * float("nan"))
        if self.what == "exits":
            raise SystemExit(5)
        return None

@hookimpl
def latentfu_controls(generator):
    if generator.domain != "test":
        return []
    found = [
        latentfu.Control("c-" + what, what, "more", generator.id, lambda what=what: Broken(what))
        for what in ("raises", "nan", "exits", "none")
    ]
    return [*found, latentfu.Control("c-load", "load", "more", generator.id, lambda: 3)]
""",
    "no_generators": """
from latentfu.testing import TinyGenerator, tiny_spec

class Numpy(TinyGenerator):
    def render(self, latent, noise="const", features=None):
        return super().render(latent, noise, features).detach().numpy()

class Full(TinyGenerator):
    def render(self, latent, noise="const", features=None):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried")

def make(kind, seed):
    def load(device):
        made = kind(seed=seed)
        made.id = format(seed, "x") * 64
        return made
    return load

@hookimpl
def latentfu_generators():
    return [
        latentfu.GeneratorSpec("g-three", "Three", "test", 16, "b" * 64, lambda device: 3),
        latentfu.GeneratorSpec("g-numpy", "Numpy", "test", 16, "c" * 64, make(Numpy, 12)),
        latentfu.GeneratorSpec("g-full", "Full", "test", 16, "d" * 64, make(Full, 13)),
    ]
""",
    "no_aligner": """
@hookimpl
def latentfu_aligners():
    return [
        latentfu.Aligner("a-raises", "Raises", ("test",), lambda rgb: rgb.nothing),
        latentfu.Aligner("a-three", "Three", ("test",), lambda rgb: [3]),
        latentfu.Aligner(
            "a-away", "Away", ("test",), lambda rgb: [latentfu.Quad.square(900, 900, 40)]
        ),
    ]
""",
}


def build(home: Path) -> None:
    """Put them all, and a small house that works, into ``home``."""
    small_house.build(home)
    for name, text in PIECES.items():
        (home / "config" / "plugins" / f"{name}.py").write_text(_HEAD + text)
