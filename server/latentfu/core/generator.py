"""Generator: a loaded network that turns latents into images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

from latentfu.core.errors import BadInputError
from latentfu.core.latent import Latent, Space

if TYPE_CHECKING:
    import torch

Noise = Literal["const", "random", "none"] | Mapping[int, "torch.Tensor"]
"""const: the network's own maps; random: fresh ones; none; or maps ``[N or 1, 1, R, R]`` by the
number of their layer in ``Generator.layers``, where layers that are left out are const."""


@dataclass(frozen=True)
class SynthesisLayer:
    """One layer of a synthesis network, in the order of the data's way.

    ``resolution``: side of its output in pixels; ``channels``: of its output; ``style``: the
    index into ``num_ws`` of the style it reads; ``weight``: the name of its convolution's
    weight ``[out, in, k, k]`` for ``Generator.parameter``; ``noise``: of its noise map
    ``[R, R]``, empty where it has none or shows none.
    """

    name: str
    resolution: int
    channels: int
    style: int
    weight: str
    noise: str = ""


class Generator(ABC):
    """What every generator offers; a plug-in's network is wrapped in a subclass.

    Attributes set by the subclass: ``name``; ``id`` (sha256 of the weights, hex); ``domain``
    ("portraits", "faces", "cars", ...); ``resolution`` (output side in pixels); ``channels``
    (3 RGB); ``family`` (what people call its architecture, e.g. "StyleGAN2"; empty where that
    says nothing); ``spaces`` (latent spaces it takes, the best for editing last); ``z_dim``;
    ``w_dim`` and ``num_ws`` (0 where there is only z); ``layers``, numbered as ``features`` and
    ``FeatureOffset.layer`` are (empty where the network cannot be looked into); ``label_count``:
    how many labels a conditional network takes (0 for none); ``not_for_pictures``: a sentence for
    people who want to edit a picture with a network whose latents no picture can be brought to,
    such as one that draws maps (empty for all others).
    """

    name: str
    id: str
    domain: str
    resolution: int
    spaces: tuple[Space, ...]
    z_dim: int
    w_dim: int = 0
    num_ws: int = 0
    layers: tuple[SynthesisLayer, ...] = ()
    label_count: int = 0
    family: str = ""
    not_for_pictures: str = ""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the weights are."""

    @abstractmethod
    def map(
        self,
        z: torch.Tensor,
        psi: float = 1.0,
        cutoff: int | None = None,
        labels: torch.Tensor | None = None,
    ) -> Latent:
        """Map noise to the generator's editing space.

        Args:
            z: ``[N, z_dim]``, standard normal.
            psi: truncation towards the mean w (1 none, 0 the mean).
            cutoff: truncate only the first that many layers; None for all.
            labels: ``[N, label_count]`` for a conditional network.

        Returns:
            N codes. A generator with only a z space returns z itself, scaled by ``psi``.
        """

    @overload
    def render(self, latent: Latent, noise: Noise = ..., features: None = None) -> torch.Tensor: ...

    @overload
    def render(
        self, latent: Latent, noise: Noise, features: Sequence[int]
    ) -> tuple[torch.Tensor, dict[int, torch.Tensor]]: ...

    @abstractmethod
    def render(
        self, latent: Latent, noise: Noise = "const", features: Sequence[int] | None = None
    ) -> torch.Tensor | tuple[torch.Tensor, dict[int, torch.Tensor]]:
        """Draw the pictures of a latent.

        The latent's weight and feature offsets act on this call alone. Gradients flow to the
        codes, the offsets and the noise maps.

        Args:
            latent: N codes of this generator.
            noise: see :data:`Noise`.
            features: numbers of synthesis layers whose output is wanted too.

        Returns:
            float32 ``[N, 3, R, R]``, about -1..1, not clipped; with ``features`` also a dict from
            layer number to feature tensor ``[N, C, H, W]``.

        Raises:
            WrongGeneratorError: the latent is another generator's.
            BadInputError: an offset or noise map names no parameter or layer, or has another
                shape.
        """

    def preview(self, latent: Latent, side: int) -> torch.Tensor:
        """Draw quickly while a person moves a slider.

        The network may work at a smaller size or in fewer bits, so that colors can be off; the
        same latent gives the same picture. A generator that knows no shorter way gives the whole
        picture, as this does. Gradients flow as in ``render``: searches look at such pictures.

        Args:
            latent: N codes of this generator.
            side: about how many pixels will be shown.

        Returns:
            float32 ``[N, 3, S, S]``, S at most the resolution R.
        """
        return self.render(latent)

    @abstractmethod
    def mean_latent(self) -> Latent:
        """The mean code in the editing space: where optimization starts.

        Returns:
            One code (N = 1): ``[1, num_ws, w_dim]`` in w+ or w++, ``[1, z_dim]`` in z.
        """

    def parameter(self, name: str) -> torch.Tensor:
        """The weights of that name (not a copy: do not change them).

        Args:
            name: one of those that ``weights`` lists.

        Returns:
            The tensor, of any shape, on the generator's device.

        Raises:
            BadInputError: the generator has none of that name, or shows none.
        """
        raise BadInputError(f"The generator {self.name} shows no parameter {name!r}.")

    def weights(self) -> Mapping[str, torch.Tensor]:
        """All its weights (not copies: do not change them).

        Returns:
            The tensors by the names that ``parameter`` knows; empty where the generator shows none.
        """
        return {}

    def rendering_bytes(self) -> int | None:
        """About what one picture takes in memory at its peak, weights included.

        In float32 on a processor: the weights, a copy of them laid out for convolutions, and 4.5
        times the largest layer's features (measured on StyleGAN2 of 256 to 1024 px: within 10 %).

        Returns:
            A number of bytes; None if unknown.
        """
        weights = sum(tensor.numel() * tensor.element_size() for tensor in self.weights().values())
        if not weights or not self.layers:
            return None
        largest = max(layer.channels * layer.resolution**2 for layer in self.layers)
        return round(2 * weights + 4.5 * 4 * largest)

    def mix(
        self, a: Latent, b: Latent, layers: range, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Style mixing: draw ``a`` with the styles of ``b`` in some layers.

        Args:
            a: N codes.
            b: N codes.
            layers: whose styles are ``b``'s.
            mask: ``[N or 1, 1, H, W]`` in 0..1; inside it the features made with ``b``'s styles
                are blended into ``a``'s at each of those layers. None for everywhere.

        Returns:
            float32 ``[N, 3, R, R]``.

        Raises:
            BadInputError: the generator has no layers.
        """
        raise BadInputError(f"The generator {self.name} has no layers to mix.")


def random_latents(generator: Generator, n: int, seed: int, psi: float = 1.0) -> Latent:
    """Latents of random pictures.

    Args:
        generator: whose they are.
        n: how many.
        seed: the same gives the same latents on every device.
        psi: truncation (1 none, 0 the mean).

    Returns:
        ``n`` codes in the generator's editing space.
    """
    import torch

    z = torch.randn(n, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    return generator.map(z.to(generator.device), psi=psi)
