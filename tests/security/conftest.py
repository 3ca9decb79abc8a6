import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from fixtures import server, start

__all__ = ["server", "start"]
