"""Two pots are the same when their color is."""

import latentfu


def load(device):
    return lambda images: images.mean(dim=(2, 3))


@latentfu.hookimpl
def latentfu_identities():
    return [
        latentfu.Identity(
            name="color", title="The color of the pot", domains=("teapots",), load=load
        )
    ]
