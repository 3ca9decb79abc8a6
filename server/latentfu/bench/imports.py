"""What every start of the program costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from latentfu.bench import Measure, median_ms

_RUNS = 7


def measure_imports() -> Iterator[Measure]:
    """A bare interpreter for comparison, then ours; the first --help writes the list of commands.

    All in processes of their own, with an empty home.
    """
    with tempfile.TemporaryDirectory(prefix="latentfu-bench-") as home:
        environment = {**os.environ, "LATENTFU_HOME": home}

        def python(code: str) -> None:
            subprocess.run(
                [sys.executable, "-P", "-c", code], check=True, capture_output=True, env=environment
            )

        main = "from latentfu.cli.main import run; run({})"
        yield median_ms("python -c pass", lambda: python("pass"), _RUNS)
        yield median_ms("import latentfu", lambda: python("import latentfu"), _RUNS)
        yield median_ms("latentfu --help, first", lambda: python(main.format(["--help"])), 1)
        yield median_ms("latentfu --help", lambda: python(main.format(["--help"])), _RUNS)
        yield median_ms(
            "latentfu plugins list", lambda: python(main.format(["plugins", "list"])), 3
        )
