"""How much memory networks may hold, and how long one that nobody uses stays loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentfu.core.generator import Generator
from latentfu.core.process_memory import measure_machine
from latentfu.core.setting import Setting
from latentfu.storage.settings import read_setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

MEMORY_GB = Setting(
    "networks",
    "memory_gb",
    "Memory for loaded networks, in GB",
    0.0,
    "number",
    "The one used least recently is unloaded beyond it; 0: a quarter of the machine's memory, or "
    "half of the graphics card's.",
    minimum=0.0,
)
UNLOAD_MINUTES = Setting(
    "networks",
    "unload_minutes",
    "Minutes until unused networks are unloaded",
    15.0,
    "number",
    "They are loaded again when they are used; 0: never.",
    minimum=0.0,
)


def network_settings() -> list[Setting]:
    """What can be chosen about the memory of networks, for `latentfu settings` and GIMP."""
    return [MEMORY_GB, UNLOAD_MINUTES]


def read_memory_limit(device: str) -> int:
    """Bytes that the networks on ``device`` may hold, as chosen, else by what there is."""
    chosen = float(read_setting(MEMORY_GB))
    if chosen > 0:
        return int(chosen * 1e9)
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[1] // 2)
    return measure_machine() // 4


def read_unload_seconds() -> float | None:
    """After how long without work networks are unloaded; None for never."""
    minutes = float(read_setting(UNLOAD_MINUTES))
    return 60 * minutes if minutes > 0 else None


def measure_network(generator: Generator) -> int:
    """Bytes of a network's tensors; 0 where it shows none."""
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in _list_tensors(generator)
    }
    return sum(storages.values())


def _list_tensors(generator: Generator) -> Iterator[torch.Tensor]:
    import torch

    for value in vars(generator).values() if hasattr(generator, "__dict__") else ():
        if isinstance(value, torch.nn.Module):
            yield from value.parameters()
            yield from value.buffers()
        elif isinstance(value, torch.Tensor):
            yield value
