"""`latentfu train ...`: rendering pairs, training a generator, exporting it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from latentfu import EngineChoice, engine_options, json_option, progress_bar

if TYPE_CHECKING:
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
    from latentfu_builtin.stylegan.training.source import BatchSource, HoldoutSource
    from latentfu_builtin.stylegan.training.trainer import Trainer
    from latentfu_builtin.stylegan.training.training_group import TrainingGroup


def _show_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn a ValueError into click's one-line message and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except ValueError as error:
            raise click.ClickException(str(error)) from error

    return wrapped


@click.group("train")
def train_command() -> None:
    """Train networks."""


@train_command.command("pairs")
@click.option("--renderer", default="portraits", show_default=True, help="What draws the pictures.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the cache.")
@click.option(
    "--count",
    default=24_000,
    show_default=True,
    type=click.IntRange(min=64),
    help="How many pairs, those already there included.",
)
@click.option("--resolution", default=64, show_default=True, help="Side of the pictures in pixels.")
@click.option("--z-dim", default=64, show_default=True, help="Numbers of z.")
@click.option("--seed", default=0, show_default=True, help="Of z.")
@click.option("--regions", is_flag=True, help="Store what each pixel shows too.")
@click.option(
    "--framing",
    type=click.Choice(["wide", "face"]),
    help="Of people: head and shoulders, or the face as an aligner cuts it (default).",
)
@click.option(
    "--threads",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="CPU threads of each worker; 0 for all. Another number may round otherwise.",
)
@click.option(
    "--compiled", is_flag=True, help="Compile the renderer first: minutes, for thousands of pairs."
)
@engine_options
@json_option
@_show_errors
def pairs_command(  # noqa: PLR0917
    renderer: str,
    out: Path,
    threads: int,
    compiled: bool,
    framing: str | None,
    engine: EngineChoice,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Render pairs of z and picture into a cache that training draws from."""
    import torch

    from latentfu_builtin.stylegan.training.pairs import render_pairs
    from latentfu_builtin.stylegan.training.source import open_teacher

    wanted["threads"] = threads or torch.get_num_threads()
    options: dict[str, bool | str] = {"compiled": True} if compiled else {}
    teacher = open_teacher(renderer, **options, **({"framing": framing} if framing else {}))
    with (
        engine.open() as workers,
        click.progressbar(length=wanted["count"], label="Rendering", hidden=as_json) as bar,
    ):
        render_pairs(
            teacher,
            out,
            engine=workers,
            progress=lambda done, _: bar.update(done - bar.pos),
            **wanted,
        )
    if as_json:
        click.echo(json.dumps({"folder": str(out), "count": wanted["count"]}))


