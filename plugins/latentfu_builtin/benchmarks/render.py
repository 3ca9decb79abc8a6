"""``latentfu bench render``: our StyleGAN2 against a plain version of the published computation.

Each version runs in a process of its own on the same weights and codes, so that neither the
allocator's settings nor what another left in memory counts; the pictures are compared. They take
turns, and a ratio is the median of the turns' ratios: a machine's slow minute slows them all.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unittest import mock

import click
from latentfu import Measure, json_option, print_measures

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2

_WARM_UP, _TURNS = 2, 5
_KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
"""What lets glibc keep freed memory, as latentfu does when it opens a network."""


@dataclass(frozen=True)
class RenderRun:
    """One version: who computes ``batch`` pictures of ``resolution`` pixels, and in what.

    ``preview``: the side of quick pictures instead, all styles from ``moved`` on moving.
    ``channels``: of the 4 px layer; 512 in config-f.
    """

    resolution: int
    batch: int = 1
    plain: bool = False
    keep_memory: bool = True
    dtype: str = "float32"
    device: str = "cpu"
    seed: int = 0
    preview: int = 0
    moved: int = 0
    channels: int = 512


@dataclass(frozen=True)
class RenderTimes:
    """Seconds of each turn, ``peak`` memory of the process in MB, the first picture."""

    turns: list[float]
    peak: float
    picture: Any

    @property
    def seconds(self) -> float:
        """The median of the turns."""
        return statistics.median(self.turns)

    def faster_than(self, other: RenderTimes) -> float:
        """How many times faster than another that took turns with it."""
        return statistics.median(b / a for a, b in zip(self.turns, other.turns, strict=True))


def _make_network(run: RenderRun) -> tuple[StyleGAN2, Tensor]:
    """A network of config-f's sizes with random weights and noise, and codes in w+."""
    import torch

    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan2.config import default_channels

    torch.manual_seed(run.seed)
    channels = default_channels(run.resolution, base=64 * run.channels, limit=run.channels)
    network = StyleGAN2(
        StyleGAN2Config(
            resolution=run.resolution, z_dim=512, w_dim=512, mapping_layers=8, channels=channels
        )
    )
    network = network.requires_grad_(False).eval().to(run.device)
    for conv in network.synthesis.convs:
        conv.noise_strength.fill_(0.1)  # type: ignore[operator]
    return network, torch.randn(run.batch, network.config.num_ws, 512).to(run.device)


def _make_renderer(run: RenderRun) -> Callable[[], Tensor]:
    """What draws the pictures of a run."""
    import torch

    network, ws = _make_network(run)
    if run.plain:
        from latentfu_builtin.benchmarks.plain_stylegan2 import draw_plainly

        return lambda: draw_plainly(network.synthesis, ws)
    if run.preview:
        return _make_slider(network, ws, run)
    dtype: torch.dtype = getattr(torch, run.dtype)
    return lambda: network.synthesis(ws, dtype=dtype)


def _make_slider(network: StyleGAN2, ws: Tensor, run: RenderRun) -> Callable[[], Tensor]:
    """What draws a quick picture after all styles from ``run.moved`` on have moved a little."""
    from latentfu import Latent

    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

    generator = StyleGAN2Generator(network, "bench", "0" * 64, "test")
    strengths = (0.01 * step for step in itertools.count(1))

    def move() -> Tensor:
        codes = ws.clone()
        codes[:, run.moved :] += next(strengths)
        return generator.preview(Latent(codes, "w+", generator.id), run.preview)

    return move


def _time_call(draw: Callable[[], Tensor], device: str) -> float:
    """What one call takes, without gradients, the device's own work included."""
    import torch

    with torch.no_grad():
        began = time.perf_counter()
        draw()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began


class RenderWorker:
    """Lives in a process of its own: ``prepare`` once, then ``turn`` after ``turn``."""

    draw: Callable[[], Tensor]
    device: str

    @classmethod
    def prepare(cls, run: RenderRun) -> None:
        """Open the network and warm up."""
        cls.draw, cls.device = staticmethod(_make_renderer(run)), run.device
        for _ in range(_WARM_UP):
            cls.turn()

    @classmethod
    def turn(cls) -> float:
        """Seconds of one batch."""
        return _time_call(cls.draw, cls.device)

    @classmethod
    def result(cls) -> tuple[float, Any]:
        """The peak of the memory and the first picture."""
        import torch

        with torch.no_grad():
            return _peak_memory(), cls.draw()[:1].float().cpu().numpy()


