"""``latentfu bench inversion``, ``latentfu losses list``, ``latentfu backbones download``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click
from latentfu import json_option


@click.command("inversion")
@click.option("--generator", metavar="NAME", help="A name or a file (default: the first).")
@click.option(
    "--images", type=click.Path(path_type=Path), metavar="DIR",
    help="Pictures to measure with (default: unseen ones of the generator's domain).",
)  # fmt: skip
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    default=32,
    show_default=True,
    help="How many pictures.",
)
@click.option(
    "--inverter", "names", multiple=True, metavar="NAME", help="Only this one (repeatable)."
)
@click.option(
    "--quality", "qualities", multiple=True, type=click.Choice(["draft", "good", "best"]),
    help="Only what serves this quality (repeatable).",
)  # fmt: skip
@click.option("--own", is_flag=True, help="Measure with the generator's own random pictures.")
@click.option(
    "--edits", type=click.IntRange(0, 100), default=0, show_default=True, metavar="N",
    help="Also try N controls on what was found, as the domain's scorer sees it.",
)  # fmt: skip
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE.png",
    help="Also draw quality against time.",
)  # fmt: skip
@json_option
def bench_command(
    *,
    generator: str | None,
    images: Path | None,
    count: int,
    names: tuple[str, ...],
    qualities: tuple[str, ...],
    own: bool,
    edits: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure every method of inversion: quality against time on the same pictures.

    Edits: what strength 1 moves of its attribute, how far each is off, and what it moves of
    every other attribute, in standard deviations among the generator's own pictures.
    """
    import latentfu
    from latentfu import BadInputError, watched

    from latentfu_builtin.benchmarks.inversion import all_rows, methods, pictures_for
    from latentfu_builtin.benchmarks.inversion_edits import Judge
    from latentfu_builtin.benchmarks.inversion_plot import write_plot

    if plot is not None and plot.suffix != ".png":
        raise BadInputError(f"{plot} must end in .png.")
    name = generator or next(iter(latentfu.generators()), None)
    if name is None:
        raise latentfu.NotInstalledError("There is no generator to measure with.")
    network = latentfu.open_generator(name)
    chosen = methods(network, names, qualities)
    what, pictures = pictures_for(network, images, count, own)
    judge = Judge.of(network, edits)
    if edits and judge is None:
        raise BadInputError(f"No scorer reads what the controls of {network.name} move.")
    with watched("Measuring", quiet=as_json) as progress:
        rows = list(all_rows(network, pictures, chosen, progress, judge))
    title = f"{network.name}: {len(pictures)} {what}"
    if plot is not None:
        write_plot(plot, rows, title)
    if as_json:
        content = {"benchmark": "inversion", "generator": network.name, "pictures": what}
        click.echo(json.dumps({**content, "count": len(pictures), "rows": rows}, indent=2))
        return
    show(rows, title)


def show(rows: list[dict[str, Any]], title: str) -> None:
    """The rows as a table, what was skipped below it."""
    click.echo(title)
    tried = any(row.get("edits") for row in rows)
    head = f"{'method':36}{'dB':>7}{'lowest':>8}{'distance':>10}{'seconds':>9}{'of CPU':>8}"
    click.echo(head + (f"{'strength':>10}{'off':>6}{'leak':>7}{'for one':>17}" if tried else ""))
    for row in rows:
        if "skipped" in row:
            click.echo(f"{row['method']:36} skipped: {row['skipped']}")
            continue
        line = (
            f"{row['method']:36}{row['psnr']:7.2f}{row['psnr_lowest']:8.2f}"
            f"{row['perceptual']:10.4f}{row['seconds']:9.2f}{row['cpu_seconds']:8.2f}"
        )
        if row["edits"]:
            line += edited(**row["edits"])
        click.echo(line + (f"  ({row['note']})" if row["note"] else ""))


def edited(strength: float, off: float, leak: float, error: float) -> str:
    """The columns of what edits do; the last is the leak of a strength of one."""
    for_one = leak / strength if strength else math.nan
    return f"{strength:10.2f}{off:6.2f}{leak:7.3f}{for_one:9.4f} ± {error:.4f}"


@click.command("download")
@click.argument("name", type=click.Choice(["vgg16"]))
@click.option("--address", metavar="URL", help="Another place to fetch it from.")
@json_option
def download_command(*, name: str, address: str | None, as_json: bool) -> None:
    """Fetch the network that the losses vgg16 and lpips look through (528 MB)."""
    from latentfu import watched

    from latentfu_builtin.inversion import backbone

    with watched(f"Fetching {name}", as_json) as progress:
        path = backbone.download(address or backbone.ADDRESS, progress)
    click.echo(json.dumps({"name": name, "path": str(path)}) if as_json else f"{path}: {name}.")


@click.command("list")
@json_option
def losses_command(*, as_json: bool) -> None:
    """List the losses that an inversion can minimise."""
    import latentfu

    found = [
        {"name": loss.name, "title": loss.title, "domains": list(loss.domains)}
        for loss in latentfu.losses().values()
    ]
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for loss in found:
        click.echo(f"{loss['name']:18} {loss['title']}")