@train_command.command("generator")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), help="Folder of pictures.")
@click.option("--mirror", is_flag=True, help="Mirror the folder's pictures half the time.")
@click.option("--renderer", help="Learn from a renderer, e.g. portraits.")
@click.option(
    "--pairs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Cache of renders; several times for several, the first of which measures.",
)
@click.option(
    "--unpaired",
    is_flag=True,
    help="Of renders: learn how they look, not which z each is of.",
)
@click.option(
    "--small-share",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Of --pairs: the share of pictures drawn from those with small things (earrings).",
)
@click.option(
    "--mark",
    "marked",
    multiple=True,
    metavar="REGION",
    help="Of --pairs with --regions: counts as a small thing too (glasses). May be repeated.",
)
@click.option("--resolution", default=64, show_default=True, help="Side of the pictures in pixels.")
@click.option("--z-dim", default=64, show_default=True, help="Numbers of z.")
@click.option("--w-dim", default=256, show_default=True, help="Numbers of w.")
@click.option(
    "--mapping",
    type=click.Choice(["mlp", "attention"]),
    default="mlp",
    show_default=True,
    help="StyleGAN2's own, or that of W++, where each style has a z and sees the others.",
)
@click.option("--mapping-layers", default=4, show_default=True, help="Layers between z and w.")
@click.option("--mapping-lr", default=0.01, show_default=True, help="Rate of the mapping.")
@click.option("--channels", help="Channels from 4 px up, e.g. 256,256,256,128,64.")
@click.option("--start", type=click.Path(path_type=Path, exists=True), help="Network to grow from.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Training option.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@click.option(
    "--checkpoint-minutes", default=10.0, show_default=True, help="Minutes between two checkpoints."
)
@click.option(
    "--sample-minutes",
    default=5.0,
    show_default=True,
    help="Minutes between two sheets of samples.",
)
@click.option("--minutes", default=0.0, help="Stop after this long; 0 for never.")
@json_option
@_show_errors
def generator_command(out: Path, as_json: bool, **asked: Any) -> None:
    """Train a StyleGAN2 generator; the same command continues an interrupted run.

    Training options are set by name, e.g. --set regression_images=60000 --set batch=16;
    on a continued run they replace the stored ones. `torchrun --nproc-per-node N -m -- latentfu
    train generator ...` (torchrun has a --start of its own: the two dashes keep them apart)
    trains with N processes, each with its share of every batch and, with --device cuda, a card
    of its own.
    """
    import torch

    from latentfu_builtin.stylegan.training.run import CHECKPOINT, Pace, run_training
    from latentfu_builtin.stylegan.training.training_group import join_group, leave_group

    if asked["threads"]:
        torch.set_num_threads(asked["threads"])
    group, asked["device"] = join_group(asked["device"])
    say = functools.partial(click.echo, err=as_json) if group.leads else _say_nothing
    try:
        source = _open_source(asked)
        trainer = _open_trainer(out / CHECKPOINT, source, asked, group, say)
        _refuse_judging_enlarged(trainer)
        pace = Pace(asked["checkpoint_minutes"], asked["sample_minutes"], asked["minutes"])
        run_training(trainer, out, pace, say)
    finally:
        leave_group(group)
    if as_json and group.leads:
        counters = {"images": trainer.images, "steps": trainer.steps, "phase": trainer.phase}
        click.echo(json.dumps({"checkpoint": str(out / CHECKPOINT), **counters}))


def _refuse_judging_enlarged(trainer: Trainer) -> None:
    """Hours before it would matter: enlarged pictures are no examples of sharp ones."""
    from latentfu_builtin.stylegan.training.pairs import PairCaches

    source = trainer.source
    if not isinstance(source, PairCaches) or not trainer.options.adversarial_images:
        return
    small = [cache.folder.name for cache in source.caches if cache.times > 1]
    if small:
        raise click.UsageError(
            f"the pairs in {small[0]} are smaller than the network's pictures: leave them out, or "
            f"train without the adversarial phase (--set adversarial_images=0)"
        )


def _say_nothing(text: str) -> None:
    """What processes do that do not lead their group."""


def _open_source(asked: dict[str, Any]) -> BatchSource:
    """The source that the command's options name: exactly one of three."""
    from latentfu_builtin.stylegan.training.source import FolderSource, TokenSource, UnpairedSource

    if sum(bool(asked[name]) for name in ("data", "renderer", "pairs")) != 1:
        raise click.UsageError("give exactly one of --data, --renderer and --pairs")
    if asked["data"] is not None:
        return FolderSource(asked["data"], asked["resolution"], asked["mirror"])
    renders = _open_renders(asked)
    if asked["unpaired"]:
        return UnpairedSource(renders)
    if asked["mapping"] == "attention":
        return TokenSource(renders, _make_config(asked).num_ws)
    return renders


def _open_renders(asked: dict[str, Any]) -> HoldoutSource:
    """A renderer, or caches of its pictures."""
    from latentfu_builtin.stylegan.training.pairs import PairCache, PairCaches
    from latentfu_builtin.stylegan.training.source import RendererSource, open_teacher

    if asked["renderer"] is not None:
        teacher = open_teacher(asked["renderer"])
        return RendererSource(teacher, asked["resolution"], asked["z_dim"])
    resolution, share = asked["resolution"], asked["small_share"]
    marked = asked["marked"]
    caches = [
        PairCache(folder, resolution, share, enlarge=True, marked=marked)
        for folder in asked["pairs"]
    ]
    enlarged = [cache.folder.name for cache in caches if cache.times > 1]
    if enlarged and (asked["unpaired"] or len(caches) == len(enlarged)):
        raise click.UsageError(
            f"the pairs in {enlarged[0]} are smaller than the network's pictures: they teach it "
            f"only beside larger ones, and paired"
        )
    return caches[0] if len(caches) == 1 else PairCaches(tuple(caches))