def _peak_memory() -> float:
    """The most memory that this process has held, MB (0 where the system does not say)."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _measure_resumed(run: RenderRun) -> float:
    """The largest difference of a picture resumed after a move from one from scratch: 0."""
    import torch
    from latentfu import Latent

    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

    network, ws = _make_network(run)
    generator = StyleGAN2Generator(network, "bench", "0" * 64, "test")
    moved = ws.clone()
    moved[:, run.moved :] += 0.1
    with torch.no_grad():
        generator.render(Latent(ws, "w+", generator.id))
        resumed = generator.render(Latent(moved, "w+", generator.id))
        return float((resumed - network.synthesis(moved)).abs().max())


def _count_operations(run: RenderRun) -> float:
    """Floating point operations of the convolutions for one picture, in 1e9."""
    from latentfu_builtin.networks.stylegan.stylegan2.config import default_channels

    channels = default_channels(run.resolution, base=64 * run.channels, limit=run.channels)
    total, inputs = 0.0, channels[0]
    for place, outputs in enumerate(channels):
        size = 4 << place
        doubling = 0 if place == 0 else 2 * 9 * inputs * outputs * (size // 2) ** 2
        total += doubling + 2 * 9 * outputs * outputs * size**2
        inputs = outputs
    return total / 1e9


def _time_fastest_convolution(run: RenderRun, dtype: str) -> float:
    """What this machine reaches in one large 3 x 3 convolution, 1e9 operations a second."""
    import torch
    import torch.nn.functional as F

    kind: torch.dtype = getattr(torch, dtype)
    device, width = run.device, run.channels
    layout = torch.channels_last
    x = torch.randn(1, width, 64, 64, device=device).to(kind, memory_format=layout)
    weight = torch.randn(width, width, 3, 3, device=device).to(kind, memory_format=layout)
    times = (_time_call(lambda: F.conv2d(x, weight, padding=1), device) for _ in range(20))
    return 2 * 9 * width**2 * 64**2 / 1e9 / statistics.median(times)


def _run_in_turn(*runs: RenderRun) -> list[RenderTimes]:
    """What the runs take, each in a process of its own, one batch of each after the other."""
    with contextlib.ExitStack() as stack:
        pools = [stack.enter_context(_start_process(run.keep_memory)) for run in runs]
        for ready in [
            pool.submit(RenderWorker.prepare, run) for pool, run in zip(pools, runs, strict=True)
        ]:
            ready.result()
        turns = [[pool.submit(RenderWorker.turn).result() for pool in pools] for _ in range(_TURNS)]
        results = [pool.submit(RenderWorker.result).result() for pool in pools]
    times = [list(column) for column in zip(*turns, strict=True)]
    return [RenderTimes(taken, *result) for taken, result in zip(times, results, strict=True)]


@contextlib.contextmanager
def _start_process(keep_memory: bool = True) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """One process, started afresh, which keeps freed memory or gives it back each time."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        with mock.patch.dict(os.environ, _KEPT if keep_memory else {}):
            pool.submit(os.getpid).result()  # starts it
        yield pool


def _measure_rendering(device: str, quick: bool = False) -> Iterator[Measure]:
    """One picture at 256 and 1024 px, a slider at 1024 px, then eight at once at 256 px.

    ``quick``: the same with pictures of 32 px of a network of 16 channels.
    """
    small, large = (
        (RenderRun(32, channels=16), RenderRun(32, channels=16))
        if quick
        else (RenderRun(256), RenderRun(1024))
    )
    for size in dict.fromkeys((small, large)):
        yield from _measure_one(replace(size, device=device))
    yield from _measure_moving(replace(large, device=device))
    yield from _measure_eight(replace(small, device=device))


