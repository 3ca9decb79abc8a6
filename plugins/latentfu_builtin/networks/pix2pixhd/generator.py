"""A pix2pixHD network as a Generator: its latents are maps of labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import torch
import torch.nn.functional as F
from latentfu import (
    BadInputError,
    Generator,
    Latent,
    Noise,
    SynthesisLayer,
    file_sha256,
    find_metadata,
    read_tensors_and_metadata,
)
from torch import Tensor, nn
from torch.func import functional_call

from latentfu_builtin.networks.pix2pixhd.network import (
    ARCHITECTURE,
    Pix2PixHD,
    Pix2PixHDConfig,
    fill_network,
    find_edges,
)
from latentfu_builtin.networks.stylegan.files import check_config
from latentfu_builtin.networks.stylegan.weight_offsets import (
    Drawn,
    add_offsets,
    draw_each_code,
    find_weight,
    list_weights,
    sum_details,
)

GRID = 8


class LabelGenerator(Generator):
    """Draws maps of labels.

    A latent's ``codes`` are flattened maps ``[N, H W]`` of label numbers, or ``[N, 2 H W]`` where
    the network also reads edges: labels first, then 1 where an object ends. ``from_labels`` makes
    them from pictures of labels; ``map`` invents layouts, for trying deformations.
    """

    def __init__(self, network: Pix2PixHD, name: str, id: str, domain: str) -> None:
        config = network.config
        self.network, self.name, self.id, self.domain = network, name, id, domain
        self.size = (config.height, config.resolution)
        self.resolution = config.resolution
        self.spaces = ("z",)
        self.z_dim = GRID * GRID
        self.layers = _list_layers(network)
        self.not_for_pictures = (
            f"{name} draws maps of labels and edits no pictures: use `latentfu render labels`."
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    def map(
        self,
        z: Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: Tensor | None = None,
    ) -> Latent:
        """z [N, 64] -> invented maps: the regions of a smooth surface, one label for each height.

        ``psi`` below 1 flattens the surface, so that fewer labels are seen. ``labels``: maps
        [N, H, W] to take instead.
        """
        if labels is not None:
            return self.from_labels(labels)
        coarse = z.to(self.device).float().reshape(-1, 1, GRID, GRID) * psi
        smooth = F.interpolate(coarse, size=self.size, mode="bicubic", align_corners=False)
        part = 0.5 * (1 + torch.erf(smooth[:, 0]))  # [N, H, W] in 0..1
        count = self.network.config.labels
        return self.from_labels((part * count).long().clamp(0, count - 1))

    def mean_latent(self) -> Latent:
        """A map of one label."""
        return self.map(torch.zeros(1, self.z_dim))

    def from_labels(self, labels: Tensor, instances: Tensor | None = None) -> Latent:
        """Whole numbers ``[N, H, W]`` of labels, and of objects (None: the labels' borders)."""
        config = self.network.config
        if labels.ndim != 3 or tuple(labels.shape[1:]) != self.size:
            raise BadInputError(
                f"{self.name} takes maps of {self.size[1]} x {self.size[0]}, not of shape "
                f"{list(labels.shape)}."
            )
        if int(labels.min()) < 0 or int(labels.max()) >= config.labels:
            raise BadInputError(f"Labels of {self.name} are 0 to {config.labels - 1}.")
        if instances is not None and instances.shape != labels.shape:
            raise BadInputError("The map of objects must be as large as the map of labels.")
        codes = [labels.flatten(1).float()]
        if config.edges:
            codes.append(find_edges(labels if instances is None else instances).flatten(1))
        return Latent(torch.cat(codes, dim=1).to(self.device), "z", self.id)

    def planes(self, latent: Latent) -> Tensor:
        """What the network reads, ``[N, inputs, H, W]``."""
        latent.check_generator(self.id)
        config = self.network.config
        kinds = 2 if config.edges else 1
        height, width = self.size
        if latent.codes.shape[1] != kinds * height * width:
            raise BadInputError(
                f"{self.name} takes maps of {width} x {height}; this latent holds "
                f"{latent.codes.shape[1]} numbers."
            )
        maps = latent.codes.to(self.device).reshape(-1, kinds, height, width)
        hot = F.one_hot(maps[:, 0].long().clamp(0, config.labels - 1), config.labels)
        planes = [hot.permute(0, 3, 1, 2).float(), maps[:, 1:]]
        if config.features:
            planes.append(hot.new_zeros(len(maps), config.features, height, width).float())
        return torch.cat(planes, dim=1)

    @overload
    def render(self, latent: Latent, noise: Noise = ..., features: None = None) -> Tensor: ...

    @overload
    def render(
        self, latent: Latent, noise: Noise, features: Sequence[int]
    ) -> tuple[Tensor, dict[int, Tensor]]: ...

    def render(
        self, latent: Latent, noise: Noise = "const", features: Sequence[int] | None = None
    ) -> Tensor | tuple[Tensor, dict[int, Tensor]]:
        """Maps -> pictures ``[N, 3, H, W]`` in -1..1; there is no noise. Bends and details act."""
        image, kept = draw_each_code(latent, noise, tuple(features or ()), self.draw)
        return image if features is None else (image, kept)

    def draw(self, latent: Latent, noise: Noise, features: tuple[int, ...]) -> Drawn:
        """Pictures of codes whose bends act alike, and the wanted features."""
        planes = self.planes(latent)
        shapes = {
            place: (layer.channels, self.side(layer, 0), self.side(layer, 1))
            for place, layer in enumerate(self.layers)
        }
        details = sum_details(latent, shapes, self.name)
        kept: dict[int, Tensor] = {}
        seen = 0

        def visit(x: Tensor) -> Tensor:
            nonlocal seen
            x = x + details[seen] if seen in details else x
            if seen in features:
                kept[seen] = x
            seen += 1
            return x

        changed = add_offsets(self.network, latent.bends, self.name)
        image: Tensor = functional_call(self.network, changed, (planes, visit))
        return image, kept

    def side(self, layer: SynthesisLayer, axis: int) -> int:
        """Height (0) or width (1) of what a layer gives."""
        return self.size[axis] * layer.resolution // self.resolution

    def parameter(self, name: str) -> Tensor:
        """The weights of that name in the published code, e.g. model.4.weight."""
        return find_weight(self.network, name, self.name)

    def weights(self) -> dict[str, Tensor]:
        """All parameters and buffers of the network by name."""
        return list_weights(self.network)


def _list_layers(network: Pix2PixHD) -> tuple[SynthesisLayer, ...]:
    """The convolutions in the order in which they act, with the width of what they give."""
    config, layers = network.config, []
    width = config.resolution // 2**config.enhancers
    for name, module in network.convolutions():
        if name.endswith("_1.1"):
            width = config.resolution >> (config.enhancers - int(name[5:-4]))
        if isinstance(module, nn.ConvTranspose2d):
            width, what, channels = 2 * width, "doubling", module.out_channels
        else:
            stride = int(getattr(module, "stride", (1, 1))[0])
            width, what = width // stride, "halving" if stride == 2 else "plain"
            channels = int(getattr(module, "out_channels", 0))
        layers.append(SynthesisLayer(f"{name}, {what}", width, channels, 0, f"{name}.weight"))
    return tuple(layers)


def open_network(path: Path, device: str) -> LabelGenerator:
    """The generator in a file; BadInputError naming a tensor that is missing or does not fit."""
    notes = find_metadata(path)
    if notes.get("architecture") != ARCHITECTURE or "config" not in notes:
        raise BadInputError(f"{path} holds no pix2pixHD network.")
    tensors, notes = read_tensors_and_metadata(path)
    try:
        check_config(notes["config"], len(tensors))
    except ValueError as error:
        raise BadInputError(f"{path} cannot be used: {error}.") from error
    config = Pix2PixHDConfig.from_json(notes["config"])
    network = fill_network(tensors, config, str(path)).to(device)
    return LabelGenerator(network, path.stem, file_sha256(path), notes.get("domain", "unknown"))
