"""``latentfu bench render``: our StyleGAN2 against a plain version of the published computation.

Each version runs in a process of its own on the same weights and codes, so that neither the
allocator's settings nor what another left in memory counts; the pictures are compared.
"""

from __future__ import annotations

import concurrent.futures
import importlib.util
import itertools
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from latentfu import BadInputError, Measure, keep_freed_memory

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from latentfu_stylegan.stylegan2 import StyleGAN2

PLAIN = Path(__file__).parents[2] / "benchmarks" / "plain_stylegan2.py"
WARM_UP = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """One version: who computes ``batch`` pictures of ``resolution`` pixels, and in what."""

    resolution: int
    batch: int = 1
    plain: bool = False
    keep_memory: bool = True
    dtype: str = "float32"
    device: str = "cpu"
    runs: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Ran:
    """Median ``seconds`` for the batch, ``peak`` memory of the process in MB, the picture."""

    seconds: float
    peak: float
    picture: Any


def network_of(run: Run) -> tuple[StyleGAN2, Tensor]:
    """A network of config-f's sizes with random weights and noise, and codes in w+."""
    import torch

    from latentfu_stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
    from latentfu_stylegan.stylegan2.config import default_channels

    torch.manual_seed(run.seed)
    channels = default_channels(run.resolution, base=32768, limit=512)
    network = StyleGAN2(
        StyleGAN2Config(
            resolution=run.resolution, z_dim=512, w_dim=512, mapping_layers=8, channels=channels
        )
    )
    network = network.requires_grad_(False).eval().to(run.device)
    for conv in network.synthesis.convs:
        conv.noise_strength.fill_(0.1)  # type: ignore[operator]
    return network, torch.randn(run.batch, network.config.num_ws, 512).to(run.device)


def timed(run: Run) -> Ran:
    """What a run takes, in this process."""
    import torch

    if run.keep_memory:
        keep_freed_memory()
    network, ws = network_of(run)
    dtype: torch.dtype = getattr(torch, run.dtype)
    plain = plain_version() if run.plain else None

    def render() -> Tensor:
        if plain is not None:
            picture: Tensor = plain.picture(network.synthesis, ws)
            return picture
        return network.synthesis(ws, dtype=dtype)  # type: ignore[no-any-return]

    with torch.no_grad():
        seconds = median_seconds(render, run)
        return Ran(seconds, peak_memory(), render()[:1].float().cpu().numpy())


def median_seconds(render: Callable[[], Tensor], run: Run) -> float:
    """The median time of ``run.runs`` calls after some that do not count."""
    import torch

    times = []
    for _ in range(WARM_UP + run.runs):
        began = time.perf_counter()
        render()
        if run.device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times[WARM_UP:])


def peak_memory() -> float:
    """The most memory that this process has held, MB (0 where the system does not say)."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def slider(run: Run) -> tuple[float, float, float]:
    """Seconds of a quick picture when all styles move and when those from the middle on do.

    And the largest difference between a resumed picture and one from scratch, which must be 0.
    """
    import torch
    from latentfu import Latent

    from latentfu_stylegan.adapter import StyleGAN2Generator

    keep_freed_memory()
    network, ws = network_of(run)
    generator = StyleGAN2Generator(network, "bench", "0" * 64, "test")
    strengths = (0.01 * step for step in itertools.count(1))

    def moved(first: int) -> Latent:
        codes = ws.clone()
        codes[:, first:] += next(strengths)
        return Latent(codes, "w+", generator.id)

    side, middle = run.resolution // 4, network.config.num_ws // 3
    with torch.no_grad():
        every = median_seconds(lambda: generator.preview(moved(0), side), run)
        late = median_seconds(lambda: generator.preview(moved(middle), side), run)
        generator.render(moved(0))
        last = moved(middle)
        difference = (generator.render(last) - network.synthesis(last.codes)).abs().max()
    return every, late, float(difference)


def arithmetic(side: int) -> float:
    """Floating point operations of the convolutions for one picture, in 1e9."""
    from latentfu_stylegan.stylegan2.config import default_channels

    channels = default_channels(side, base=32768, limit=512)
    total, inputs = 0.0, channels[0]
    for place, outputs in enumerate(channels):
        size = 4 << place
        doubling = 0 if place == 0 else 2 * 9 * inputs * outputs * (size // 2) ** 2
        total += doubling + 2 * 9 * outputs * outputs * size**2
        inputs = outputs
    return total / 1e9


def fastest_convolution(device: str, dtype: str) -> float:
    """What this machine reaches in one large 3 x 3 convolution, 1e9 operations a second."""
    import torch
    import torch.nn.functional as F

    kind: torch.dtype = getattr(torch, dtype)
    keep_freed_memory()
    layout = torch.channels_last
    x = torch.randn(1, 512, 64, 64, device=device).to(kind, memory_format=layout)
    weight = torch.randn(512, 512, 3, 3, device=device).to(kind, memory_format=layout)
    run = Run(64, device=device, runs=20)
    with torch.no_grad():
        seconds = median_seconds(lambda: F.conv2d(x, weight, padding=1), run)
    return 2 * 9 * 512 * 512 * 64**2 / 1e9 / seconds


def plain_version() -> Any:
    """``benchmarks/plain_stylegan2.py`` of the source tree; BadInputError where it is not."""
    spec = importlib.util.spec_from_file_location("plain_stylegan2", PLAIN)
    if not PLAIN.is_file() or spec is None or spec.loader is None:
        raise BadInputError(
            "This benchmark compares with benchmarks/ of the source tree: run there."
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def apart(run: Run) -> Ran:
    """What a run takes, in a process of its own."""
    return in_a_process(timed, run)


def in_a_process(do: Callable[[Run], T], run: Run) -> T:
    """What ``do`` gives for a run, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        return pool.submit(do, run).result()


