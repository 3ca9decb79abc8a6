"""Log files that only their owner reads."""

from __future__ import annotations

import contextlib
import io
import logging.handlers
import os
from pathlib import Path


class PrivateLog(logging.handlers.RotatingFileHandler):
    """A log that only its owner reads, each new file of it from its first byte.

    Those that an older version left open to others are closed.
    """

    def _open(self) -> io.TextIOWrapper:
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        descriptor = os.open(self.baseFilename, flags, 0o600)
        base = Path(self.baseFilename)
        for path in (base, *base.parent.glob(f"{base.name}.*")):
            with contextlib.suppress(FileNotFoundError):  # another server rotates it just now
                path.chmod(0o600)
        return io.TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)
