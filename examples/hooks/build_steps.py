"""Something that is made again whenever the weights of the teapots change."""

import latentfu


def run(folder, progress):
    progress(0.0, "Filling the teapots")


@latentfu.hookimpl
def latentfu_build_steps():
    return [
        latentfu.BuildStep(
            name="teapots-lids", title="Lids", generator="teapots", order=50, run=run
        )
    ]
