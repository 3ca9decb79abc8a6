"""A control along which faces vary most: the first principal component of the latents.

Härkönen et al. 2020, "GANSpace". It is computed when it is first used, from the generator in
use, so it fits whatever weights are installed.
"""

from collections.abc import Iterator

import latentfu


class FirstComponent(latentfu.ControlEffect):
    """Adds ``strength`` standard deviations of the component to a latent."""

    def apply(
        self, latent: latentfu.Latent, strength: float, generator: latentfu.Generator
    ) -> latentfu.Latent:
        import torch  # here, so that listing plug-ins stays fast

        codes = latentfu.random_latents(generator, 2000, seed=0).codes
        w = codes[:, 0] if codes.ndim == 3 else codes  # in w+ all layers are the same
        variances, components = torch.linalg.eigh(torch.cov(w.T))
        step = components[:, -1] * variances[-1].sqrt()
        step = step * step[step.abs().argmax()].sign()  # an eigenvector's sign is arbitrary
        return latent.with_codes(latent.codes + strength * step)


@latentfu.hookimpl
def latentfu_controls(generator: latentfu.GeneratorSpec) -> Iterator[latentfu.Control]:
    """One control for every generator of people, drawn or photographed."""
    if generator.domain in ("faces", "portraits"):
        yield latentfu.Control(
            name="example-direction",
            title="First component",
            positive_means="further along what varies most",
            generator_id=generator.id,
            load=FirstComponent,
            group="components",
            author="you",
            licence="Apache-2.0",
            source="principal components of 2,000 latents",
        )
