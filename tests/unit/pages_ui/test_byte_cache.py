"""A cache that is bounded by the bytes of its values."""

from __future__ import annotations

from pages._ui import byte_cache
from pages._ui.byte_cache import ByteCache


def test_what_was_not_used_for_longest_is_dropped_first() -> None:
    cache, made = ByteCache(10), []

    def value(name: str, size: int) -> str:
        return cache.get(name, lambda: made.append(name) or name, lambda _: size)

    for name in ("a", "b", "a", "c"):  # of 4 bytes: there is room for two
        assert value(name, 4) == name
    value("a", 4)
    assert made == ["a", "b", "c"]
    value("b", 4)
    assert made == ["a", "b", "c", "b"]
    assert cache.size == 8


def test_a_value_that_is_too_large_is_returned_and_not_kept() -> None:
    cache, made = ByteCache(10), []
    for _ in range(2):
        assert cache.get("large", lambda: made.append(1) or "x", lambda _: 11) == "x"
    assert (len(made), cache.size) == (2, 0)


def test_all_is_dropped_before_more_is_read_where_memory_is_high(monkeypatch) -> None:
    cache = ByteCache(10)
    cache.get("a", lambda: "x", lambda _: 4)
    monkeypatch.setattr(byte_cache, "is_high", lambda needed_mb: needed_mb > 50)
    assert cache.get("a", lambda: "y", lambda _: 4) == "x"
    assert cache.get("b", lambda: "z", lambda _: 4) == "z"
    assert cache.size == 8
    assert cache.get("c", lambda: "large", lambda _: 4, 100.0) == "large"
    assert cache.size == 4