def _open_trainer(
    checkpoint: Path,
    source: BatchSource,
    asked: dict[str, Any],
    group: TrainingGroup,
    say: Callable[[str], None],
) -> Trainer:
    """Continue from the checkpoint when there is one, else begin."""
    from dataclasses import replace

    from latentfu_builtin.networks.stylegan.stylegan2 import load_network
    from latentfu_builtin.stylegan.training.checkpoint import load_checkpoint, read_checkpoint
    from latentfu_builtin.stylegan.training.options import TrainingOptions
    from latentfu_builtin.stylegan.training.trainer import Trainer, start_from

    changes = _parse_settings(asked["settings"])
    if checkpoint.exists():
        stored = TrainingOptions.from_json(read_checkpoint(checkpoint)[1]["options"])
        say(f"continuing {checkpoint}")
        options = replace(stored, **changes)
        return load_checkpoint(checkpoint, source, asked["device"], options, group)
    options = replace(TrainingOptions(), **changes)
    trainer = Trainer(_make_config(asked), options, source, asked["device"], group)
    if asked["start"] is not None:
        start_from(trainer, load_network(asked["start"]))
    return trainer


def _make_config(asked: dict[str, Any]) -> StyleGAN2Config:
    """The network that the command's options describe."""
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan2.config import default_channels

    channels = asked["channels"]
    return StyleGAN2Config(
        resolution=asked["resolution"],
        z_dim=asked["z_dim"],
        w_dim=asked["w_dim"],
        mapping=asked["mapping"],
        mapping_layers=asked["mapping_layers"],
        mapping_lr_multiplier=asked["mapping_lr"],
        channels=_parse_channels(channels) if channels else default_channels(asked["resolution"]),
    )


def _parse_channels(text: str) -> tuple[int, ...]:
    """'256,128' -> (256, 128)."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise click.UsageError(f"channels must be whole numbers, not {text}") from error


def _parse_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs as training options of the right types."""
    from latentfu_builtin.stylegan.training.options import TrainingOptions

    kinds = {field.name: type(field.default) for field in fields(TrainingOptions)}
    values: dict[str, Any] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in kinds:
            raise click.UsageError(f"unknown training option {name}; there are {', '.join(kinds)}")
        try:
            values[name] = _parse_value(text, kinds[name])
        except ValueError as error:
            raise click.UsageError(f"{name} cannot be {text!r}") from error
    return values


def _parse_value(text: str, kind: type) -> Any:
    """Text as a bool, number, text or list of channels."""
    if kind is bool:
        if text not in {"true", "false"}:
            raise ValueError(text)
        return text == "true"
    if kind is int:
        return int(float(text))
    if kind in {float, str}:
        return kind(text)
    return _parse_channels(text)


@train_command.command("export")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@click.option("--domain", default="portraits", show_default=True, help="What the pictures show.")
@click.option(
    "--licence",
    default="Apache-2.0",
    show_default=True,
    help="Licence that is written into the file.",
)
@click.option("--raw", is_flag=True, help="The generator itself, not its running average.")
@json_option
@_show_errors
def export_run_command(  # noqa: PLR0917
    checkpoint: Path, output: Path, domain: str, licence: str, raw: bool, as_json: bool
) -> None:
    """Write the generator of a run for shipping: averaged, float16, safetensors."""
    from latentfu_builtin.stylegan.training.run import export_network

    which = "generator" if raw else "ema"
    export_network(checkpoint, output, {"domain": domain, "licence": licence}, which=which)
    _tell_written(output, as_json)


