"""What edits of a found latent do, as the domain's scorer sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import latentfu
import torch
from latentfu import Control, Generator, Latent, random_latents, warp_features
from torch import Tensor

_SAMPLES = 128
_BATCH = 16

_spreads: WeakKeyDictionary[Generator, Tensor] = WeakKeyDictionary()


@dataclass(frozen=True)
class EditEffect:
    """Means over pictures and controls, in standard deviations of each attribute.

    ``strength``: what 1 moves of its own attribute; ``off``: how far each is from what was
    asked, without its sign; ``leak``: what it moves of every other attribute; ``error``: the
    standard error over the pictures of leak over strength (0 for one picture).
    """

    strength: float
    off: float
    leak: float
    error: float


@dataclass(frozen=True)
class EditMetrics:
    """A scorer, and the controls of ``generator`` that move what it reads.

    ``columns``: for each control its attribute; ``spread [A]``: over the generator's own pictures.
    """

    generator: Generator
    score: Callable[[Tensor], Tensor]
    controls: tuple[Control, ...]
    columns: tuple[int, ...]
    spread: Tensor

    @staticmethod
    def of(generator: Generator, most: int) -> EditMetrics | None:
        """``most`` controls, evenly from all; None without a scorer or controls that it reads."""
        found = (item for item in latentfu.scorers().values() if item.domain == generator.domain)
        scorer = next(found, None)
        if scorer is None or most < 1:
            return None
        attributes = scorer.attributes
        known = [c for c in latentfu.controls(generator).values() if c.widget == "slider"]
        named = [control for control in known if control.name in attributes]
        chosen = tuple(named[:: -(-len(named) // most)]) if named else ()
        if not chosen:
            return None
        score = scorer.load(str(generator.device))
        columns = tuple(attributes.index(control.name) for control in chosen)
        return EditMetrics(
            generator, score, chosen, columns, measure_score_spread(generator, score)
        )

    @torch.no_grad()
    def followed(self, latents: Sequence[Latent], strength: float = 1.0) -> EditEffect:
        """What ``strength`` of each control does to each latent, for a strength of 1."""
        movers = [control.load_for(self.generator) for control in self.controls]
        moves = []
        for latent in latents:
            before = self._scores(latent)
            for mover in movers:
                moved = mover.apply(latent, strength, self.generator)
                after = warp_features(latent, moved, self.generator)
                moves.append((self._scores(after) - before) / self.spread / strength)
        changes = torch.stack(moves)  # [latents * controls, A]
        columns = torch.tensor(self.columns).repeat(len(latents))
        own = changes.gather(1, columns[:, None].to(changes.device))[:, 0]
        others = (changes.abs().sum(dim=1) - own.abs()) / max(changes.shape[1] - 1, 1)
        off = float((own - 1).abs().mean())
        return EditEffect(
            float(own.mean()), off, float(others.mean()), _leak_error(own, others, latents)
        )

    def _scores(self, latent: Latent) -> Tensor:
        return self.score(self.generator.render(latent).float().clamp(-1, 1))[0]


def _leak_error(own: Tensor, others: Tensor, latents: Sequence[Latent]) -> float:
    """The standard error over ``latents`` of leak over strength; both ``[latents * controls]``."""
    count = len(latents)
    if count < 2:
        return 0.0
    each = others.view(count, -1).mean(dim=1) / own.view(count, -1).mean(dim=1)
    return float(each.std() / count**0.5)


@torch.no_grad()
def measure_score_spread(generator: Generator, score: Callable[[Tensor], Tensor]) -> Tensor:
    """The standard deviation [A] of every score over the generator's own pictures."""
    if generator not in _spreads:
        latents = random_latents(generator, _SAMPLES, seed=5)
        parts = [latents.with_codes(codes) for codes in torch.split(latents.codes, _BATCH)]
        seen = [score(generator.render(part).float().clamp(-1, 1)) for part in parts]
        _spreads[generator] = torch.cat(seen).std(dim=0).clamp_min(1e-6)
    return _spreads[generator]
