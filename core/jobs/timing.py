"""When a schedule is due: at the times of a cron expression in a time zone, or at an interval."""

from __future__ import annotations

import difflib
import heapq
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError
from pydantic import model_validator

from core.checked import CheckedSettings
from core.errors import SettingsError

__all__ = ["MOST_COUNTED", "DueTimes", "Timing"]

_MIN_INTERVAL_S = 60
_MAX_CRON_CHARS = 200
_MAX_INTERVAL_S = 10 * 366 * 86_400
MOST_COUNTED = 10_000
"""Number of times up to which those that passed are counted."""

_FIELDS = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L for the last one"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, where 0 and 7 are Sunday, or SUN to SAT"),
)
_LONGEST_CHANGE = timedelta(hours=3)
"""Clocks are set forward or back by less than this."""
_EXAMPLE = "'30 6 * * MON-FRI' is 06:30 from Monday to Friday"


class DueTimes(NamedTuple):
    """The times of a schedule that have come.

    Parameters
    ----------
    passed : int
        Number of them, at most `MOST_COUNTED`.
    last : float
        The last of them (seconds since the epoch).
    following : float
        The next one, which has not come yet.
    """

    passed: int
    last: float
    following: float


class Timing(CheckedSettings):
    """When runs start: either by a cron expression, or at an interval.

    Clocks that change: a cron expression with a fixed minute and hour means one run per day. A time that a clock skips
    in spring is moved to the end of the gap (02:30 becomes 03:00); of a time that comes twice in autumn, the first one
    counts. An expression whose minute or hour begins with ``*`` follows the clock: it has no time in the gap, and both
    of a time that comes twice. This is what Debian's cron does. An interval is time that passes, whatever clocks show.

    Parameters
    ----------
    cron : str, default=""
        Minute, hour, day of the month, month and day of the week, such as ``30 6 * * MON-FRI``.
    interval_s : float, optional
        Seconds between two runs, at least 60.
    time_zone : str, default="UTC"
        Time zone of the cron expression, by its name in the IANA database, such as "Europe/Berlin".

    Raises
    ------
    SettingsError
        When a value cannot be used; the message names it.

    Examples
    --------
    >>> Timing(cron="30 6 * * *").next_time(0.0) == 6.5 * 3600
    True
    >>> Timing(interval_s=600).next_time(100.0)
    700.0
    >>> Timing(cron="30 26 * * *")
    Traceback (most recent call last):
    core.errors.SettingsError: The hour '26' of '30 26 * * *' cannot be used. The hour is 0 to 23.
    """

    cron: str = ""
    interval_s: float | None = None
    time_zone: str = "UTC"

    @model_validator(mode="after")
    def _check(self) -> Timing:
        if bool(self.cron.strip()) == (self.interval_s is not None):
            both = "both a cron expression and an interval" if self.cron.strip() else "neither"
            raise SettingsError(
                f"A schedule needs a cron expression or an interval; this one has {both}.", "Give one of the two."
            )
        if self.time_zone not in _time_zones():
            raise SettingsError(f"There is no time zone '{self.time_zone[:60]}'.", _nearest_zone(self.time_zone))
        if self.interval_s is not None:
            _check_interval(self.interval_s)
        else:
            _check_cron(self.cron, self.time_zone)
        return self

    def next_time(self, after: float) -> float:
        """Return the first time after another one (seconds since the epoch).

        Raises
        ------
        SettingsError
            When the cron expression has no further time.
        """
        return after + self.interval_s if self.interval_s is not None else next(self._times(after))

    def due_times(self, due: float, now: float) -> DueTimes:
        """Return which times have come since the first that is due.

        Parameters
        ----------
        due : float
            First time that is due, not later than `now`.
        now : float
            The present.
        """
        if self.interval_s is not None:
            passed = math.floor((now - due) / self.interval_s)
            last = due + passed * self.interval_s
            return DueTimes(min(passed + 1, MOST_COUNTED), last, last + self.interval_s)
        count, last = 1, due
        for following in self._times(due):
            if following > now:
                return DueTimes(count, last, following)
            if count == MOST_COUNTED:
                break
            count, last = count + 1, following
        return DueTimes(count, last, next(self._times(now)))

    def describe(self) -> str:
        """Return the timing in words.

        Examples
        --------
        >>> Timing(cron="30 6 * * MON-FRI", time_zone="Europe/Berlin").describe()
        'At 06:30 on Monday through Friday (Europe/Berlin)'
        >>> Timing(interval_s=7200).describe(), Timing(interval_s=60).describe()
        ('Every 2 hours', 'Every minute')
        """
        if self.interval_s is None:
            return f"{CronSim(self.cron, datetime.now(ZoneInfo(self.time_zone))).explain()} ({self.time_zone})"
        names = {86_400: "day", 3600: "hour", 60: "minute", 1: "second"}
        unit = next((size for size in names if self.interval_s % size == 0), 1)
        number = self.interval_s / unit
        return f"Every {names[unit]}" if number == 1 else f"Every {number:,.10g} {names[unit]}s"

    def _times(self, after: float) -> Iterator[float]:
        """Yield the times of the cron expression after another time, in order and each once."""
        zone = ZoneInfo(self.time_zone)
        once = not any(field.startswith("*") for field in self.cron.split()[:2])
        last = after
        waiting: list[float] = []  # of a time that comes twice, the second one may come after the next on the clock
        for clock in CronSim(self.cron, _clock_at(after, zone) - _LONGEST_CHANGE):
            instants = _instants(clock, zone, once=once)
            for instant in instants:
                heapq.heappush(waiting, instant)
            while waiting and instants and waiting[0] <= instants[0]:
                instant = heapq.heappop(waiting)
                if instant > last:
                    last = instant
                    yield instant
        raise SettingsError(f"The cron expression '{self.cron}' has no further time.", f"For example, {_EXAMPLE}.")


