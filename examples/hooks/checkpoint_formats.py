"""A format that is recognized, and refused with a sentence."""

import latentfu


def load(path, device):
    raise latentfu.BadInputError(f"{path} is in the old format: convert it first.")


@latentfu.hookimpl
def latentfu_checkpoint_formats():
    return [
        latentfu.CheckpointFormat(
            name="teapot-1",
            title="Old teapots",
            detect=lambda path: path.suffix == ".teapot",
            load=load,
        )
    ]
