"""Cells that mean a value without any mark: digits with a decimal point at most, dates in ISO 8601, true and false."""

from __future__ import annotations

__all__ = ["ISO_SHAPE", "plain_tests"]

_DAY = r"\s*\d{4}-\d{2}-\d{2}\s*"
_TIME = r"\s*\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?\s*"
_ZONE = r"\s*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)? ?(Z|[+-]\d{2}(:?\d{2})?)\s*"
ISO_SHAPE = {"date": _DAY, "timestamp": f"{_TIME}|{_ZONE}"}
"""Regular expressions of dates and times in ISO 8601."""


def plain_tests(v: str) -> dict[str, str]:
    """Return SQL conditions by type: that the text `v` has the type without loss."""
    whole = f"try_cast({v} AS BIGINT)"
    real = f"try_cast({v} AS DOUBLE)"
    # A digit after a leading zero is a code (a postcode), not a number. The comparison avoids the regex.
    code = f"({v} < '1' AND regexp_matches({v}, '^\\s*[+-]?0\\d'))"
    # A float would round an integer of 16 or more digits.
    long = f"(strlen({v}) >= 16 AND regexp_full_match({v}, '\\s*[+-]?\\d{{16,}}\\s*'))"
    return {
        "boolean": f"{v} IN ('true', 'false', 'True', 'False', 'TRUE', 'FALSE')",
        # DuckDB casts 1.5, 1e3, 0x1F and 1_000 to integers: an integer is what prints the same again.
        "integer": f"CASE WHEN {whole}::VARCHAR = {v} THEN true ELSE {whole} IS NOT NULL AND NOT {code} "
        f"AND regexp_full_match({v}, '\\s*[+-]?\\d+\\s*') END",
        # NaN is greater than infinity, which digits alone do not mean.
        "number": f"CASE WHEN {v} >= '1' AND {v} < ':' AND strlen({v}) < 16 AND NOT contains({v}, '_') "
        f"THEN {real} < 'infinity'::DOUBLE "
        f"ELSE {real} <= 'infinity'::DOUBLE AND NOT contains({v}, '_') AND NOT {code} AND NOT {long} "
        f"AND (isfinite({real}) OR contains(lower({v}), 'inf')) END",
        # Numbers whose points may stand between thousands, and those that may be codes of digits and an E.
        "grouped": f"regexp_full_match({v}, '\\s*[+-]?(\\d{{1,3}}|[1-9]\\d{{0,2}}(\\.\\d{{3}})+)\\s*')",
        "coded": f"regexp_full_match({v}, '\\s*\\d+([eE]\\d+)?\\s*')",
        # DuckDB casts a time to a date, truncates nanoseconds and accepts 'epoch': the shape is tested as well.
        "date": f"CASE WHEN strlen({v}) = 10 AND try_cast({v} AS DATE)::VARCHAR = {v} AND {v} < ':' THEN true ELSE "
        f"regexp_full_match({v}, '{_DAY}') AND try_cast(trim({v}) AS DATE) IS NOT NULL END",
        "timestamp": f"CASE WHEN strlen({v}) = 19 AND try_cast({v} AS TIMESTAMP)::VARCHAR = {v} AND {v} < ':' "
        f"THEN true ELSE regexp_full_match({v}, '{_TIME}') AND try_cast(trim({v}) AS TIMESTAMP) IS NOT NULL END",
        # Whether a time keeps all of its digits: six are stored.
        "precise": f"(strlen({v}) <= 26 OR NOT regexp_matches({v}, '\\.\\d{{7}}'))",
        "zoned": f"(regexp_full_match({v}, '{_ZONE}') AND try_cast(trim({v}) AS TIMESTAMPTZ) IS NOT NULL)",
    }
