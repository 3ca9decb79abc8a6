"""``latentfu bench hessian``: ours against the paper's algorithm, on the same layer."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import torch
from latentfu import BadInputError, Measure, bench_command, random_latents, silent
from torch import Tensor

from latentfu_deformations.discover import distance_of
from latentfu_deformations.hessian import HessianProducts, spectrum
from latentfu_deformations.layer import Convolution, opened

LAYER, COUNT, SAMPLES, SIDE = 3, 16, 2, 64


def plain_version() -> ModuleType:
    """``benchmarks/plain_hessian.py`` of the source tree; BadInputError where it is not."""
    path = Path(__file__).parents[2] / "benchmarks" / "plain_hessian.py"
    spec = importlib.util.spec_from_file_location("plain_hessian", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise BadInputError(
            "This benchmark compares with benchmarks/ of the source tree: run there."
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def energy(products: HessianProducts, vectors: Tensor) -> float:
    """How much of the Hessian the span of ``vectors [count, ...]`` holds: trace of V^T H V."""
    flat, _ = torch.linalg.qr(vectors.reshape(len(vectors), -1).T)  # [size, count]
    total = 0.0
    for column in flat.T:
        vector = column.reshape(products.shape).contiguous()
        total += float((vector * products.times(vector)).sum())
    return total


def measure() -> Iterator[Measure]:
    """Seconds to find the same number of directions, and the energy that each captured."""
    plain = plain_version()
    generator = opened(None)
    convolution = Convolution(generator, LAYER)
    latents = random_latents(generator, SAMPLES, 0)
    distance = distance_of(generator, "")

    def fresh() -> HessianProducts:
        return HessianProducts(convolution, latents, distance, SIDE)

    began = time.perf_counter()
    ours = spectrum(fresh(), COUNT, silent)
    our_seconds = time.perf_counter() - began
    yield Measure("Lanczos with exact products", our_seconds, "s")
    yield Measure("Lanczos: products", ours.products, "products")
    began = time.perf_counter()
    theirs = plain.power_iteration(fresh(), COUNT)
    their_seconds = time.perf_counter() - began
    yield Measure("power iteration, central differences", their_seconds, "s")
    yield Measure("times faster", their_seconds / our_seconds, "x")
    ours_held, theirs_held = energy(fresh(), ours.vectors), energy(fresh(), theirs)
    yield Measure("energy of ours over theirs", ours_held / theirs_held, "x")


hessian_command = bench_command("hessian", "finding deformations, against the paper's way", measure)
