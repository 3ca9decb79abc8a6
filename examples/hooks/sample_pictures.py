"""A picture that shows where an edit moves what it should not."""

import latentfu


def checkerboard():
    import numpy as np  # here, so that listing plug-ins stays fast

    cells = np.indices((960, 768)).sum(axis=0) // 96 % 2  # [H, W]
    return np.repeat((cells * 255).astype(np.uint8)[..., None], 3, axis=2)


@latentfu.hookimpl
def latentfu_sample_pictures():
    yield latentfu.SamplePicture(
        name="checkerboard",
        title="A checkerboard",
        domain="boards",
        render=checkerboard,
        version=lambda: "checkerboard-1",
        licence="CC0-1.0",
    )