def measure(device: str) -> Iterator[Measure]:
    """One picture at 256 and 1024 px, then eight at once at 256 px."""
    plain_version()
    for resolution in (256, 1024):
        yield from one_picture(resolution, device)
    yield from moving(1024, device)
    yield from eight(256, device)


def moving(side: int, device: str) -> Iterator[Measure]:
    """From a slider's move to the pixels of a quick picture, a quarter of the size."""
    bare = apart(Run(side, plain=True, keep_memory=False, device=device))
    every, late, difference = in_a_process(slider, Run(side, device=device, runs=15))
    label = f"slider at {side} px, {side // 4} px shown"
    yield Measure(f"{label}: all styles move", every, "s", 15)
    yield Measure(f"{label}: the last two thirds move", late, "s", 15)
    yield Measure(f"{label}: faster than plain, whole", bare.seconds / every, "x")
    yield Measure(f"{label}: faster, last two thirds", bare.seconds / late, "x")
    yield Measure("resumed picture against one from scratch", difference, "difference")


def one_picture(side: int, device: str) -> Iterator[Measure]:
    """Seconds, ratios, memory, and how equal the pictures are."""
    label = f"{side} px"
    bare = apart(Run(side, plain=True, keep_memory=False, device=device))
    yield Measure(f"{label}: plain, as Python starts it", bare.seconds, "s", 5)
    plain = apart(Run(side, plain=True, device=device))
    yield Measure(f"{label}: plain, with freed memory kept", plain.seconds, "s", 5)
    ours = apart(Run(side, device=device))
    yield Measure(f"{label}: ours, float32", ours.seconds, "s", 5)
    small = apart(Run(side, device=device, dtype="bfloat16"))
    yield Measure(f"{label}: ours, bfloat16", small.seconds, "s", 5)
    for name, base in (("plain", bare), ("plain with freed memory kept", plain)):
        yield Measure(f"{label}: float32 faster than {name}", base.seconds / ours.seconds, "x")
        yield Measure(f"{label}: bfloat16 faster than {name}", base.seconds / small.seconds, "x")
    for name, ran in (("float32", ours), ("bfloat16", small)):
        limit = arithmetic(side) / fastest_convolution(device, name)
        yield Measure(f"{label}: share of the arithmetic limit, {name}", limit / ran.seconds, "")
    span = plain.picture.max() - plain.picture.min()
    differs = abs(ours.picture - plain.picture).max() / span
    yield Measure(f"{label}: largest difference, float32", float(differs), "of the range")
    yield Measure(f"{label}: bfloat16 to float32", psnr(small.picture, ours.picture), "dB")
    yield Measure(f"{label}: memory peak, plain", bare.peak, "MB")
    yield Measure(f"{label}: memory peak, float32", ours.peak, "MB")
    yield Measure(f"{label}: memory peak, bfloat16", small.peak, "MB")


def eight(side: int, device: str) -> Iterator[Measure]:
    """Eight different codes in one batch."""
    bare = apart(Run(side, batch=8, plain=True, keep_memory=False, device=device, runs=3))
    ours = apart(Run(side, batch=8, device=device, runs=3))
    yield Measure(f"eight at {side} px: plain", bare.seconds, "s", 3)
    yield Measure(f"eight at {side} px: ours, float32", ours.seconds, "s", 3)
    yield Measure(f"eight at {side} px: faster", bare.seconds / ours.seconds, "x")
    yield Measure(f"eight at {side} px: pictures a second", 8 / ours.seconds, "1/s")


def psnr(picture: Any, truth: Any) -> float:
    """Peak signal-to-noise ratio in dB, the peak being the picture's own range."""
    import numpy as np

    error = float(np.square(picture - truth).mean())
    span = float(truth.max() - truth.min())
    return 10 * float(np.log10(span**2 / max(error, 1e-20)))


@click.command("render")
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"]))
@click.option("--json", "as_json", is_flag=True)
def render_command(device: str, as_json: bool) -> None:
    """Measure rendering against a plain version of the published computation."""
    from latentfu.cli.bench import show

    show("render", measure(device), as_json)
