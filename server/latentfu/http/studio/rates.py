"""How often somebody may ask: so much a second, and some more at once."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

_MOST_KEYS = 10_000


@dataclass
class _Bucket:
    left: float
    since: float


class RateLimiter:
    """A token bucket for each key. ``rate``: a second; ``burst``: at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, float(burst)
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Whether one more of ``key`` is allowed now; if so it is counted."""
        now = time.monotonic()
        bucket = self._buckets.pop(key, None) or _Bucket(self._burst, now)
        self._buckets[key] = bucket  # the newest last
        while len(self._buckets) > _MOST_KEYS:
            self._buckets.popitem(last=False)
        bucket.left = min(self._burst, bucket.left + (now - bucket.since) * self._rate)
        bucket.since = now
        if bucket.left < 1.0:
            return False
        bucket.left -= 1.0
        return True
