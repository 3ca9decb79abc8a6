"""What the tests of regions share: a few people with true regions, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest
from latentfu import NotInstalledError
from latentfu_builtin.people.teacher import make_teacher
from latentfu_builtin.stylegan.training.pairs import render_pairs


@pytest.fixture(scope="package")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six pairs of 128 px, of people that the shipped parser was not trained on."""
    folder = tmp_path_factory.mktemp("pairs")
    try:
        render_pairs(
            make_teacher(),
            folder,
            count=6,
            resolution=128,
            z_dim=96,
            seed=77,
            batch=6,
            regions=True,
        )
    except NotInstalledError as error:
        pytest.skip(str(error))
    return folder
