"""``latentfu bench hessian``: ours against the paper's algorithm, on the same layer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import click
import torch
from latentfu import Measure, json_option, print_measures, random_latents, silent
from torch import Tensor

from latentfu_builtin.deformations.convolution import ShiftedConvolution, open_generator_to_deform
from latentfu_builtin.deformations.hessian import HessianProducts, find_spectrum
from latentfu_builtin.deformations.search import choose_picture_distance

_LAYER, _COUNT, _SAMPLES, _SIDE = 3, 16, 2, 64
_SMALL_COUNT = 8
T = TypeVar("T")


def _measure_energy(products: HessianProducts, vectors: Tensor) -> float:
    """How much of the Hessian the span of ``vectors [count, ...]`` holds: trace of V^T H V."""
    flat, _ = torch.linalg.qr(vectors.reshape(len(vectors), -1).T)  # [size, count]
    total = 0.0
    for column in flat.T:
        vector = column.reshape(products.shape).contiguous()
        total += float((vector * products.times(vector)).sum())
    return total


def _measure_hessian(quick: bool = False) -> Iterator[Measure]:
    """Seconds to the same energy, and how near each comes to the exact subspace.

    ``quick``: one vector of a random network of 16 px instead of 16 of the first generator.
    """
    count = 1 if quick else _COUNT
    fresh = _make_small_products if quick else _make_full_products()
    theirs, their_time = _time(lambda: _power_iteration(fresh(), count))
    held = _measure_energy(fresh(), theirs)
    yield Measure("power iteration, central differences", their_time.wall, "s")
    ours, time_to_equal = _time(
        lambda: find_spectrum(fresh(), count, silent, tolerance=0.0, enough=held)
    )
    yield Measure("Lanczos, exact products, to the same energy", time_to_equal.wall, "s")
    yield Measure("products for it", ours.products, "products")
    yield Measure("times faster", their_time.wall / time_to_equal.wall, "x")
    yield Measure("times less work of the processor", their_time.cpu / time_to_equal.cpu, "x")
    settled, our_time = _time(lambda: find_spectrum(fresh(), count, silent))
    yield Measure("Lanczos, until its own test ends it", our_time.wall, "s")
    yield Measure("its energy over the power iteration's", float(settled.values.sum()) / held, "x")
    yield from _measure_angles(count if quick else _SMALL_COUNT)


def _make_full_products() -> Callable[[], HessianProducts]:
    """Makes products with the Hessian of the first generator's layer, nothing kept of before."""
    generator = open_generator_to_deform(None, "cpu")
    convolution = ShiftedConvolution(generator, _LAYER)
    latents = random_latents(generator, _SAMPLES, 0)
    distance = choose_picture_distance(generator, "")
    return lambda: HessianProducts(convolution, latents, distance, _SIDE, traced=True)


@dataclass(frozen=True)
class _Took:
    """Seconds by the clock, and of all processors together."""

    wall: float
    cpu: float


def _time(work: Callable[[], T]) -> tuple[T, _Took]:
    """What ``work`` gives, and how long it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, _Took(time.perf_counter() - wall, time.process_time() - cpu)


def _measure_angles(count: int) -> Iterator[Measure]:
    """Largest angle between the subspaces found and the exact one, where that can be formed."""
    small = _make_small_products()
    exact = torch.linalg.eigh(_form_whole(small))[1][:, -count:]  # [size, count]
    ours = find_spectrum(_make_small_products(), count, silent, tolerance=1e-4).vectors
    theirs = _power_iteration(_make_small_products(), count)
    for name, vectors in (("Lanczos", ours), ("power iteration", theirs)):
        yield Measure(
            f"largest angle to the exact subspace, {name}", _largest_angle(vectors, exact), "deg"
        )


def _make_small_products() -> HessianProducts:
    """A random StyleGAN2 of 16 px with a layer of 324 weights."""
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = StyleGAN2(StyleGAN2Config(16, 8, 8, 2, 0.01, (6, 6, 4)))
    network.eval().requires_grad_(False)
    generator = StyleGAN2Generator(network, "small", "0" * 64, "test")
    latents = random_latents(generator, 4, 1)
    return HessianProducts(ShiftedConvolution(generator, 2), latents, _squares, side=None)


def _squares(images: Tensor, targets: Tensor) -> Tensor:
    """Mean squared difference of each pair."""
    return (images - targets).square().mean(dim=(1, 2, 3))


def _form_whole(products: HessianProducts) -> Tensor:
    """The whole matrix ``[size, size]``, column by column, in double precision."""
    columns = [products.times(e.reshape(products.shape)) for e in torch.eye(products.size)]
    matrix = torch.stack([column.reshape(-1) for column in columns]).double()
    return (matrix + matrix.T) / 2


def _largest_angle(vectors: Tensor, exact: Tensor) -> float:
    """The largest principal angle between two subspaces, in degrees."""
    found = torch.linalg.qr(vectors.reshape(len(vectors), -1).double().T)[0]
    # By the sine, which is exact for small angles.
    beside = found - exact @ (exact.T @ found)
    return float(torch.rad2deg(torch.asin(torch.linalg.svdvals(beside).max().clamp_max(1.0))))


@click.command("hessian")
@click.option("--quick", is_flag=True, help="A tiny network, to try the command itself.")
@json_option
def hessian_command(quick: bool, as_json: bool) -> None:
    """Measure finding deformations, against the paper's way."""
    print_measures("hessian", _measure_hessian(quick), as_json)


_STEPS = 20
_FACTOR = 0.1


def _power_iteration(products: Any, count: int, seed: int = 0) -> Tensor:
    """``count`` unit vectors ``[count, out, in, k, k]``, strongest first."""
    random = torch.Generator().manual_seed(seed)
    found: list[Tensor] = []
    for _ in range(count):
        vector = torch.randn(products.shape, generator=random)
        vector = vector / vector.norm()
        for _ in range(_STEPS):
            vector = _remove_parts(vector, found)
            size = vector.norm()
            forth = _gradient(products, _FACTOR * vector)
            back = _gradient(products, -_FACTOR * vector)
            vector = (forth - back) / (2 * _FACTOR * size)
        vector = _remove_parts(vector, found)
        found.append(vector / vector.norm())
    return torch.stack(found)


def _remove_parts(vector: Tensor, found: list[Tensor]) -> Tensor:
    """``vector`` without its parts along those found."""
    for other in found:
        vector = vector - (vector * other).sum() * other
    return vector


def _gradient(products: Any, shift: Tensor) -> Tensor:
    """Gradient of the mean distance at ``shift``."""
    total = torch.zeros_like(shift)
    for latent in products._parts:
        free = shift.clone().requires_grad_(True)
        with torch.no_grad():
            still = products.seen(latent, torch.zeros_like(shift))
        change = products.distance(products.seen(latent, free), still).sum()
        total += torch.autograd.grad(change, free)[0]
    return total / len(products.latents)
