"""What is imported is listed without torch, so that every command stays quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.program import Program

FILE = Path(__file__).parents[1] / "reference" / "checkpoints" / "rosinality-pt" / "cm1"


def test_no_listing_imports_torch_after_an_import(
    isolated_home: Path, latentfu_program: Program
) -> None:
    ran = latentfu_program("generators", "import", FILE / "network.pt", "--name", "small")
    assert ran.code == 0, ran.err
    code = """if True:
        import sys, latentfu
        from latentfu.plugin_manager import get_registry
        get_registry().controls(latentfu.generators()["small"])
        print("torch" in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stdout + done.stderr
