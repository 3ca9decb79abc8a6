"""Training the parser on rendered people, and measuring it region by region."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from latentfu import BadInputError, face_quad, read_tensors_and_metadata, write_whole
from safetensors.torch import save
from torch import Tensor

from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.regions.augment import cut_plain, draw_example
from latentfu_builtin.regions.network import PARSER_SIZE, RegionNetwork, save_parser

Pixels = npt.NDArray[Any]
_ARRAYS = ("images", "regions", "landmarks")
_KEEP_EVERY = 60.0
"""Seconds between two writings of the state."""
_WEIGHTS = (0.6, 0.7, 3.0, 2.5, 1.0, 2.5, 8.0, 0.8, 1.5, 1.0, 0.8, 5.0, 1.0, 4.0)
"""What a pixel of each region counts: small ones more, or nothing is learned of them at first."""
_DECAY = 0.995
"""Of the running mean of the weights, which is what is shipped."""


class RenderedPeople:
    """A folder that ``latentfu train pairs --renderer people --regions`` fills or has filled.

    Raises:
        BadInputError: there are no pairs in it, or none with regions.
    """

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.json"
        missing = [name for name in _ARRAYS if not (folder / f"{name}.npy").is_file()]
        if missing or not self._index.is_file():
            raise BadInputError(
                f"There are no renders with regions in {folder}: make them with"
                " `latentfu train pairs --renderer people --regions`."
            )
        self._images, self._regions, self._landmarks = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS
        )
        self.count = 0
        """How many pictures there are; `refresh` looks again."""
        self.refresh()

    def refresh(self) -> None:
        """Take in what was rendered since, so that training can begin before the last render."""
        self.count = int(json.loads(self._index.read_text(encoding="utf-8"))["count"])

    def get(self, row: int) -> tuple[Pixels, Pixels, Pixels]:
        """Pixels ``[R, R, 3]``, regions ``[R, R]`` and the face's square ``[4, 2]``."""
        pixels, regions = np.array(self._images[row]), np.array(self._regions[row])
        return pixels, regions, _square(self._landmarks[row] * pixels.shape[0])


def _square(landmarks: Pixels) -> Pixels:
    """The square of the FFHQ data set from eyes, nose and mouth corners: corners ``[4, 2]``."""
    (ax, ay), (bx, by) = landmarks[0], landmarks[1]
    mx, my = landmarks[3:5].mean(0)
    quad = face_quad(((float(ax), float(ay)), (float(bx), float(by))), (float(mx), float(my)))
    return np.array(quad.corners)


@dataclass(frozen=True)
class ParserOptions:
    """How the parser is trained; ``images``: pictures in all, ``holdout``: kept for measuring."""

    images: int = 40_000
    batch: int = 8
    lr: float = 3e-3
    seed: int = 0
    holdout: int = 200


def train_parser(
    people: RenderedPeople, options: ParserOptions, state: Path, say: Callable[[str], None]
) -> RegionNetwork:
    """The running mean of a parser trained on ``people``; goes on from ``state`` if it is there.

    Raises:
        BadInputError: too few renders.
    """
    if people.count <= options.holdout:
        raise BadInputError(
            f"There are {people.count} renders: more than {options.holdout} needed."
        )
    torch.manual_seed(options.seed)
    network = RegionNetwork().train()
    mean = RegionNetwork().eval().requires_grad_(False)
    mean.load_state_dict(network.state_dict())
    adam = torch.optim.AdamW(network.parameters(), lr=options.lr, weight_decay=0.02)
    seen = _restore(state, network, mean, adam)
    kept, told, losses = time.monotonic(), time.monotonic(), []
    while seen < options.images:
        people.refresh()
        rate = options.lr * _plan(seen / options.images)
        for group in adam.param_groups:
            group["lr"] = rate
        random = np.random.default_rng([options.seed, seen])
        pictures, regions = _draw_batch(people, options, random)
        loss = _parser_loss(network(pictures), regions)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        adam.step()
        _follow(mean, network, seen // options.batch)
        seen += options.batch
        losses.append(float(loss.detach()))
        if time.monotonic() - told > 30:
            told = time.monotonic()
            say(f"{seen} of {options.images} pictures, loss {np.mean(losses[-50:]):.4f}")
        if time.monotonic() - kept > _KEEP_EVERY:
            kept = time.monotonic()
            _keep(state, network, mean, adam, seen)
    _keep(state, network, mean, adam, seen)
    return mean


def _plan(part: float) -> float:
    """The learning rate's factor: up over the first twentieth, then down a cosine."""
    return min(part / 0.05, 1.0) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0))) + 1e-3


