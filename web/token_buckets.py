"""Rates by key: a bucket of tokens for each, refilled with time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["TokenBuckets"]


class TokenBuckets:
    """Buckets that hold as many tokens as are refilled in a minute.

    For one thread (an event loop). The number of buckets is bounded: the one that was used least recently goes, and is
    full again if its key comes back.

    Parameters
    ----------
    per_minute : int
        Tokens that a bucket gets per minute, and holds.
    max_keys : int, default=20_000
        Maximum number of buckets.
    clock : callable, default=time.monotonic
        Function that returns seconds.

    Examples
    --------
    >>> buckets = TokenBuckets(60, clock=lambda: 0.0)
    >>> [buckets.take("a") for _ in range(60)][-1], buckets.take("a"), buckets.take("b")
    (0.0, 1.0, 0.0)
    """

    def __init__(self, per_minute: int, *, max_keys: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = float(per_minute)
        self._per_s = per_minute / 60
        self._max_keys = max_keys
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take a token; return 0, or the seconds until there is one where the bucket is empty."""
        tokens = self._tokens(key)
        if tokens < 1:
            self._put(key, tokens)
            return (1 - tokens) / self._per_s
        self._put(key, tokens - 1)
        return 0.0

    def _tokens(self, key: str) -> float:
        tokens, at = self._buckets.get(key, (self._capacity, self._clock()))
        return min(tokens + (self._clock() - at) * self._per_s, self._capacity)

    def _put(self, key: str, tokens: float) -> None:
        self._buckets[key] = (tokens, self._clock())
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
