"""One step after the other: deform, let the predictor guess, and learn from the error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from latentfu import Latent
from torch import Tensor, nn

from latentfu_builtin.deformations.basis import Basis
from latentfu_builtin.deformations.layer import Convolution
from latentfu_builtin.deformations.training.memory import Memory, Shown
from latentfu_builtin.deformations.training.options import TrainingOptions
from latentfu_builtin.deformations.training.predictor import ShiftPredictor


@dataclass(frozen=True)
class Figures:
    """What a step said: the whole loss, its two parts, and how often the direction was told."""

    loss: float
    which: float
    how_much: float
    right: float


class Trainer:
    """The state of a training.

    ``rows [count, len(basis)]``: what is learned; direction k is the row's combination of the
    basis, with norm 1 over the whole kernel.
    """

    def __init__(self, convolution: Convolution, basis: Basis, options: TrainingOptions) -> None:
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
        self.memory = Memory(options.memory, options.side)
        self.step = 0

    def directions(self, chosen: Tensor | None = None) -> Tensor:
        """The unit directions ``[n, out, in, k, k]``, all or those chosen; with gradients."""
        rows = self.rows if chosen is None else self.rows[chosen]
        return self.basis.combined(F.normalize(rows, dim=1))

    def drawn(self) -> tuple[Latent, Tensor, Tensor]:
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

    def pictures(self, latent: Latent, which: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """Each sample plain and with its deformation, both ``[batch, 3, R, R]``."""
        with torch.no_grad():
            plain = self.convolution.generator.render(latent)
        used, place = torch.unique(which, return_inverse=True)
        directions, together = self.directions(used), self.options.together
        parts = [latent.with_codes(codes) for codes in torch.split(latent.codes, together)]
        deformed = [
            self.convolution.render(part, directions[int(k)], float(s))
            for part, k, s in zip(parts, place[::together], shift[::together], strict=True)
        ]
        return plain, torch.cat(deformed)

    def learn(self) -> Figures:
        """One step of both, by cross entropy of the direction and mean error of the shift."""
        latent, which, shift = self.drawn()
        shown = Shown(*self.pictures(latent, which, shift), which, shift)
        figures = self.learn_from(shown, (self.adam, self.predictor_adam))
        self.step += 1
        if self.options.rehearsals:
            self.memory.keep(shown)
            for _ in range(self.options.rehearsals):
                again = self.memory.some(self.options.batch, self.random)
                self.learn_from(again, (self.predictor_adam,))
        return figures

    def learn_from(self, shown: Shown, learners: Sequence[torch.optim.Optimizer]) -> Figures:
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
        return Figures(*(float(part.detach()) for part in (loss, label, much, right)))

    @torch.no_grad()
    def accuracy(self, batches: int = 4) -> float:
        """How often the predictor names the direction of samples it has not seen, 0..1."""
        self.predictor.eval()
        right = 0.0
        for _ in range(batches):
            latent, which, shift = self.drawn()
            logits, _ = self.predictor(*self.pictures(latent, which, shift))
            right += float((logits.argmax(dim=1) == which).float().mean())
        self.predictor.train()
        return right / batches
