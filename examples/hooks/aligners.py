"""The top left corner of a picture is its square."""

import latentfu


def find(rgb):
    side = min(rgb.shape[:2])
    return [latentfu.Quad.square(0, 0, side)]


@latentfu.hookimpl
def latentfu_aligners():
    return [
        latentfu.Aligner(name="corner", title="Top left corner", domains=("teapots",), find=find)
    ]
