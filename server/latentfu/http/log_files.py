"""Log files that only their owner reads."""

from __future__ import annotations

import io
import logging.handlers
import os
from pathlib import Path


class PrivateLog(logging.handlers.RotatingFileHandler):
    """A log that only its owner reads, each new file of it from its first byte."""

    def _open(self) -> io.TextIOWrapper:
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY
        descriptor = os.open(self.baseFilename, flags, 0o600)
        Path(self.baseFilename).chmod(0o600)  # an older version's file may be open to others
        return io.TextIOWrapper(os.fdopen(descriptor, "ab"), encoding=self.encoding)
