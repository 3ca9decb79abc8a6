"""The mean latent for every picture: the worst method that is right."""

import latentfu


def invert(request):
    request.progress(0.0, "Taking the mean")
    latent = request.generator.mean_latent()
    quality = latentfu.Quality(psnr=10.0, perceptual=1.0, perceptual_name="none", seconds=0.0)
    return latentfu.Inversion(latent, quality, method="mean")


@latentfu.hookimpl
def latentfu_inverters():
    return [latentfu.Inverter(name="mean", title="The mean latent", spaces=("w+",), invert=invert)]
