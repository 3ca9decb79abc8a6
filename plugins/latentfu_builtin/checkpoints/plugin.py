"""What this package brings: formats of other projects, and the commands that import them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentfu import CheckpointFormat, Command, ConvertedWeights, ForeignFile, hookimpl

if TYPE_CHECKING:
    import click


def rosinality(foreign: ForeignFile) -> ConvertedWeights | None:
    """rosinality's stylegan2-pytorch."""
    from latentfu_builtin.checkpoints.rosinality import convert

    return convert(foreign)


def transstylegan(foreign: ForeignFile) -> ConvertedWeights | None:
    """StyleGAN of W++, by its authors."""
    from latentfu_builtin.checkpoints.transstylegan import convert

    return convert(foreign)


def decoder(foreign: ForeignFile) -> ConvertedWeights | None:
    """The generator inside an encoder's checkpoint."""
    from latentfu_builtin.checkpoints.rosinality import convert_decoder

    return convert_decoder(foreign)


def nvlabs_torch(foreign: ForeignFile) -> ConvertedWeights | None:
    """NVIDIA's PyTorch pickles of StyleGAN2-ADA."""
    from latentfu_builtin.checkpoints.nvlabs_torch import convert

    return convert(foreign)


def genforce(foreign: ForeignFile) -> ConvertedWeights | None:
    """genforce's and InterFaceGAN's StyleGAN1."""
    from latentfu_builtin.checkpoints.stylegan1 import convert_genforce

    return convert_genforce(foreign)


def nvlabs_tf1(foreign: ForeignFile) -> ConvertedWeights | None:
    """NVIDIA's TensorFlow pickles of StyleGAN1."""
    from latentfu_builtin.checkpoints.stylegan1 import convert_tf

    return convert_tf(foreign)


def nvlabs_stylegan3(foreign: ForeignFile) -> ConvertedWeights | None:
    """NVIDIA's PyTorch pickles of StyleGAN3."""
    from latentfu_builtin.checkpoints.nvlabs_stylegan3 import convert

    return convert(foreign)


def stylegan3_editing(foreign: ForeignFile) -> ConvertedWeights | None:
    """StyleGAN3's weights by themselves, and the decoder of its encoders."""
    from latentfu_builtin.checkpoints.stylegan3_editing import convert

    return convert(foreign)


def nvlabs_tf(foreign: ForeignFile) -> ConvertedWeights | None:
    """NVIDIA's TensorFlow pickles of StyleGAN2."""
    from latentfu_builtin.checkpoints.nvlabs_tf import convert

    return convert(foreign)


@hookimpl
def latentfu_checkpoint_formats() -> list[CheckpointFormat]:
    """Formats of other projects; each is imported, none is opened as it is."""
    return [
        CheckpointFormat("nvlabs-ada", "StyleGAN2-ADA, NVIDIA's pickle", convert=nvlabs_torch),
        CheckpointFormat("nvlabs-sg3", "StyleGAN3, NVIDIA's pickle", convert=nvlabs_stylegan3),
        CheckpointFormat(
            "stylegan3-editing", "StyleGAN3, weights by themselves", convert=stylegan3_editing
        ),
        CheckpointFormat("nvlabs-tf", "StyleGAN2, NVIDIA's TensorFlow pickle", convert=nvlabs_tf),
        CheckpointFormat("nvlabs-tf1", "StyleGAN1, NVIDIA's TensorFlow pickle", convert=nvlabs_tf1),
        CheckpointFormat("genforce", "StyleGAN1 by genforce", convert=genforce),
        CheckpointFormat("rosinality", "stylegan2-pytorch by rosinality", convert=rosinality),
        CheckpointFormat("transstylegan", "StyleGAN of W++", convert=transstylegan),
        CheckpointFormat("encoder-decoder", "The decoder of pSp, e4e and ReStyle", convert=decoder),
    ]


@hookimpl
def latentfu_commands() -> list[Command]:
    """latentfu generators import, export, remove and download."""

    def load(name: str) -> Command:
        def command() -> object:
            from latentfu_builtin.checkpoints import cli

            return getattr(cli, f"{name}_command")

        lines = {
            "import": "Read a checkpoint of another project.",
            "export": "Write an imported network to a file.",
            "remove": "Remove an imported network.",
        }
        return Command(("generators", name), lines[name], command)  # type: ignore[arg-type]

    def download() -> click.Command:
        from latentfu_builtin.checkpoints.downloads.cli import download_command

        return download_command

    return [
        *(load(name) for name in ("import", "export", "remove")),
        Command(("generators", "download"), "Fetch a public network.", download),
    ]
