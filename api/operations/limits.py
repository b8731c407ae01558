"""Rate limits: a token bucket for each user or address, in each worker."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from engine.schema.errors import PermuError

KEPT = 10_000  # buckets; a forgotten one starts full, which harms nobody


class Limits:
    """``rate`` tokens a second flow into a bucket of ``burst``; a request takes one."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self.clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def level(self, who: str) -> float:
        """Tokens in a bucket at this moment."""
        tokens, at = self._buckets.get(who, (float(self.burst), self.clock()))
        return min(self.burst, tokens + (self.clock() - at) * self.rate)

    def take(self, who: str) -> None:
        """Take one token; ``too_many_requests`` with the seconds to wait where the bucket is empty."""
        level = self.level(who)
        if level < 1:
            raise self._refusal(math.ceil((1 - level) / self.rate))
        self._buckets[who] = (level - 1, self.clock())
        self._buckets.move_to_end(who)
        if len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)

    def _refusal(self, wait: int) -> PermuError:
        return PermuError(
            "too_many_requests",
            f"more than {self.rate:g} requests a second (at most {self.burst} at once): wait {wait} s",
            f"请求过于频繁（每秒 {self.rate:g} 次，一次最多 {self.burst}）：请等待 {wait} 秒",
            wait=max(1, wait),
        )
