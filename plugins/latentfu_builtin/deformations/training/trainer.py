"""One step after the other: deform, let a small network guess, and learn from the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from latentfu import Latent
from torch import Tensor, nn

from latentfu_builtin.deformations.convolution import Basis, ShiftedConvolution
from latentfu_builtin.deformations.training.options import DeformationTrainingOptions


def _make_resnet() -> tuple[nn.Module, int]:
    """torchvision's ResNet-18 on six channels, and how many features it gives."""
    from torchvision.models import resnet18

    network = resnet18(weights=None)
    network.conv1 = nn.Conv2d(6, 64, 7, 2, padding=3, bias=False)
    network.fc = nn.Identity()
    return network, 512


def _make_small() -> tuple[nn.Module, int]:
    """Four strided convolutions on six channels, and how many features they give."""
    widths = (6, 32, 64, 96, 128)
    blocks: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        blocks += [
            nn.Conv2d(inputs, outputs, 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(2), nn.Flatten()), 128 * 4


def _shrink(side: int, pictures: Tensor) -> Tensor:
    """Pictures ``[N, C, R, R]``, made smaller where they are larger than ``side``."""
    if pictures.shape[-1] <= side:
        return pictures
    return F.interpolate(pictures, size=(side, side), mode="area")


class ShiftPredictor(nn.Module):
    """``kind``: "resnet" or "small"; ``count`` deformations; pictures are seen at ``side`` px."""

    def __init__(self, kind: str, count: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.body, width = _make_resnet() if kind == "resnet" else _make_small()
        self.which = nn.Linear(width, count)
        self.how_much = nn.Linear(width, 1)

    def forward(self, plain: Tensor, deformed: Tensor) -> tuple[Tensor, Tensor]:
        """Two ``[N, 3, R, R]`` -> logits ``[N, count]`` and shifts ``[N]``."""
        pair = _shrink(self.side, torch.cat([plain, deformed], dim=1))  # [N, 6, S, S]
        features = self.body(pair)  # [N, width]
        return self.which(features), self.how_much(features)[:, 0]


@dataclass(frozen=True)
class _ShownBatch:
    """Samples plain and deformed ``[N, 3, R, R]``, by which direction and shift ``[N]``."""

    plain: Tensor
    deformed: Tensor
    which: Tensor
    shift: Tensor


class _RehearsalMemory:
    """The last ``most`` samples, as small as the predictor sees them (``side``)."""

    def __init__(self, most: int, side: int) -> None:
        self.most, self.side = most, side
        self.kept: list[_ShownBatch] = []

    def add(self, shown: _ShownBatch) -> None:
        """Add a batch; the oldest ones go when there are too many."""
        small = replace(
            shown,
            plain=_shrink(self.side, shown.plain),
            deformed=_shrink(self.side, shown.deformed.detach()),
        )
        self.kept = [*self.kept, small][-max(self.most // len(shown.which), 1) :]

    def draw(self, count: int, random: torch.Generator) -> _ShownBatch:
        """``count`` samples of those kept, drawn at random."""
        sizes = [len(batch.which) for batch in self.kept]
        chosen = torch.randint(0, sum(sizes), (count,), generator=random)
        batch, place = chosen // sizes[0], chosen % sizes[0]
        pairs = list(zip(batch.tolist(), place.tolist(), strict=True))
        columns = (
            torch.stack([getattr(self.kept[b], name)[i] for b, i in pairs])
            for name in ("plain", "deformed", "which", "shift")
        )
        return _ShownBatch(*columns)


@dataclass(frozen=True)
class StepFigures:
    """What a step said: the whole loss, its two parts, and how often the direction was told."""

    loss: float
    which: float
    how_much: float
    right: float


class DeformationTrainer:
    """The state of a training.

    ``rows [count, len(basis)]``: what is learned; direction k is the row's combination of the
    basis, with norm 1 over the whole kernel.
    """

    def __init__(
        self, convolution: ShiftedConvolution, basis: Basis, options: DeformationTrainingOptions
    ) -> None:
        self.convolution, self.basis, self.options = convolution, basis, options
        self.random = torch.Generator().manual_seed(options.seed)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(options.seed)
            predictor = ShiftPredictor(options.predictor, options.count, options.side)
            rows = torch.randn(options.count, len(basis))
        device = convolution.generator.device
        self.predictor = predictor.to(device).train()
        self.rows = nn.Parameter(rows.to(device))
        self.adam = torch.optim.Adam([self.rows], lr=options.rate)
        self.predictor_adam = torch.optim.Adam(
            self.predictor.parameters(), lr=options.predictor_rate
        )
        self.memory = _RehearsalMemory(options.memory, options.side)
        self.step = 0

    def unit_directions(self, chosen: Tensor | None = None) -> Tensor:
        """The unit directions ``[n, out, in, k, k]``, all or those chosen; with gradients."""
        rows = self.rows if chosen is None else self.rows[chosen]
        return self.basis.combine(F.normalize(rows, dim=1))

    def draw_batch(self) -> tuple[Latent, Tensor, Tensor]:
        """Samples, which direction deforms each ``[batch]``, and by which shift ``[batch]``."""
        o, generator = self.options, self.convolution.generator
        z = torch.randn(o.batch, generator.z_dim, generator=self.random)
        groups = o.batch // o.together
        which = torch.randint(0, o.count, (groups,), generator=self.random)
        shift = o.shift_scale * (2 * torch.rand(groups, generator=self.random) - 1)
        far = shift.abs().clamp_min(o.min_shift) * torch.where(shift < 0, -1.0, 1.0)
        which, far = (values.repeat_interleave(o.together) for values in (which, far))
        with torch.no_grad():
            latent = generator.map(z.to(generator.device), psi=o.psi)
        return latent, which.to(generator.device), far.to(generator.device)

    def render_pairs(self, latent: Latent, which: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Each sample plain and with its deformation, both ``[batch, 3, R, R]``."""
        with torch.no_grad():
            plain = self.convolution.generator.render(latent)
        used, place = torch.unique(which, return_inverse=True)
        directions, together = self.unit_directions(used), self.options.together
        parts = [latent.with_codes(codes) for codes in torch.split(latent.codes, together)]
        deformed = [
            self.convolution.render(part, directions[int(k)], float(s))
            for part, k, s in zip(parts, place[::together], shift[::together], strict=True)
        ]
        return plain, torch.cat(deformed)

    def learn(self) -> StepFigures:
        """One step of both, by cross entropy of the direction and mean error of the shift."""
        latent, which, shift = self.draw_batch()
        shown = _ShownBatch(*self.render_pairs(latent, which, shift), which, shift)
        figures = self._learn_from(shown, (self.adam, self.predictor_adam))
        self.step += 1
        if self.options.rehearsals:
            self.memory.add(shown)
            for _ in range(self.options.rehearsals):
                again = self.memory.draw(self.options.batch, self.random)
                self._learn_from(again, (self.predictor_adam,))
        return figures

    def _learn_from(
        self, shown: _ShownBatch, learners: Sequence[torch.optim.Optimizer]
    ) -> StepFigures:
        """A step of each of ``learners`` from these pictures."""
        logits, guessed = self.predictor(shown.plain, shown.deformed)
        label = self.options.label_weight * F.cross_entropy(logits, shown.which)
        much = self.options.shift_weight * (guessed - shown.shift).abs().mean()
        loss = label + much
        for adam in learners:
            adam.zero_grad(set_to_none=True)
        loss.backward()
        for adam in learners:
            adam.step()
        right = (logits.argmax(dim=1) == shown.which).float().mean()
        return StepFigures(*(float(part.detach()) for part in (loss, label, much, right)))

    @torch.no_grad()
    def measure_accuracy(self, batches: int = 4) -> float:
        """How often the predictor names the direction of samples it has not seen, 0..1."""
        self.predictor.eval()
        right = 0.0
        for _ in range(batches):
            latent, which, shift = self.draw_batch()
            logits, _ = self.predictor(*self.render_pairs(latent, which, shift))
            right += float((logits.argmax(dim=1) == which).float().mean())
        self.predictor.train()
        return right / batches
