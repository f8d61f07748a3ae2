"""Times of day and durations in columns of text, which are not converted: the report says what they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["describe_times"]

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?( ?[AaPp]\.?[Mm]\.?)?")
_LONGEST = 64
_UNIT = r"(d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)"
_DURATION = re.compile(
    r"-?(\d+ days?,? )?\d+:[0-5]\d(:[0-5]\d(\.\d+)?)?"
    rf"|(\d+(\.\d+)? ?{_UNIT}[ ,]*)+"
    r"|P(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?"  # ISO 8601
)


def describe_times(cells: Sequence[str]) -> str:
    """Return a predicate about a column whose cells are times of day or durations, or an empty string.

    Examples
    --------
    >>> describe_times(["1:30 PM", "11:05 AM"])
    'holds times of day; it is kept as text'
    >>> describe_times(["1h 30m", "45m"]), describe_times(["30:45:10", "00:45:10"]), describe_times(["4:3", "soon"])
    ('holds durations; it is kept as text', 'holds durations; it is kept as text', '')
    """
    texts = [cell.strip() for cell in cells]
    if not texts or max(map(len, texts)) > _LONGEST:
        return ""
    if all(map(_TIME_OF_DAY.fullmatch, texts)):
        return "holds times of day; it is kept as text"
    return "holds durations; it is kept as text" if all(map(_DURATION.fullmatch, texts)) else ""
