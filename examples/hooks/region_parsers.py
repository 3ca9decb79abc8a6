"""The bright part of a picture and the dark one."""

import latentfu
import torch


def load(device):
    def parse(pictures):  # [N, 3, R, R] in -1..1
        bright = (pictures.mean(dim=1) > 0).float()  # [N, R, R]
        return torch.stack([bright, 1 - bright], dim=1), torch.ones(len(pictures))

    return parse


@latentfu.hookimpl
def latentfu_region_parsers():
    return [
        latentfu.RegionParser(
            name="light",
            title="Bright and dark",
            domains=("teapots",),
            regions=("bright", "dark"),
            load=load,
        )
    ]
