"""Build GIMP 3 if it is missing and run the tests that need it: ``python tests/gimp/run.py``.

Everything after it goes to pytest, files of tests in place of all of them; ``--screenshots DIR`` is
where pictures of GIMP's windows are left, ``--gimp 3.2`` a version of GIMP other than the oldest.
Exit code 77 and one line when GIMP cannot be had here, else pytest's own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if not __package__:  # run as a file, not as ``python -m tests.gimp.run``
    sys.path[0] = str(HERE.parents[1])

from tests.gimp import chroot, machine  # noqa: E402


def main() -> int:
    """Build, run, and give pytest's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=Path, help="folder for pictures of the windows")
    parser.add_argument("--gimp", choices=sorted(chroot.SUITES), help="version, in a chroot")
    given, rest = parser.parse_known_args()
    if given.gimp:
        os.environ["LATENTFU_GIMP_VERSION"] = given.gimp
    try:
        found = machine.find(build=True)
    except chroot.NoGimpError as error:
        print(f"GIMP tests left out: {error}", file=sys.stderr)
        return chroot.LEFT_OUT
    print(f"GIMP 3 in {found.root}" if found.root else "GIMP 3 of this machine", flush=True)
    environment = dict(os.environ)
    if given.screenshots:
        environment["LATENTFU_SCREENSHOTS"] = str(given.screenshots.resolve())
    if not any(Path(word.partition("::")[0]).exists() for word in rest):
        rest = [str(HERE), *rest]
    command = [sys.executable, "-m", "pytest", "-m", "gimp", *rest]
    return subprocess.run(command, cwd=HERE.parents[1], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
