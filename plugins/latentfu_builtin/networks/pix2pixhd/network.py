"""The global generator and the local enhancer, with the parameter names of the published code."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentfu_builtin.networks.pix2pixhd.config import Config

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


def entrance(inputs: int, width: int) -> list[nn.Module]:
    """A 7x7 convolution of the input planes."""
    first = nn.Conv2d(inputs, width, 7)
    return [nn.ReflectionPad2d(3), first, nn.InstanceNorm2d(width), nn.ReLU()]


def halving(width: int) -> list[nn.Module]:
    """[N, C, H, W] -> [N, 2 C, H / 2, W / 2]."""
    conv = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
    return [conv, nn.InstanceNorm2d(2 * width), nn.ReLU()]


def doubling(width: int) -> list[nn.Module]:
    """[N, C, H, W] -> [N, C / 2, 2 H, 2 W]."""
    conv = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
    return [conv, nn.InstanceNorm2d(width // 2), nn.ReLU()]


def colours(width: int) -> list[nn.Module]:
    """The picture in -1..1."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]


def along(modules: Iterable[nn.Module], x: Tensor, visit: Visit) -> Tensor:
    """``x`` through ``modules``; each activation ends a layer."""
    for module in modules:
        if isinstance(module, Block):
            x = module.visited(x, visit)
        else:
            x = module(x)
            if isinstance(module, (nn.ReLU, nn.Tanh)):
                x = visit(x)
    return x


class Pix2PixHD(nn.Module):
    """Planes of labels ``[N, inputs, H, W]`` -> pictures ``[N, 3, H, W]`` in -1..1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        c = config
        width = c.width * 2**c.enhancers
        parts = entrance(c.inputs, width)
        for i in range(c.down):
            parts += halving(width * 2**i)
        parts += [Block(width * 2**c.down) for _ in range(c.blocks)]
        for i in range(c.down, 0, -1):
            parts += doubling(width * 2**i)
        self.model = nn.Sequential(*parts, *([] if c.enhancers else colours(width)))
        for n in range(1, c.enhancers + 1):
            width = c.width * 2 ** (c.enhancers - n)
            into = [*entrance(c.inputs, width), *halving(width)]
            out = [*(Block(2 * width) for _ in range(c.local_blocks)), *doubling(2 * width)]
            out += colours(width) if n == c.enhancers else []
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
            pyramid.append(halved(pyramid[-1]))
        x = along(self.model, pyramid[-1], visit)
        for n in range(1, self.config.enhancers + 1):
            finer = along(getattr(self, f"model{n}_1"), pyramid[self.config.enhancers - n], visit)
            x = along(getattr(self, f"model{n}_2"), finer + x, visit)
        return x


def halved(planes: Tensor) -> Tensor:
    """Averages of 3 x 3 at every second place; what lies outside does not count."""
    return F.avg_pool2d(planes, 3, stride=2, padding=1, count_include_pad=False)


def edges_of(instances: Tensor) -> Tensor:
    """Where the number of the object changes: ``[N, H, W]`` -> float ``[N, 1, H, W]``."""
    edge = torch.zeros_like(instances, dtype=torch.bool)
    across = instances[:, :, 1:] != instances[:, :, :-1]
    down = instances[:, 1:] != instances[:, :-1]
    edge[:, :, 1:] |= across
    edge[:, :, :-1] |= across
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    return edge[:, None].float()
