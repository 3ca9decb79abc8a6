"""The mean absolute difference as a loss."""

import latentfu


def build(generator):
    return lambda images, targets: (images - targets).abs().mean(dim=(1, 2, 3))


@latentfu.hookimpl
def latentfu_losses():
    return [latentfu.Loss(name="l1", title="Mean absolute difference", build=build)]
