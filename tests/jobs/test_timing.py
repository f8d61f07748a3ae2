"""Times of schedules: as a plain enumeration of minutes says, and as Debian's manual does where clocks change."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from core.errors import SettingsError
from core.jobs import Timing
from core.jobs.timing import MOST_COUNTED

CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29)),  # 02:00 becomes 03:00
    ("Europe/Berlin", datetime(2026, 10, 25)),  # 03:00 becomes 02:00
    ("America/Havana", datetime(2026, 3, 8)),  # midnight becomes 01:00
    ("Australia/Lord_Howe", datetime(2026, 4, 5)),  # by half an hour
]
CRONS = [
    "30 2 * * *",
    "0 0 * * *",
    "30 0,1,2,3 * * *",
    "15,45 2 * * *",
    "0 3 * * 0",
    "45 1 29,25,8,1,5 * *",
    "*/20 * * * *",
    "10 * * * *",
    "*/30 2 * * *",
    "0 */2 * * *",
]


def numbers(field, low, high):
    """Return the values of a field of numbers, lists, ranges and steps."""
    values = set()
    for part in field.split(","):
        text, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if text == "*" else text).partition("-")
        values |= set(range(int(first), int(last or first) + 1, int(step or 1)))
    return values


def matches(cron, local):
    minute, hour, day, month, weekday = (
        numbers(field, low, high)
        for field, low, high in zip(cron.split(), (0, 0, 1, 1, 0), (59, 23, 31, 12, 6), strict=True)
    )
    return (
        local.minute in minute
        and local.hour in hour
        and local.month in month
        and local.day in day
        and (local.weekday() + 1) % 7 in weekday
    )


def enumerated(cron, zone, start, end):
    """Return all times between two of UTC: minute by minute, and for fixed times by the hands of the clock."""
    minutes = [start + timedelta(minutes=number) for number in range(int((end - start).total_seconds() // 60) + 1)]
    locals_of = {minute: minute.astimezone(zone).replace(tzinfo=None) for minute in minutes}
    if any(field.startswith("*") for field in cron.split()[:2]):
        return [minute for minute in minutes[1:] if matches(cron, locals_of[minute])]
    first_at = {local: minute for minute, local in reversed(locals_of.items())}  # of what comes twice, the first
    times = set()
    for (_, shown), (minute, following) in pairwise(locals_of.items()):
        hands = shown + timedelta(minutes=1)
        while hands <= following:  # in a gap, all hands that are skipped fall on its end
            if matches(cron, hands) and first_at.get(hands, minute) == minute:
                times.add(minute)
            hands += timedelta(minutes=1)
    return sorted(times)


@pytest.mark.parametrize(("name", "day"), CHANGES)
def test_times_are_those_of_an_enumeration_where_clocks_change(name, day):
    zone = ZoneInfo(name)
    start = day.replace(tzinfo=zone).astimezone(UTC) - timedelta(hours=3)
    end = start + timedelta(hours=30)
    for cron in CRONS:
        timing = Timing(cron=cron, time_zone=name)
        times, after = [], start.timestamp()
        while (after := timing.next_time(after)) <= end.timestamp():
            times.append(datetime.fromtimestamp(after, UTC))
        assert times == enumerated(cron, zone, start, end), cron


@pytest.mark.parametrize(
    ("time_zone", "cron", "after", "expected"),
    [
        ("Europe/Berlin", "30 2 * * *", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"),
        ("Europe/Berlin", "30 2 * * *", "2026-10-25T02:15:00+01:00", "2026-10-26T02:30:00+01:00"),
        ("UTC", "0 0 29 2 *", "2026-01-01T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        ("UTC", "0 0 L * *", "2026-02-01T00:00:00+00:00", "2026-02-28T00:00:00+00:00"),
        ("Asia/Tokyo", "0 9 * * MON#1", "2026-06-02T00:00:00+09:00", "2026-07-06T09:00:00+09:00"),
        ("UTC", "30 6 * * mon-fri", "2026-11-27T06:30:00.5+00:00", "2026-11-30T06:30:00+00:00"),
    ],
)
def test_next_times_that_a_calendar_shows(time_zone, cron, after, expected):
    at = Timing(cron=cron, time_zone=time_zone).next_time(datetime.fromisoformat(after).timestamp())
    assert datetime.fromtimestamp(at, UTC) == datetime.fromisoformat(expected)


@pytest.mark.parametrize("timing", [Timing(interval_s=90), Timing(cron="*/7 3,4 * * *"), Timing(cron="0 */6 * * *")])
@pytest.mark.parametrize("late_s", [0, 1, 89.5, 90, 20_000, 400_000])
def test_times_that_have_come_are_counted(timing, late_s):
    due = timing.next_time(1_790_000_000.0)
    passed, last, following = 1, due, timing.next_time(due)
    while following <= due + late_s:
        passed, last, following = passed + 1, following, timing.next_time(following)
    assert timing.due_times(due, due + late_s) == (passed, last, following)


@pytest.mark.parametrize("timing", [Timing(cron="* * * * *"), Timing(interval_s=60)])
def test_after_years_it_counts_to_a_limit_and_continues_from_now(timing):
    passed, _, following = timing.due_times(0.0, 1_790_000_030.0)
    assert passed == MOST_COUNTED
    assert 1_790_000_030 < following <= 1_790_000_090


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ({}, "has neither", "one of the two"),
        ({"cron": " "}, "has neither", "one of the two"),
        ({"cron": "* * * * *", "interval_s": 60}, "has both", "one of the two"),
        ({"interval_s": 59}, "interval of 59 s is too short", "at least 60 s"),
        ({"interval_s": -5.0}, "-5 s is too short", "60 s"),
        ({"interval_s": 1e10}, "too long", "ten years"),
        ({"interval_s": float("nan")}, "interval_s", ""),
        ({"cron": "61 * * * *"}, "minute '61' of '61 * * * *'", "0 to 59"),
        ({"cron": "* 5-3 * * *"}, "hour '5-3'", "0 to 23"),
        ({"cron": "* * 0 * *"}, "day of the month '0'", "1 to 31"),
        ({"cron": "* * * JANUARY *"}, "month 'JANUARY'", "JAN to DEC"),
        ({"cron": "* * * * MON-²"}, "day of the week 'MON-²'", "SUN to SAT"),
        ({"cron": "*/0 * * * *"}, "minute '*/0'", "0 to 59"),
        ({"cron": "@daily"}, "has 1 field, not 5", "minute, hour"),
        ({"cron": "0 0 * * * *"}, "has 6 fields, not 5", "minute, hour"),
        ({"cron": "0 0 30 2 *"}, "No day of the next 50 years matches", "month"),
        ({"cron": "* * */20 * 1L"}, "No day of the next 50 years matches", "month"),
        ({"cron": "1," * 200 + "1 * * * *"}, "409 characters", "at most 200"),
        ({"cron": "0 0 * * *", "time_zone": "Europe/Berln"}, "time zone 'Europe/Berln'", "'Europe/Berlin'"),
        ({"cron": "0 0 * * *", "time_zone": "../../etc/passwd"}, "time zone '../../etc/passwd'", "UTC"),
        ({"cron": "0 0 * * *", "time_zone": "America"}, "time zone 'America'", "'America"),
        ({"interval_s": 60, "time_zone": ""}, "time zone ''", "UTC"),
    ],
)
def test_what_cannot_be_used_is_named(fields, message, hint):
    with pytest.raises(SettingsError, match=re.escape(message)) as caught:
        Timing(**fields)
    assert hint in caught.value.hint
