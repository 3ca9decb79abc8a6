"""An encoder for one generator's weights."""

import latentfu


def load(generator):
    from my_package.network import MyEncoder

    return MyEncoder(generator.device)


@latentfu.hookimpl
def latentfu_encoders():
    return [
        latentfu.Encoder(
            name="teapots",
            title="Teapots in one pass",
            generator_id="0123456789abcdef" * 4,
            load=load,
        )
    ]