@train_command.command("state")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@click.option("--averaged", is_flag=True, help="Only the averaged generator: a third of the room.")
@json_option
@_show_errors
def state_command(checkpoint: Path, output: Path, averaged: bool, as_json: bool) -> None:
    """Write what is needed to train on: all networks in float16, without moments."""
    from latentfu_builtin.stylegan.training.checkpoint import save_state

    save_state(checkpoint, output, averaged=averaged)
    _tell_written(output, as_json)


def _tell_written(output: Path, as_json: bool) -> None:
    """Say which file was written, and how large it is."""
    size = output.stat().st_size
    if as_json:
        click.echo(json.dumps({"file": str(output), "bytes": size}))
    else:
        click.echo(f"{output}: {size / 1e6:.1f} MB")


@train_command.command("mapping")
@click.argument("network", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--renderer", default="people", show_default=True, help="Whose numbers z holds.")
@click.option("--layers", default=4, show_default=True, type=click.IntRange(2), help="Its layers.")
@click.option(
    "--samples", default=200_000, show_default=True, type=click.IntRange(100), help="How many z."
)
@click.option(
    "--steps", default=5000, show_default=True, type=click.IntRange(1), help="Of 1024 z each."
)
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write."
)
@json_option
@_show_errors
def mapping_command(  # noqa: PLR0917
    network: Path,
    renderer: str,
    layers: int,
    samples: int,
    steps: int,
    threads: int,
    output: Path,
    as_json: bool,
) -> None:
    """Teach a network's mapping what the numbers of a renderer mean.

    Needs no picture. NETWORK, an exported one, keeps what it draws; train on with
    `train generator --start`, the same number of --mapping-layers and --mapping-lr 0.01.
    """
    import torch

    from latentfu_builtin.networks.stylegan.mapped_network import save_network
    from latentfu_builtin.networks.stylegan.stylegan2 import load_network
    from latentfu_builtin.stylegan.training.source import DescribingTeacher, open_teacher
    from latentfu_builtin.stylegan.training.teach_mapping import MappingOptions, teach_mapping

    if threads:
        torch.set_num_threads(threads)
    teacher = open_teacher(renderer)
    if not isinstance(teacher, DescribingTeacher):
        raise ValueError(f"the renderer {renderer} does not say what its numbers mean")
    options = MappingOptions(layers=layers, samples=samples, steps=steps)
    with progress_bar("Teaching", as_json) as progress:
        taught = teach_mapping(load_network(network), teacher, options, progress)
    save_network(output, taught.network)
    known, before = (sum(k.values()) / len(k) for k in (taught.known, taught.known_before))
    if as_json:
        told = {"file": str(output), "known": taught.known, "known_before": taught.known_before}
        click.echo(json.dumps(told))
    else:
        click.echo(f"{output}: w tells {known:.2f} of what pictures depend on, before {before:.2f}")


@train_command.command("revive-factor")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--number", required=True, type=click.IntRange(min=0), help="Which of z's, from 0.")
@click.option("--above", default=0.0, show_default=True, help="Where it begins to matter.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="The checkpoint to write.",
)
@json_option
@_show_errors
def revive_command(
    checkpoint: Path, number: int, above: float, output: Path, as_json: bool
) -> None:
    """Give a number of z that the network overlooks a unit of w, and train on from there.

    For what is small, e.g. earrings: train with --set small_strength=100 --small-share 0.5.
    """
    from latentfu_builtin.stylegan.training.revive_factor import revive_in_checkpoint

    revive_in_checkpoint(checkpoint, number, above, output)
    if as_json:
        click.echo(json.dumps({"file": str(output), "number": number}))
    else:
        click.echo(f"{output}: number {number} of z has a unit of w to itself")


train_command.add_command(
    click.Command(
        "heed",
        params=revive_command.params,
        callback=revive_command.callback,
        help=revive_command.help,
        hidden=True,
        deprecated="Use latentfu train revive-factor.",
    )
)


if __name__ == "__main__":
    train_command()
