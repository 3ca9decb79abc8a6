"""A direction from one random sample to another."""

import latentfu


def make(request, out):
    codes = latentfu.random_latents(request.generator, 2, request.seed).codes
    vector = (codes[0] - codes[1]).cpu().numpy()
    direction = latentfu.Direction(
        vector=vector,
        space=request.generator.spaces[-1],
        name="any",
        generator_id=request.generator.id,
    )
    return [latentfu.write_direction(out / "any.safetensors", direction)]


@latentfu.hookimpl
def latentfu_control_makers():
    return [latentfu.ControlMaker(name="any", title="From one sample to another", make=make)]
