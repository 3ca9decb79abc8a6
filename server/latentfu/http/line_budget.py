"""How much of the log strangers may fill."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field


@dataclass
class LineBudget:
    """Log lines about requests that carry no token: ``lines`` in ``seconds``, then their number.

    Without it whoever reaches the port could push everything else out of the log.
    """

    lines: int = 20
    seconds: float = 60.0
    _since: float = field(default=float("-inf"), init=False)
    _written: int = field(default=0, init=False)
    _left_out: int = field(default=0, init=False)

    def write(self, log: logging.Logger, text: str, *values: object) -> None:
        """One line, or none where the budget is spent."""
        now = time.monotonic()
        if now - self._since >= self.seconds:
            if self._left_out:
                log.info("%d lines about requests without a token were left out", self._left_out)
            self._since, self._written, self._left_out = now, 0, 0
        if self._written < self.lines:
            self._written += 1
            log.info(text, *values)
        else:
            self._left_out += 1


strangers = LineBudget()
"""The budget of this process."""
