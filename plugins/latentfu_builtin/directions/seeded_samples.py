"""Random latents of a seed: their codes, pictures and scores, and the numbers in their files.

A numbered sample is drawn from its seed and number alone, and says so in its picture: so a person
can sort pictures into folders, and their codes are found again without an inversion; and drawing
can stop and go on anywhere.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import torch
from latentfu import (
    PICTURE_FORMATS,
    BadInputError,
    BatchTask,
    Engine,
    Generator,
    GeneratorRecipe,
    Latent,
    LocalEngine,
    Progress,
    Scorer,
    Space,
    WorkerPlace,
    choose_render_batch,
    describe_generator,
    map_batches,
    measure_worker,
    mixed_precision,
    write_whole,
)
from torch import Tensor

if TYPE_CHECKING:
    from PIL import Image


_KEY = "latentfu-sample"
_BLOCK = 256
_DRAWN_AT_ONCE = 16
_SCORED_AT_ONCE = 32
_SCORED_BY_PROCESSOR = 16
"""Fewer, so that a cancel is heard within some seconds; the scores are the same."""
_MOST_SAMPLES = 1_000_000
_HEAD_OF_PNG = 1024
"""Bytes in which a sample's PNG says what it shows: its words stand before its pixels."""
_END_OF_PNG = b"\0\0\0\0IEND\xaeB\x60\x82"


@dataclass(frozen=True)
class SampleNumber:
    """Which sample of which generator a picture shows."""

    generator_id: str
    seed: int
    number: int


def draw_z(generator: Generator, seed: int, numbers: Sequence[int]) -> Tensor:
    """The z of samples by their numbers, ``[N, z_dim]``; the same whichever are asked for."""
    blocks: dict[int, Tensor] = {}
    rows = []
    for number in numbers:
        block, row = divmod(number, _BLOCK)
        if block not in blocks:
            draw = torch.Generator().manual_seed(seed * 1_000_003 + block)
            blocks[block] = torch.randn(_BLOCK, generator.z_dim, generator=draw)
        rows.append(blocks[block][row])
    return torch.stack(rows)


def draw_latents(generator: Generator, seed: int, numbers: Sequence[int]) -> Latent:
    """Their latents, in the generator's editing space."""
    return generator.map(draw_z(generator, seed, numbers).to(generator.device))


def write_samples(
    generator: Generator,
    count: int,
    seed: int,
    out: Path,
    progress: Progress,
    *,
    engine: Engine | None = None,
    given: str | None = None,
) -> list[Path]:
    """``count`` pictures of the generator in ``out``, each with its number inside.

    Those that are there stay, so a run that was broken off goes on. ``given``: the name or file
    by which the generator was opened; ``engine``: who draws (default: this process).
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{generator.name}-{seed}-{number:06}.png" for number in range(count)]
    chosen = engine or LocalEngine(1)
    batch = choose_render_batch(generator.resolution, _DRAWN_AT_ONCE)
    # Each batch is a full one, so that pictures do not depend on how many are wanted.
    numbers = [
        number
        for start in range(0, count, batch)
        if not all(_is_sample(path, generator) for path in paths[start : start + batch])
        for number in range(start, start + batch)
    ]
    there = count - min(count, len(numbers))
    recipe = describe_generator(generator, given)
    task = BatchTask(partial(_open_painter, recipe, seed), _paint, recipe.files, (generator, seed))
    device = chosen.choose_device(str(generator.device))
    resources = measure_worker(generator, batch, device)

    def tell(fraction: float, message: str = "") -> None:
        done = there + round((count - there) * fraction)
        progress(done / count, f"Sample {done} of {count}")

    found = map_batches(task, numbers, resources, engine=chosen, progress=tell)
    for place, files in found:
        for number, content in zip(numbers[place : place + batch], files, strict=True):
            if number < count:
                write_whole(paths[number], content)
    return paths


_Painter = tuple[Generator, int]
"""A generator, and the seed of the samples that it draws."""


def _open_painter(recipe: GeneratorRecipe, seed: int, place: WorkerPlace) -> _Painter:
    """What a worker draws with."""
    return recipe.open(place), seed


@torch.no_grad()
def _paint(painter: _Painter, numbers: Sequence[int]) -> list[bytes]:
    """The samples with these numbers, each as a PNG."""
    generator, seed = painter
    images = generator.render(draw_latents(generator, seed, numbers))
    return [
        encode_numbered_picture(image, SampleNumber(generator.id, seed, number))
        for number, image in zip(numbers, images, strict=True)
    ]


def encode_numbered_picture(image: Tensor, number: SampleNumber) -> bytes:
    """``image [3, R, R]`` in -1..1 as a PNG that knows what it shows."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    levels = ((image.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0)
    words = PngInfo()
    words.add_text(_KEY, json.dumps(number.__dict__))
    content = io.BytesIO()
    Image.fromarray(levels.cpu().numpy()).save(content, "PNG", pnginfo=words)
    return content.getvalue()


