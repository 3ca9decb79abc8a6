"""Opening a network loads torch, but not torch's compiler, which takes a second of every start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import Program

REFERENCE = Path(__file__).parents[1] / "reference"
FOREIGN = {
    "StyleGAN1": "stylegan1/genforce-sg1-pth/res64-shared-conv/network.pth",
    "StyleGAN2": "checkpoints/rosinality-pt/cm1/network.pt",
    "StyleGAN3": "stylegan3/stylegan3-t/network.pkl",
}
LOADED = 'print(sorted({"torch", "torch._dynamo", "sympy"} & set(sys.modules)))'


def run_python(code: str) -> str:
    """What a fresh interpreter prints last."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_a_draft_of_the_default_network_loads_no_compiler(isolated_home: Path) -> None:
    code = f"""if True:
        import sys, latentfu, numpy
        grid = numpy.linspace(0, 255, 96 * 96 * 3).reshape(96, 96, 3).astype(numpy.uint8)
        latentfu.invert(grid, quality="draft", aligner="center")
        {LOADED}
    """
    assert run_python(code) == "['torch']"


@pytest.mark.parametrize("family", FOREIGN)
def test_no_family_loads_it(family: str, isolated_home: Path, latentfu_program: Program) -> None:
    path = REFERENCE / FOREIGN[family]
    ran = latentfu_program("generators", "import", path, "--name", "small")
    assert ran.code == 0, ran.err
    code = f"import sys, latentfu; latentfu.open_generator('small', 'cpu').mean_latent(); {LOADED}"
    assert run_python(code) == "['torch']"
