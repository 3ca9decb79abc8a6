"""A setting, and a control that reads it each time it is used."""

import latentfu

STEP = latentfu.Setting(
    plugin="example",
    name="step",
    title="Length of a step",
    default=1.0,
    widget="slider",
    minimum=0.1,
    maximum=4.0,
)


class Step(latentfu.ControlEffect):
    def apply(self, latent, strength, generator):
        length = strength * latentfu.read_setting(STEP)
        return latent.with_codes(latent.codes + 0.05 * length)


@latentfu.hookimpl
def latentfu_settings():
    return [STEP]
