"""How bright a picture is."""

import latentfu


def load(device):
    return lambda images: images.mean(dim=(1, 2, 3))[:, None]


@latentfu.hookimpl
def latentfu_scorers():
    return [
        latentfu.Scorer(
            name="brightness",
            title="Brightness",
            domain="teapots",
            attributes=("brightness",),
            load=load,
        )
    ]
