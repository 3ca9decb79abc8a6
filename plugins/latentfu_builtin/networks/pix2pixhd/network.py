"""The global generator and the local enhancer of pix2pixHD (Wang et al. 2018, arXiv 1711.11585).

Parameters have the names of the published code. A network is a safetensors file with its config.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from latentfu import BadInputError, check_cancelled, write_tensors
from torch import Tensor, nn

from latentfu_builtin.networks.stylegan.files import build_fitting

Shapes = Mapping[str, tuple[int, ...]]
ARCHITECTURE = "pix2pixhd"
STREETS = 35
"""Labels of the published street networks; a 36th input says where objects end."""


@dataclass(frozen=True)
class Pix2PixHDConfig:
    """Sizes by the published options: ``width`` is ngf, ``down``/``blocks`` those of the global
    generator, ``enhancers`` and ``local_blocks`` of the local enhancer (0: only the global one).

    Inputs are ``labels`` one-hot planes, one plane of edges if ``edges``, and ``features`` planes
    that a network trained with an encoder reads (0 here). ``resolution``, ``height``: of the
    pictures that the weights were trained for; other multiples of 2^(down + enhancers) work.
    """

    labels: int = STREETS
    edges: bool = True
    features: int = 0
    width: int = 64
    down: int = 4
    blocks: int = 9
    enhancers: int = 0
    local_blocks: int = 3
    resolution: int = 1024
    height: int = 512

    def __post_init__(self) -> None:
        if min(self.labels, self.width, self.resolution, self.height) < 1:
            raise BadInputError("A pix2pixHD network needs labels, a width and a size.")
        if min(self.down, self.blocks, self.enhancers, self.features) < 0:
            raise BadInputError("The sizes of a pix2pixHD network cannot be below 0.")
        if self.resolution % self.step or self.height % self.step:
            raise BadInputError(
                f"The size {self.resolution} x {self.height} is not a multiple of {self.step}."
            )

    @property
    def inputs(self) -> int:
        """Channels that the first convolution reads."""
        return self.labels + self.edges + self.features

    @property
    def step(self) -> int:
        """Sides of pictures are multiples of this."""
        return int(2 ** (self.down + self.enhancers))

    def to_json(self) -> str:
        """One line of JSON that ``from_json`` reads back."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Pix2PixHDConfig:
        """The config that ``to_json`` wrote; BadInputError for anything else."""
        try:
            values = json.loads(text)
            known = {item.name for item in fields(Pix2PixHDConfig)}
            if isinstance(values, dict) and set(values) <= known:
                return Pix2PixHDConfig(**values)
        except (ValueError, TypeError) as error:
            raise BadInputError(f"The network's config cannot be read: {error}.") from error
        raise BadInputError(f"The network's config must be an object with only {sorted(known)}.")


def is_pix2pixhd(shapes: Shapes) -> bool:
    """Whether tensors of these names and shapes look like a pix2pixHD generator."""
    first = shapes.get("model.1.weight", ())
    names = "model.1.bias" in shapes and any(".conv_block.1.weight" in name for name in shapes)
    return names and len(first) == 4 and first[-1] == 7


def config_from_shapes(
    shapes: Shapes, resolution: int = 1024, height: int = 512
) -> Pix2PixHDConfig:
    """The config of a state dict; BadInputError where it is not a pix2pixHD generator's."""
    if not is_pix2pixhd(shapes):
        raise BadInputError("These tensors are no pix2pixHD generator's: model.1 is missing.")
    inputs = shapes["model.1.weight"][1]
    enhancers = len({m[1] for n in shapes if (m := re.match(r"model(\d+)_1\.1\.weight$", n))})
    blocks = sorted({int(m[1]) for n in shapes if (m := re.match(r"model\.(\d+)\.conv_bl", n))})
    down = (blocks[0] - 4) // 3
    local = {m[1] for n in shapes if (m := re.match(r"model1_2\.(\d+)\.conv_block", n))}
    last = f"model{enhancers}_1.1.weight" if enhancers else "model.1.weight"
    labels, edges, features = _split_inputs(inputs)
    return Pix2PixHDConfig(
        labels, edges, features, shapes[last][0], down, len(blocks), enhancers, len(local),
        resolution, height,
    )  # fmt: skip


def _split_inputs(inputs: int) -> tuple[int, bool, int]:
    """Tell labels, edges and features apart: the published street networks read 36 or 39 planes."""
    if inputs in (STREETS + 1, STREETS + 4):
        return STREETS, True, inputs - STREETS - 1
    return inputs, False, 0


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
    try:
        network = build_fitting(source, lambda _: Pix2PixHD(config), config.to_json(), tensors)
    except ValueError as error:
        raise BadInputError(f"{error}.") from error
    network.load_state_dict({name: value.float() for name, value in tensors.items()})
    return network.eval().requires_grad_(False)
