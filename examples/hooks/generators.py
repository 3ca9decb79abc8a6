"""A generator that is loaded when it is opened."""

import latentfu


def load(device):
    from my_package.network import MyGenerator  # a subclass of latentfu.Generator

    return MyGenerator(device)


@latentfu.hookimpl
def latentfu_generators():
    return [
        latentfu.GeneratorSpec(
            name="teapots",
            title="Teapots",
            domain="teapots",
            resolution=256,
            id="0123456789abcdef" * 4,
            load=load,
        )
    ]
