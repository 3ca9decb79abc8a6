"""The global generator and the local enhancer of pix2pixHD (Wang et al. 2018, arXiv 1711.11585).

Parameters have the names of the published code. A network is a safetensors file with its config.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, check_cancelled, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.pix2pixhd.config import ARCHITECTURE, Pix2PixHDConfig

Visit = Callable[[Tensor], Tensor]
"""Called with what each layer gives, in the order of ``Pix2PixHD.convolutions``."""


class Block(nn.Module):
    """Two 3x3 convolutions with a way round them; reflected borders."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels), nn.ReLU(),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), nn.InstanceNorm2d(channels),
        )  # fmt: skip

    def visited(self, x: Tensor, visit: Visit) -> Tensor:
        """[N, C, H, W] -> the same; ``visit`` sees the inside and the sum."""
        inside = visit(self.conv_block[:4](x))
        return visit(x + self.conv_block[4:](inside))


def _first_layers(inputs: int, width: int) -> list[nn.Module]:
    """A 7x7 convolution of the input planes."""
    first = nn.Conv2d(inputs, width, 7)
    return [nn.ReflectionPad2d(3), first, nn.InstanceNorm2d(width), nn.ReLU()]


def _halving_layers(width: int) -> list[nn.Module]:
    """[N, C, H, W] -> [N, 2 C, H / 2, W / 2]."""
    conv = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
    return [conv, nn.InstanceNorm2d(2 * width), nn.ReLU()]


def _doubling_layers(width: int) -> list[nn.Module]:
    """[N, C, H, W] -> [N, C / 2, 2 H, 2 W]."""
    conv = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
    return [conv, nn.InstanceNorm2d(width // 2), nn.ReLU()]


def _rgb_layers(width: int) -> list[nn.Module]:
    """The picture in -1..1."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]


def _run_layers(modules: Iterable[nn.Module], x: Tensor, visit: Visit) -> Tensor:
    """``x`` through ``modules``; each activation ends a layer."""
    for module in modules:
        check_cancelled()
        if isinstance(module, Block):
            x = module.visited(x, visit)
        else:
            x = module(x)
            if isinstance(module, (nn.ReLU, nn.Tanh)):
                x = visit(x)
    return x


class Pix2PixHD(nn.Module):
    """Planes of labels ``[N, inputs, H, W]`` -> pictures ``[N, 3, H, W]`` in -1..1."""

    def __init__(self, config: Pix2PixHDConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        width = c.width * 2**c.enhancers
        parts = _first_layers(c.inputs, width)
        for i in range(c.down):
            parts += _halving_layers(width * 2**i)
        parts += [Block(width * 2**c.down) for _ in range(c.blocks)]
        for i in range(c.down, 0, -1):
            parts += _doubling_layers(width * 2**i)
        self.model = nn.Sequential(*parts, *([] if c.enhancers else _rgb_layers(width)))
        for n in range(1, c.enhancers + 1):
            width = c.width * 2 ** (c.enhancers - n)
            into = [*_first_layers(c.inputs, width), *_halving_layers(width)]
            out = [*(Block(2 * width) for _ in range(c.local_blocks)), *_doubling_layers(2 * width)]
            out += _rgb_layers(width) if n == c.enhancers else []
            self.add_module(f"model{n}_1", nn.Sequential(*into))
            self.add_module(f"model{n}_2", nn.Sequential(*out))

    def stages(self) -> list[tuple[str, nn.Sequential]]:
        """The parts in the order of the data's way, by name."""
        names = ["model"]
        for n in range(1, self.config.enhancers + 1):
            names += [f"model{n}_1", f"model{n}_2"]
        return [(name, getattr(self, name)) for name in names]

    def convolutions(self) -> list[tuple[str, nn.Module]]:
        """All convolutions by the name of their module, in the order in which they act."""
        return [
            (f"{stage}.{name}", module)
            for stage, parts in self.stages()
            for name, module in parts.named_modules()
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))
        ]

    def forward(self, planes: Tensor, visit: Visit = lambda x: x) -> Tensor:
        """``visit(x)`` may exchange what each layer gives."""
        pyramid = [planes]
        for _ in range(self.config.enhancers):
            pyramid.append(_halve(pyramid[-1]))
        x = _run_layers(self.model, pyramid[-1], visit)
        for n in range(1, self.config.enhancers + 1):
            finer = _run_layers(
                getattr(self, f"model{n}_1"), pyramid[self.config.enhancers - n], visit
            )
            x = _run_layers(getattr(self, f"model{n}_2"), finer + x, visit)
        return x


def _halve(planes: Tensor) -> Tensor:
    """Averages of 3 x 3 at every second place; what lies outside does not count."""
    return F.avg_pool2d(planes, 3, stride=2, padding=1, count_include_pad=False)


def find_edges(instances: Tensor) -> Tensor:
    """Where the number of the object changes: ``[N, H, W]`` -> float ``[N, 1, H, W]``."""
    edge = torch.zeros_like(instances, dtype=torch.bool)
    across = instances[:, :, 1:] != instances[:, :, :-1]
    down = instances[:, 1:] != instances[:, :-1]
    edge[:, :, 1:] |= across
    edge[:, :, :-1] |= across
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    return edge[:, None].float()


def save_pix2pixhd(path: Path, network: Pix2PixHD, metadata: Mapping[str, str]) -> None:
    """Write a network with its config, whole or not at all."""
    notes = {**metadata, "architecture": ARCHITECTURE, "config": network.config.to_json()}
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    write_tensors(path, tensors, notes)


def fill_network(tensors: Mapping[str, Tensor], config: Pix2PixHDConfig, source: str) -> Pix2PixHD:
    """Make a network of ``config`` with these weights, ready to draw.

    ``source`` begins the sentence of a BadInputError: a tensor is missing, unknown, or of another
    shape.
    """
    network = Pix2PixHD(config)
    wanted = network.state_dict()
    for name, value in wanted.items():
        found = tensors.get(name)
        if found is None:
            raise BadInputError(f"{source} lacks {name}.")
        if found.shape != value.shape:
            raise BadInputError(
                f"{source} has {name} of shape {list(found.shape)}, expected {list(value.shape)}."
            )
    unknown = sorted(set(tensors) - set(wanted))
    if unknown:
        raise BadInputError(f"{source} has {unknown[0]}, which no such network has.")
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    return network.eval().requires_grad_(False)
