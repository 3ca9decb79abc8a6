"""A network that is installed by one name, from the command line of others or from GIMP."""

import latentfu

FILE = latentfu.data_dir() / "generators" / "teapots-512.safetensors"


def read_state():
    return latentfu.InstallationState(is_installed=FILE.is_file(), is_agreed=True)


def install(request):
    offer = latentfu.Offer("https://example.org/teapots/teapots-512.safetensors")
    latentfu.download(offer, FILE, request.progress)
    return "The teapots are here."


def remove():
    FILE.unlink(missing_ok=True)
    return "The teapots are gone."


@latentfu.hookimpl
def latentfu_installable_networks():
    return [
        latentfu.InstallableNetwork(
            name="teapots-512",
            title="Teapots by the Potters",
            generator="teapots-512",
            domain="teapots",
            resolution=512,
            terms=(latentfu.NetworkTerms("teapots-512", "CC0 1.0", non_commercial=False),),
            read_state=read_state,
            install=install,
            remove=remove,
        )
    ]