def save_numbered_picture(path: Path, image: Tensor, number: SampleNumber) -> None:
    """The same in a file."""
    write_whole(path, encode_numbered_picture(image, number))


def _is_sample(path: Path, generator: Generator) -> bool:
    """Whether a file is a whole sample of the generator, without reading its pixels."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_OF_PNG)
            file.seek(-len(_END_OF_PNG), os.SEEK_END)
            return generator.id.encode() in head and file.read() == _END_OF_PNG
    except OSError:
        return False


def read_number(path: Path, generator: Generator) -> SampleNumber | None:
    """The number inside a picture, None when it has none.

    BadInputError when it is a sample of another generator.
    """
    words = _read_texts(path).get(_KEY)
    if words is None:
        return None
    try:
        known = json.loads(words)
        number = SampleNumber(str(known["generator_id"]), int(known["seed"]), int(known["number"]))
    except (ValueError, KeyError, TypeError):
        return None
    if number.generator_id != generator.id:
        raise BadInputError(
            f"{path} is a sample of another generator than {generator.name}: sort pictures of "
            f"one generator only."
        )
    return number if 0 <= number.number < 10**9 and 0 <= number.seed < 2**40 else None


def _read_texts(path: Path) -> dict[str, str]:
    """The texts inside a PNG, none of other pictures; BadInputError for what is no picture."""
    image = open_picture(path)
    found = getattr(image, "text", {})
    return {str(key): str(value) for key, value in found.items()}


def open_picture(path: Path) -> Image.Image:
    """A picture that has been read; BadInputError when it cannot be."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=PICTURE_FORMATS) as image:
            image.load()
            return image.copy() if not hasattr(image, "text") else _copy_with_texts(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadInputError(f"{path} is not a picture that can be read.") from error
    except Image.DecompressionBombError as error:
        raise BadInputError(f"{path} is far too large: scale it first.") from error


def _copy_with_texts(image: Image.Image) -> Image.Image:
    """A copy that keeps the PNG's texts."""
    copy = image.copy()
    copy.text = dict(image.text)  # type: ignore[attr-defined]
    return copy


@dataclass(frozen=True)
class ScoredSamples:
    """Codes of random latents, as `compact_codes` gives them, and their ``scores [N, A]``.

    All are float32 on the CPU.

    ``spread [A]``: the standard deviation of each score. ``labels [N, A]``: what is learned
    from; the scores, or the true values where the generator's z is known to mean something.
    """

    generator: Generator
    codes: Tensor
    scores: Tensor
    attributes: tuple[str, ...]
    labels: Tensor
    known: bool = False

    def measure_agreement(self, attribute: str) -> float:
        """Correlation of the scores with the labels: whether the attribute can be seen."""
        column = self.column(attribute)
        both = torch.stack([self.scores[:, column], self.labels[:, column]])
        return float(torch.nan_to_num(torch.corrcoef(both)[0, 1]))

    @property
    def spread(self) -> Tensor:
        return self.scores.std(dim=0).clamp(min=1e-6)

    def column(self, attribute: str) -> int:
        """The column of ``attribute``; raises BadInputError when the scorer has none."""
        if attribute not in self.attributes:
            known = ", ".join(self.attributes)
            raise BadInputError(f"The scorer does not know {attribute!r}; it knows: {known}.")
        return self.attributes.index(attribute)


ScoreFunction = Callable[[Tensor], Tensor]


ZMeaning = Callable[[Tensor], Tensor]
"""z ``[N, z_dim]`` -> ``[N, A]``: what a generator was taught to show for it."""


def draw_scored_samples(
    generator: Generator,
    scorer: Scorer,
    count: int,
    *,
    seed: int,
    progress: Progress,
    meaning: ZMeaning | None = None,
) -> ScoredSamples:
    """``count`` random latents of ``seed`` with their scores; raises BadInputError."""
    _check_count(count)
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(seed))
    codes = compact_codes(generator.map(z.to(generator.device)))
    score = scorer.load(str(generator.device))
    scores = score_codes(generator, score, codes, progress)
    labels = scores if meaning is None else meaning(z)
    return ScoredSamples(
        generator, codes.cpu(), scores, scorer.attributes, labels, known=meaning is not None
    )


