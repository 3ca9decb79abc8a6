"""edited latent -> its details carried along: what hangs on the head turns with the head.

A detail is what a picture's features have beyond those of its code, at one layer. When the code
is edited, the features change by a difference, and the detail added to them gives what the edit
of the whole features would be (Yao et al. 2022, arXiv 2202.02183). Where the edit moves things,
the detail is moved with them: each place of the edited features is looked for nearby in the
unedited ones. What is here is taken before what is far, since an edit of a color moves nothing.
Where nothing like it is found, what was there is gone, and so is its detail.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from latentfu.core.generator import Generator
from latentfu.core.latent import FeatureOffset, Latent

if TYPE_CHECKING:
    from torch import Tensor

REACH = 8
"""Things are looked for up to this part of the picture's side away (1 / REACH)."""
SHARPNESS = 24.0
RELUCTANCE = 0.5
"""How much more alike (a cosine) something must be at the reach's end than here, to be followed."""
SURE, LOST = 0.9, 0.5
"""Likeness (a cosine) above which a detail stays whole, and below which it goes."""


def warp_features(before: Latent, after: Latent, generator: Generator) -> Latent:
    """A latent's details moved along with the features under them.

    The same codes and bends leave the details exactly as they are.

    Args:
        before: the latent that the details fit.
        after: the same latent with other codes or bends.
        generator: renders the features of both.

    Returns:
        ``after`` with the details where their features have gone.
    """
    if not before.details or after is before:
        return after
    import torch

    layers = sorted({detail.layer for detail in before.details})
    with torch.no_grad():
        old = _unedited.get_or_make(before, generator, layers)
        new = generator.render(replace(after, details=()), "const", features=layers)[1]
        moved = tuple(
            FeatureOffset(d.layer, warp_to(d.delta, old[d.layer], new[d.layer].float()))
            for d in before.details
        )
    return replace(after, details=moved)


@dataclass(frozen=True)
class Places:
    """What is known of unedited features before there is an edit.

    Attributes:
        features: ``[N, C, H, W]``, normalized.
        bias: Where each place is found in the features themselves, ``[N, 2, H, W]`` in pixels.
    """

    features: Tensor
    bias: Tensor


class _UneditedFeatures:
    """The features of the latent that was edited last: while a slider moves they are the same."""

    def __init__(self) -> None:
        self._latent: Callable[[], Latent | None] = lambda: None
        self._generator: Callable[[], Generator | None] = lambda: None
        self._kept: dict[int, Places] = {}

    def get_or_make(
        self, latent: Latent, generator: Generator, layers: list[int]
    ) -> dict[int, Places]:
        """Those of a latent's codes alone, at ``layers``; kept as long as the latent is."""
        known = self._latent() is latent and self._generator() is generator
        if not (known and set(layers) <= self._kept.keys()):
            codes = replace(latent, details=())
            features = generator.render(codes, "const", features=layers)[1]
            self._kept = {layer: find_places(features[layer].float()) for layer in layers}
            self._latent = weakref.ref(latent, lambda _gone: self._kept.clear())
            self._generator = weakref.ref(generator)
        return dict(self._kept)


_unedited = _UneditedFeatures()


def warp_features_into_mix(
    a: Latent, b: Latent, layers: range, mask: Tensor | None, generator: Generator
) -> tuple[Latent, Latent]:
    """Both latents with their details moved to where a mix of them has the features.

    Inside the mask the features are about those of ``a`` with the ``layers`` of ``b``; outside
    they are ``a``'s own, and so are its details. ``mask``: ``[1, 1, H, W]``, None for everywhere.
    """
    import torch
    import torch.nn.functional as F

    if not (a.details or b.details) or "z" in {a.space, b.space}:
        return a, b
    mixed = mix_codes(a, b, layers, generator)
    moved = warp_features(a, mixed, generator).details
    if mask is not None and a.details:
        pairs = zip(a.details, moved, strict=True)
        sizes = (detail.delta.shape[-2:] for detail in a.details)
        inside = [F.interpolate(mask, size=size, mode="area") for size in sizes]
        moved = tuple(
            FeatureOffset(
                old.layer, torch.lerp(old.delta.to(new.delta), new.delta, part.to(new.delta))
            )
            for (old, new), part in zip(pairs, inside, strict=True)
        )
    return replace(a, details=moved), replace(b, details=warp_features(b, mixed, generator).details)


def mix_codes(a: Latent, b: Latent, layers: range, generator: Generator) -> Latent:
    """``a`` with the codes of ``b`` in ``layers``; neither may be of z."""
    codes = _codes_per_layer(a, generator).clone()
    codes[:, layers.start : layers.stop] = _codes_per_layer(b, generator)[
        :, layers.start : layers.stop
    ]
    return replace(a, codes=codes, space="w++" if a.space == "w++" else "w+")