def _draw_batch(
    people: RenderedPeople, options: ParserOptions, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    rows = random.integers(options.holdout, people.count, options.batch)
    drawn = [draw_example(*people.get(int(row)), PARSER_SIZE, random) for row in rows]
    return _to_batch(drawn)


def _to_batch(drawn: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> tuple[Tensor, Tensor]:
    """Pairs of picture and regions -> float ``[N, 3, S, S]`` in -1..1 and int64 ``[N, S, S]``."""
    pixels = torch.from_numpy(np.stack([picture for picture, _ in drawn]))
    regions = torch.from_numpy(np.stack([labels for _, labels in drawn]).astype(np.int64))
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0, regions


def _parser_loss(logits: Tensor, regions: Tensor) -> Tensor:
    """Cross entropy plus soft Dice loss, so that eyes and teeth count beside the background.

    ``logits [N, 14, S, S]``, ``regions [N, S, S]`` -> a number.
    """
    cross = F.cross_entropy(logits, regions, torch.tensor(_WEIGHTS))
    wanted = F.one_hot(regions, len(REGIONS)).permute(0, 3, 1, 2).float()  # [N, 14, S, S]
    found = logits.softmax(dim=1)
    both = (found * wanted).sum(dim=(0, 2, 3))  # [14]
    sizes = found.sum(dim=(0, 2, 3)) + wanted.sum(dim=(0, 2, 3))
    return cross + 0.5 * (1 - (2 * both + 20) / (sizes + 20)).mean()


@torch.no_grad()
def _follow(mean: RegionNetwork, network: RegionNetwork, step: int) -> None:
    """Move the running mean one step on."""
    decay = min(_DECAY, (1 + step) / (10 + step))
    for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def _keep(
    path: Path, network: RegionNetwork, mean: RegionNetwork, adam: torch.optim.Optimizer, seen: int
) -> None:
    """Write what a later run goes on from, as safetensors."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"mean.{name}": value for name, value in mean.state_dict().items()}
    for number, moments in adam.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": value for name, value in moments.items()}
    whole = {name: value.detach().clone().contiguous() for name, value in tensors.items()}
    write_whole(path, save(whole, {"seen": str(seen)}))


def _restore(
    path: Path, network: RegionNetwork, mean: RegionNetwork, adam: torch.optim.Optimizer
) -> int:
    """How many pictures were seen, with everything as it was then; 0 without a file."""
    if not path.is_file():
        return 0
    tensors, metadata = read_tensors_and_metadata(path)

    def part(name: str) -> dict[str, Tensor]:
        return {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}

    network.load_state_dict(part("network."))
    mean.load_state_dict(part("mean."))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in part("adam.").items():
        number, _, what = name.partition(".")
        moments.setdefault(int(number), {})[what] = value
    adam.load_state_dict({**adam.state_dict(), "state": moments})
    return int(metadata["seen"])


@torch.no_grad()
def measure_parser(
    network: RegionNetwork, people: RenderedPeople, count: int, *, changed: bool = False
) -> dict[str, float]:
    """Intersection over union of each region on the first ``count`` renders, and their mean.

    ``changed``: with the changes of training, seeded, instead of the plain renders.
    """
    shared = np.zeros(len(REGIONS))
    either = np.zeros(len(REGIONS))
    for pictures, regions in _held_out(people, count, changed):
        found = network(pictures).argmax(dim=1)
        for place in range(len(REGIONS)):
            a, b = found == place, regions == place
            shared[place] += int((a & b).sum())
            either[place] += int((a | b).sum())
    scores = {
        name: round(float(shared[place] / either[place]), 4)
        for place, name in enumerate(REGIONS)
        if either[place]
    }
    return {**scores, "mean": round(float(np.mean(list(scores.values()))), 4)}


def _held_out(people: RenderedPeople, count: int, changed: bool) -> Iterator[tuple[Tensor, Tensor]]:
    for first in range(0, min(count, people.count), 16):
        rows = range(first, min(first + 16, count, people.count))
        yield _to_batch(
            [
                draw_example(*people.get(row), PARSER_SIZE, np.random.default_rng(row))
                if changed
                else cut_plain(*people.get(row), PARSER_SIZE)
                for row in rows
            ]
        )


def write_parser(
    path: Path,
    network: RegionNetwork,
    options: ParserOptions,
    figures: dict[str, Any],
    renders: int,
) -> None:
    """The weights file, and beside it a JSON file with the options and the figures."""
    save_parser(path, network, {"licence": "MIT"})
    about = {"options": asdict(options), "renders": renders, "figures": figures}
    write_whole(path.with_suffix(".json"), json.dumps(about, indent=2).encode() + b"\n")
