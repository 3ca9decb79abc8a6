"""Training by several processes at once: torchrun starts them, each has a device of its own.

Every process holds the same networks and draws the same batch, works on its share of it, and
moves by the mean of all gradients: data-parallel training, the seeds giving the same data as with
one process. Alone (no torchrun) everything here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from latentfu_builtin.stylegan.training.source import Batch


@dataclass(frozen=True)
class TrainingGroup:
    """The processes of one training run, and which of them this one is.

    Attributes:
        rank: This process's number; 0 is the one that writes and speaks.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def check_batch(self, batch: int) -> None:
        """ValueError unless every process gets as many of `batch` pictures as the others."""
        if batch % self.size:
            raise ValueError(
                f"a batch of {batch} pictures cannot be shared evenly by {self.size} processes: "
                f"set batch to a multiple of {self.size}"
            )

    def take_share(self, batch: Batch) -> Batch:
        """This process's rows of a batch that all have drawn alike."""
        return Batch(*(None if t is None else self.take_rows(t) for t in vars(batch).values()))  # type: ignore[arg-type]

    def take_rows(self, rows: Tensor) -> Tensor:
        """This process's part of rows [N, ...]: [N / size, ...]."""
        count = len(rows) // self.size
        return rows[self.rank * count : (self.rank + 1) * count]

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the mean over all processes in place of every gradient."""
        self.average([p.grad for p in parameters if p.grad is not None])

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all processes in place of each tensor, in one message."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        for tensor, mean in zip(
            tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True
        ):
            tensor.copy_(mean.view(tensor.shape))

    def copy_from_leader(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the leader's numbers, so that all begin from the same."""
        if self.size == 1:
            return
        for tensor in tensors:
            whole = tensor.contiguous()
            dist.broadcast(whole, src=0)
            tensor.copy_(whole)

    def agree(self, wanted: bool) -> bool:
        """What the leader says to a question that clocks would answer differently."""
        if self.size == 1:
            return wanted
        answer = torch.tensor([float(wanted)])
        if dist.get_backend() == "nccl":
            answer = answer.cuda()
        dist.broadcast(answer, src=0)
        return bool(answer.item())


ALONE = TrainingGroup()
"""The group of a process that trains by itself."""


def join_group(device: str) -> tuple[TrainingGroup, str]:
    """Join the processes that torchrun has started; alone without it.

    Args:
        device: What was asked for: with `cuda` each process takes the card of its place on
            its machine.

    Returns:
        The group, and this process's device. ValueError where there are fewer cards than
        processes, or one card is asked for by all.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return ALONE, device
    place = int(os.environ.get("LOCAL_RANK", "0"))
    kind = torch.device(device).type
    if kind == "cuda":
        if torch.device(device).index is not None:
            raise ValueError(f"several processes cannot all train on {device}: say --device cuda")
        if place >= torch.cuda.device_count():
            raise ValueError(
                f"torchrun has started more processes than this machine's "
                f"{torch.cuda.device_count()} graphics cards: lower --nproc-per-node"
            )
        device = f"cuda:{place}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    return TrainingGroup(dist.get_rank(), size), device


def leave_group(group: TrainingGroup) -> None:
    """Part from the other processes, so that none waits for this one."""
    if group.size > 1:
        dist.destroy_process_group()
