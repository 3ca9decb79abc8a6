"""Training by several processes: torchrun, the same data and moves, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from latentfu_builtin.stylegan.training.checkpoint import read_checkpoint
from latentfu_builtin.stylegan.training.pairs import render_pairs
from latentfu_builtin.stylegan.training.source import Batch, open_teacher
from latentfu_builtin.stylegan.training.training_group import TrainingGroup

TRAIN = (
    "-m latentfu train generator --resolution 16 --z-dim 64 --w-dim 16 --channels 16,16,8 "
    "--threads 1 --json --set batch=8 --set bf16=false --set mixing=0.5 --set r1_every=2"
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    render_pairs(open_teacher("portraits"), folder, count=128, resolution=16, z_dim=64)
    return folder


def train(
    run: Path, pairs: Path, settings: str, processes: int = 1
) -> subprocess.CompletedProcess[str]:
    """The command as a user types it, by itself or under torchrun."""
    several = f"-m torch.distributed.run --standalone --nproc-per-node {processes}".split()
    command = [sys.executable, *(several if processes > 1 else []), *TRAIN.split()]
    command += ["--pairs", str(pairs), "--out", str(run), *settings.split()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def read_networks(run: Path) -> dict[str, torch.Tensor]:
    tensors, _ = read_checkpoint(run / "checkpoint.safetensors")
    names = ("generator.", "ema.", "random", "path_mean")
    return {k: v.double() for k, v in tensors.items() if k.startswith(names)}


def largest_difference(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> float:
    assert one.keys() == two.keys()
    return max((one[name] - two[name]).abs().max().item() for name in one)


def test_two_processes_train_as_one_and_one_goes_on_from_them(tmp_path: Path, pairs: Path) -> None:
    settings = "--set regression_images=48 --set adversarial_images=0"
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    assert train(alone, pairs, settings).returncode == 0
    done = train(shared, pairs, settings, processes=2)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1  # one of them speaks
    assert json.loads(done.stdout)["images"] == 48
    assert largest_difference(read_networks(alone), read_networks(shared)) < 2e-3
    # With another number of processes the run goes on.
    more = "--set regression_images=64 --set adversarial_images=0"
    assert train(alone, pairs, more).returncode == 0
    assert train(shared, pairs, more).returncode == 0
    assert largest_difference(read_networks(alone), read_networks(shared)) < 4e-3


def test_two_processes_draw_the_same_in_the_adversarial_phase(tmp_path: Path, pairs: Path) -> None:
    settings = "--set regression_images=0 --set adversarial_images=32 --set path_every=2"
    for name, processes in (("alone", 1), ("shared", 2)):
        done = train(tmp_path / name, pairs, settings, processes)
        assert done.returncode == 0, done.stderr
    alone, shared = (read_networks(tmp_path / name) for name in ("alone", "shared"))
    assert torch.equal(alone["random"], shared["random"])  # as many numbers, so the same data
    assert all(bool(value.isfinite().all()) for value in shared.values())


def test_a_batch_that_cannot_be_shared_is_refused_in_a_sentence(
    tmp_path: Path, pairs: Path
) -> None:
    done = train(tmp_path / "run", pairs, "--set batch=7", processes=2)
    assert done.returncode != 0
    assert "a batch of 7 pictures cannot be shared evenly by 2 processes" in done.stdout
    assert not (tmp_path / "run").exists()


def test_shares_make_up_the_batch() -> None:
    batch = Batch(torch.arange(12.0).reshape(6, 2), torch.arange(6.0)[:, None])
    shares = [TrainingGroup(rank, 3).take_share(batch) for rank in range(3)]
    assert torch.equal(torch.cat([share.images for share in shares]), batch.images)
    assert all(share.z is not None and len(share.z) == 2 for share in shares)
    assert all(share.landmarks is None for share in shares)