def _measure_moving(run: RenderRun) -> Iterator[Measure]:
    """From a slider's move to the pixels of a quick picture of a sixteenth, and of a quarter."""
    side = run.resolution
    layers = 2 * (side.bit_length() - 1)
    bare = replace(run, plain=True, keep_memory=False)
    moves = [
        replace(run, preview=side // part, moved=first)
        for part in (16, 4)
        for first in (0, layers // 3)
    ]
    plain, *ours = _run_in_turn(bare, *moves)
    for move, ran in zip(moves, ours, strict=True):
        what = "the last two thirds" if move.moved else "all styles"
        label = f"slider at {side} px, {what} move, picture of {move.preview} px"
        yield Measure(label, ran.seconds, "s", _TURNS)
        yield Measure(f"{label}, faster than plain", ran.faster_than(plain), "x")
    with _start_process() as pool:
        difference = pool.submit(_measure_resumed, moves[-1]).result()
    yield Measure("resumed picture against one from scratch", difference, "difference")


def _measure_one(run: RenderRun) -> Iterator[Measure]:
    """Seconds, ratios, memory, and how equal the pictures are."""
    label = f"{run.resolution} px"
    names = _choose_dtypes(run.device)
    bare, plain, *ours = _run_in_turn(
        replace(run, plain=True, keep_memory=False),
        replace(run, plain=True),
        *(replace(run, dtype=name) for name in names),
    )
    references = {"plain": bare, "plain with freed memory kept": plain}
    for name, ran in references.items():
        yield Measure(f"{label}: {name}", ran.seconds, "s", _TURNS)
        yield Measure(f"{label}: memory peak, {name}", ran.peak, "MB")
    span = plain.picture.max() - plain.picture.min()
    for name, ran in zip(names, ours, strict=True):
        yield Measure(f"{label}: ours, {name}", ran.seconds, "s", _TURNS)
        for what, base in references.items():
            yield Measure(f"{label}: {name} faster than {what}", ran.faster_than(base), "x")
        with _start_process() as pool:
            fastest = pool.submit(_time_fastest_convolution, run, name).result()
        limit = _count_operations(run) / fastest
        yield Measure(f"{label}: direct way at full speed, {name}", limit, "s")
        differs = abs(ran.picture - plain.picture).max() / span
        yield Measure(f"{label}: largest difference, {name}", float(differs), "of the range")
        yield Measure(f"{label}: {name} to plain", _psnr(ran.picture, plain.picture), "dB")
        yield Measure(f"{label}: memory peak, {name}", ran.peak, "MB")


def _choose_dtypes(device: str) -> tuple[str, ...]:
    """What pictures are computed in: bfloat16 only where the device multiplies in it.

    Emulated, one picture takes minutes, and nobody is shown one.
    """
    import torch
    from latentfu import quick_dtype

    quick = quick_dtype(device)
    return ("float32",) if quick is torch.float32 else ("float32", "bfloat16")


def _measure_eight(run: RenderRun) -> Iterator[Measure]:
    """Eight different codes in one batch."""
    side = run.resolution
    bare, ours = _run_in_turn(
        replace(run, batch=8, plain=True, keep_memory=False), replace(run, batch=8)
    )
    yield Measure(f"eight at {side} px: plain", bare.seconds, "s", _TURNS)
    yield Measure(f"eight at {side} px: ours, float32", ours.seconds, "s", _TURNS)
    yield Measure(f"eight at {side} px: faster", ours.faster_than(bare), "x")
    yield Measure(f"eight at {side} px: pictures a second", 8 / ours.seconds, "1/s")


def _psnr(picture: Any, truth: Any) -> float:
    """Peak signal-to-noise ratio in dB, the peak being the picture's own range."""
    import numpy as np

    error = float(np.square(picture - truth).mean())
    span = float(truth.max() - truth.min())
    return 10 * float(np.log10(span**2 / max(error, 1e-20)))


@click.command("render")
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    type=click.Choice(["cpu", "cuda"]),
    help="Where to measure.",
)
@click.option("--quick", is_flag=True, help="A tiny network, to try the command itself.")
@json_option
def render_command(device: str, quick: bool, as_json: bool) -> None:
    """Measure rendering against a plain version of the published computation."""
    print_measures("render", _measure_rendering(device, quick), as_json)