def _check_count(count: int) -> None:
    """Refuse numbers of samples that nothing can be learned from (raises BadInputError)."""
    if not 100 <= count <= _MOST_SAMPLES:
        raise BadInputError(f"{count} samples: give 100 to {_MOST_SAMPLES}.")


def compact_codes(latent: Latent) -> Tensor:
    """One code a sample: w ``[N, D]`` of a freshly mapped w+ (its layers are equal), or z.

    Codes in w++ have something of their own in each layer and stay whole, ``[N, L, D]``.
    """
    return latent.codes[:, 0] if latent.space == "w+" else latent.codes


def compact_space(generator: Generator) -> Space:
    """The space of what `compact_codes` gives: w, z or w++."""
    if generator.spaces[-1] == "w++":
        return "w++"
    return "w" if "w" in generator.spaces else "z"


class WeightsDescription(TypedDict):
    """What a direction says of the weights that it is for."""

    generator_id: str
    generator: str
    family: str


def describe_weights(generator: Generator) -> WeightsDescription:
    """The same of ``generator``."""
    return {
        "generator_id": generator.id,
        "generator": generator.name,
        "family": describe_family(generator),
    }


def describe_family(generator: Generator) -> str:
    """What sort of network it is, for people: a direction of another sort cannot fit."""
    space, size = generator.spaces[-1], f"{generator.num_ws} x {generator.w_dim}"
    codes = f"{space} of {size if generator.num_ws else generator.z_dim}"
    return f"{generator.domain}, {generator.resolution} px, {codes}"


def as_latent(generator: Generator, codes: Tensor) -> Latent:
    """codes ``[N, D]`` as the space that they came from; ``[N, L, D]`` as w+ (or w++)."""
    if codes.ndim == 3:
        return Latent(codes, "w++" if generator.spaces[-1] == "w++" else "w+", generator.id)
    return Latent(codes, "w" if "w" in generator.spaces else "z", generator.id)


@torch.no_grad()
def score_codes(
    generator: Generator, score: ScoreFunction, codes: Tensor, progress: Progress
) -> Tensor:
    """The scores ``[N, A]`` of the pictures of codes ``[N, D]``, rendered in batches."""
    on_processor = torch.device(generator.device).type == "cpu"
    count = _SCORED_BY_PROCESSOR if on_processor else _SCORED_AT_ONCE
    parts: Sequence[Tensor] = torch.split(codes, count)
    found = []
    for done, part in enumerate(parts):
        progress(done / len(parts), "Rendering and scoring samples")
        with mixed_precision(generator.device):
            image = generator.render(as_latent(generator, part.to(generator.device)))
            found.append(score(image.float().clamp(-1, 1)).float().cpu())
    return torch.cat(found)