def _codes_per_layer(latent: Latent, generator: Generator) -> Tensor:
    """Its codes, one for each layer: ``[N, num_ws, w_dim]``."""
    codes = latent.codes
    return codes if codes.ndim == 3 else codes[:, None].expand(-1, generator.num_ws, -1)


def find_places(old: Tensor) -> Places:
    """What has to be known of features [N, C, H, W] to move details from them."""
    features = _normalize_features(old)
    return Places(features, _find_displacement(features, features))


def warp_to(delta: Tensor, old: Places, new: Tensor) -> Tensor:
    """delta [N, C, H, W] moved from the features ``old`` to ``new`` [N, C, H, W]."""
    import torch

    from_new = _normalize_features(new)
    if torch.equal(old.features, from_new):
        return delta
    shift = _find_displacement(from_new, old.features) - old.bias
    here = _sample_shifted(old.features, _smooth(shift))
    likeness = (here * from_new).sum(dim=1, keepdim=True)  # [N, 1, H, W]
    kept = ((_smooth(likeness) - LOST) / (SURE - LOST)).clamp(0.0, 1.0)
    return _sample_shifted(delta.to(new), _smooth(shift)) * kept


def _normalize_features(x: Tensor) -> Tensor:
    """Features [N, C, H, W] without their mean, with length 1 over the channels."""
    import torch.nn.functional as F

    return F.normalize(x - x.mean(dim=(2, 3), keepdim=True), dim=1)


def _find_displacement(wanted: Tensor, given: Tensor) -> Tensor:
    """Where each place of ``wanted`` is in ``given``: [N, 2, H, W], x and y in pixels."""
    import torch

    reach = max(1, given.shape[-1] // REACH)
    likeness = _smooth(_compare_places(wanted, given, reach), 5)
    steps = 2 * reach + 1
    offsets = torch.arange(-reach, reach + 1, device=wanted.device, dtype=wanted.dtype)
    dx = offsets.repeat(steps)[None, :, None, None]
    dy = offsets.repeat_interleave(steps)[None, :, None, None]
    likeness = likeness - RELUCTANCE * (dx.square() + dy.square()) / reach**2
    shares = torch.softmax(SHARPNESS * likeness, dim=1)
    return torch.stack([(shares * dx).sum(dim=1), (shares * dy).sum(dim=1)], dim=1)


def _compare_places(wanted: Tensor, given: Tensor, reach: int) -> Tensor:
    """How alike ``wanted`` and ``given`` are at each shift: [N, S * S, H, W], S = 2 * reach + 1.

    Each row is compared with whole rows, which is one product of matrices, and those within reach
    are read off its diagonals: far quicker than the few products that are needed, one by one.
    """
    import torch
    import torch.nn.functional as F

    count, _, height, width = wanted.shape
    steps, wide = 2 * reach + 1, width + 2 * reach
    rows = wanted.permute(0, 2, 3, 1).contiguous()  # [N, H, W, C]
    padded = F.pad(given, (reach,) * 4, mode="replicate")
    padded = padded.permute(0, 2, 1, 3).contiguous()  # [N, H + 2 reach, C, W + 2 reach]
    alike = wanted.new_empty(count, steps, steps, height, width)
    # One buffer for all: small results that lie among products freed one by one leave holes that
    # the next product does not fit in, and the heap grows by hundreds of megabytes.
    product = wanted.new_empty(count, height, width, wide)
    diagonals = product.as_strided(
        (count, height, width, steps), (height * width * wide, width * wide, wide + 1, 1)
    )
    for y in range(steps):
        torch.matmul(rows, padded[:, y : y + height], out=product)
        alike[:, y] = diagonals.permute(0, 3, 1, 2)  # [N, S, H, W]
    return alike.flatten(1, 2)


def _smooth(x: Tensor, side: int = 3) -> Tensor:
    """A mean over ``side`` x ``side`` places (odd), borders repeated."""
    import torch.nn.functional as F

    return F.avg_pool2d(F.pad(x, (side // 2,) * 4, mode="replicate"), side, stride=1)


def _sample_shifted(x: Tensor, shift: Tensor) -> Tensor:
    """x [N or 1, C, H, W] read at each place plus ``shift`` [N, 2, H, W] in pixels."""
    import torch
    import torch.nn.functional as F

    height, width = x.shape[-2:]
    rows = torch.arange(height, device=x.device, dtype=x.dtype) + 0.5
    columns = torch.arange(width, device=x.device, dtype=x.dtype) + 0.5
    grid_x = (columns[None, None, :] + shift[:, 0]) * 2 / width - 1
    grid_y = (rows[None, :, None] + shift[:, 1]) * 2 / height - 1
    grid = torch.stack([grid_x, grid_y], dim=-1)  # [N, H, W, 2]
    x = x.expand(len(shift), -1, -1, -1)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
