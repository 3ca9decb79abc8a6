"""A network that ``latentfu generators download teapots-256`` fetches."""

import latentfu


@latentfu.hookimpl
def latentfu_public_networks():
    return [
        latentfu.PublicNetwork(
            name="teapots-256",
            title="Teapots by the Potters",
            file="teapots-256.pkl",
            domain="teapots",
            resolution=256,
            licence="CC BY 4.0",
            non_commercial=False,
            page="https://example.org/teapots",
            address="https://example.org/teapots/teapots-256.pkl",
        )
    ]
