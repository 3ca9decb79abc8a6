"""``latentfu invert``: the latent of a picture as a safetensors file."""

from __future__ import annotations

from pathlib import Path

import click

from latentfu.cli import options
from latentfu.cli.output import json_option, print_json, watched
from latentfu.errors import BadInputError


@click.command("invert")
@options.picture_argument("image")
@options.output_option("The latent, a .safetensors file.")
@options.choice_options
@json_option
def invert_command(
    *,
    image: Path,
    output: Path,
    generator: str | None,
    inverter: str | None,
    aligner: str | None,
    as_json: bool,
) -> None:
    """Find the latent of IMAGE.

    Works in this process; an inversion that the server or an earlier run has cached is taken.
    """
    from latentfu.cli.pictures import check_folder, read_picture
    from latentfu.cli.work import open_editor
    from latentfu.edit.path import EditRequest
    from latentfu.nouns.layer import Layer
    from latentfu.store.atomic import write_whole
    from latentfu.store.inversions import dumped

    if output.suffix != ".safetensors":
        raise BadInputError(f"{output} must end in .safetensors.")
    check_folder(output)
    layer = Layer(read_picture(image).pixels)
    editor, name = open_editor(options.Choice(generator, inverter, aligner))
    with watched("Inverting", quiet=as_json) as progress:
        request = EditRequest(layer, {}, name, inverter, aligner)
        _, found = editor.inversion(request, progress=progress)
    write_whole(output, dumped(found.key, found.inversion))
    quality = found.inversion.quality
    if as_json:
        print_json(
            {
                "output": str(output),
                "space": found.inversion.latent.space,
                "shape": list(found.inversion.latent.codes.shape),
                "generator_id": found.inversion.latent.generator_id,
                "inverter": found.inversion.method,
                "psnr": quality.psnr,
                "perceptual": quality.perceptual,
                "perceptual_name": quality.perceptual_name,
                "seconds": quality.seconds,
                "inversion_cached": found.cached,
            }
        )
    else:
        click.echo(f"{output}: {quality.psnr:.1f} dB, {found.inversion.method}.")
