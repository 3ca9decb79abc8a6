"""``latentfu invert``: the latent of a picture, or of a folder of pictures, as safetensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_fit, print_json, progress_bar
from latentfu.core.errors import BadInputError

if TYPE_CHECKING:
    from latentfu.engine.open_engine import EngineChoice

F = TypeVar("F", bound=Callable[..., Any])
Value = float | int | str | bool

_NAMED: tuple[tuple[tuple[str, ...], str, Any, str], ...] = (
    (("--steps", "--iterations"), "steps", click.IntRange(1), "Optimization steps."),
    (("--learning-rate", "--rate"), "rate", click.FloatRange(min=0, min_open=True),
     "Its highest learning rate."),
    (("--optimizer",), "optimizer", click.Choice(["adam", "sgd", "lbfgs"]), "How it moves."),
    (("--losses",), "losses", str, "Names and weights: l1:1,lpips:0.8 (latentfu losses list)."),
    (("--vgg-layer",), "vgg_layer", click.IntRange(1, 30), "Where the loss vgg16 looks."),
    (("--backbone",), "backbone", str, "VGG16's weights, a file."),
    (("--space",), "space", click.Choice(["z", "w", "w+", "w++"]), "Where the code is searched."),
    (("--start",), "start", str, "mean, auto, encoder, another inverter, or a latent's file."),
    (("--encoder",), "encoder", str, "Which encoder gives the first code, a name or a file."),
    (("--noise",), "noise", click.Choice(["no", "yes", "auto"]), "Find noise maps too."),
    (("--seed",), "seed", click.IntRange(0), "For what is drawn at random."),
)  # fmt: skip


def _method_options(function: F) -> F:
    """The options above; ``--option NAME=VALUE`` is for others."""
    for flags, name, kind, what in reversed(_NAMED):
        function = click.option(*flags, f"of_{name}", type=kind, help=what)(function)
    return function


def _collect_options(given: Mapping[str, Any]) -> dict[str, Value]:
    """What was given of these options, by the inverter's names."""
    named = {key.removeprefix("of_"): value for key, value in given.items()}
    return {name: value for name, value in named.items() if value is not None}


@click.command("invert")
@options.picture_argument("image")
@click.option(
    "-o", "--output", required=True, metavar="PATH", type=click.Path(path_type=Path),
    help="The latent, a .safetensors file; for a folder of pictures a folder.",
)  # fmt: skip
@options.choice_options
@_method_options
@click.option(
    "--mask", type=click.Path(path_type=Path), metavar="FILE",
    help="Picture of the same size: only what is white counts.",
)  # fmt: skip
@click.option(
    "--save-image", type=click.Path(path_type=Path), metavar="PATH",
    help="Also write what the latent shows; for a folder of pictures a folder.",
)  # fmt: skip
@click.option("--coupled", is_flag=True, help="In --save-image: the aligned picture beside it.")
@click.option(
    "--video", type=click.Path(path_type=Path), metavar="FILE",
    help="Also write the way there as .gif, .webp, .mp4 or .avi.",
)  # fmt: skip
@click.option(
    "--save-frequency", type=click.IntRange(1), default=10, show_default=True,
    help="Every how many steps --video takes a picture.",
)  # fmt: skip
@click.option("--again", is_flag=True, help="Do not take an inversion that is cached.")
@click.option(
    "--batch", type=click.IntRange(1, 256), default=None,
    help="How many pictures of a folder are worked on at once (default: by their size).",
)  # fmt: skip
@options.engine_options
@json_option
def invert_command(
    *,
    image: Path,
    output: Path,
    mask: Path | None,
    save_image: Path | None,
    coupled: bool,
    video: Path | None,
    save_frequency: int,
    again: bool,
    batch: int | None,
    engine: EngineChoice,
    as_json: bool,
    fields: dict[str, Any],
    **settings: Any,
) -> None:
    """Find the latent of IMAGE, or of every picture in the folder IMAGE.

    Works in this process; an inversion that the server or an earlier run has cached is taken.
    With --engine or --jobs a folder is divided, a picture at a time: the codes do not depend on
    how. Without, all threads of this process work on one batch, which may round otherwise.
    """
    chosen = {**dict(fields.pop("options", ())), **_collect_options(settings)}
    if coupled and save_image is None:
        raise click.UsageError("--coupled says what is in --save-image: give it too.")
    if image.is_dir():
        from latentfu.cli.invert_folder import Folder, invert_folder

        if mask or video or fields.get("corners") or fields.get("eyes"):
            raise click.UsageError("A mask, a place or a video is for one picture.")
        folder = Folder(image, output, batch, again, save_image, coupled)
        invert_folder(folder, {**fields, "options": chosen}, engine, as_json)
        return
    if engine.is_given:
        raise click.UsageError("--engine and --jobs are for a folder of pictures.")
    _check_outputs(output, save_image, video)
    import numpy as np

    from latentfu.cli.backend import collect_fields, open_editor
    from latentfu.cli.film import Film, enlarge_frame, make_frame
    from latentfu.cli.pictures import PictureFile, read_picture_file, write_picture
    from latentfu.pipeline.invert import InvertOptions
    from latentfu.pipeline.render import render_latent
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import InvertRequest, build_request
    from latentfu.storage.atomic import write_whole
    from latentfu.storage.inversion_cache import serialize_inversion

    picture, pictures = read_picture_file(image), PictureStore()
    common = collect_fields(pictures, picture, mask, fields)
    request = build_request(InvertRequest, **common, options=chosen)
    editor, name = open_editor(fields.get("generator"))
    request = request.model_copy(update={"generator": name})
    film = Film(save_frequency) if video else None
    how = InvertOptions(masked=True, refresh=again or video is not None, preview=film)
    with progress_bar("Inverting", quiet=as_json) as progress:
        crop, found = editor.find_inversion(request, pictures, progress, how)
    spec = editor.generators.find_spec(name)
    if save_image or film:
        shown = make_frame(render_latent(editor.generators.open(spec), found.inversion.latent))
        if film and video:
            film.frames.append(enlarge_frame(shown))
            film.write(video)
        if save_image:
            beside = np.hstack([make_frame(crop.image), shown]) if coupled else shown
            write_picture(save_image, PictureFile(beside))
    write_whole(output, serialize_inversion(found.key, found.inversion))
    from latentfu.cli.invert_folder import describe_inversion

    told = describe_inversion(found, spec, crop)
    if as_json:
        print_json({"output": str(output), **told, "inversion_cached": found.cached})
    else:
        print_fit(told)
        click.echo(f"{output}: {_tell_inversion(told)}")


def _check_outputs(output: Path, image: Path | None, video: Path | None) -> None:
    """Refuse names before minutes of work are put into them (raises BadInputError)."""
    from latentfu.cli.film import check_film
    from latentfu.cli.pictures import check_folder, check_target

    if output.suffix != ".safetensors":
        raise BadInputError(f"{output} must end in .safetensors.")
    check_folder(output)
    if image:
        check_target(image)
    if video:
        check_film(video)
        check_folder(video)


def _tell_inversion(told: Mapping[str, Any]) -> str:
    """An inversion in words."""
    parts = ", ".join(f"{name} {value:.1f}" for name, value in told["parts"].items())
    likeness = "" if told["identity"] is None else f", identity {told['identity']:.2f}"
    words = (
        f"{told['psnr']:.1f} dB, {told['perceptual_name']} {told['perceptual']:.3f}{likeness}, "
        f"{told['inverter']}, {told['seconds']:.1f} s, fit {told['fit']}"
    )
    words += f" ({parts})." if parts else "."
    return words