def _instants(clock: datetime, zone: ZoneInfo, *, once: bool) -> list[float]:
    """Return when a clock of a time zone shows a time: never, once or twice, or exactly once if it must be.

    Parameters
    ----------
    clock : datetime
        Time that the clock shows.
    zone : ZoneInfo
        Time zone of the clock.
    once : bool
        Whether a time that is skipped is moved to the end of the gap, and one that comes twice is the first one.
    """
    instants = sorted({clock.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1)})
    shown = [instant for instant in instants if _clock_at(instant, zone) == clock]
    while once and not shown:
        clock += timedelta(minutes=1)
        shown = _instants(clock, zone, once=False)
    return shown[:1] if once else shown


def _clock_at(instant: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone).replace(tzinfo=None)


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest_zone(name: str) -> str:
    nearest = difflib.get_close_matches(name, sorted(_time_zones()), 1)
    return f"Did you mean '{nearest[0]}'?" if nearest else "Use a name such as 'Europe/Berlin', or 'UTC'."


def _check_interval(interval_s: float) -> None:
    if interval_s < _MIN_INTERVAL_S:
        raise SettingsError(
            f"An interval of {interval_s:g} s is too short.", f"Choose at least {_MIN_INTERVAL_S} s, one minute."
        )
    if interval_s > _MAX_INTERVAL_S:
        raise SettingsError(f"An interval of {interval_s:g} s is too long.", "Choose at most ten years.")


def _check_cron(cron: str, time_zone: str) -> None:
    if len(cron) > _MAX_CRON_CHARS:
        raise SettingsError(
            f"The cron expression '{cron[:40]}...' has {len(cron):,} characters.", f"Use at most {_MAX_CRON_CHARS}."
        )
    fields = cron.split()
    if len(fields) != len(_FIELDS):
        raise SettingsError(
            f"The cron expression '{cron}' has {len(fields)} {'field' if len(fields) == 1 else 'fields'}, not 5.",
            f"Give minute, hour, day of the month, month and day of the week: {_EXAMPLE}.",
        )
    for index, ((name, values), field) in enumerate(zip(_FIELDS, fields, strict=True)):
        others = ["*"] * len(fields)
        others[index] = field
        try:
            CronSim(" ".join(others), datetime(2000, 1, 1))
        except CronSimError as error:
            raise SettingsError(
                f"The {name} '{field}' of '{cron}' cannot be used.", f"The {name} is {values}."
            ) from error
    try:
        next(CronSim(cron, datetime.now(ZoneInfo(time_zone))))
    except (CronSimError, StopIteration) as error:
        raise SettingsError(
            f"No day of the next 50 years matches the cron expression '{cron}'.",
            "Check day of the month, month and day of the week.",
        ) from error
