"""Deliveries: one process sends each, what fails is tried again and given up, and nothing keeps others waiting."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from core import alerts, jobs
from core.access import LOCAL
from core.alerts import add_channel, change_channel, deliver_due, deliveries, remove_channel
from core.alerts.channel_kinds import CHANNEL_KINDS, ChannelKind
from core.alerts.delivery import CLAIM_S, EXPIRES_S, PAUSE_S
from core.alerts.outcome import MAX_ATTEMPTS, Outcome, retry_delay
from core.catalog import Alert, AlertChannel, AlertDelivery, Model, alert_deliveries
from core.catalog.engine import get_engine
from core.errors import InputError
from tests.unit.alerts.conftest import Use, add_model, raised
from tests.unit.alerts.servers import Hooks, Reply, wait_for

ROOT = Path(__file__).parents[3]
DAY_S = 86_400.0


@pytest.fixture
def model(use: Use, hooks: Hooks) -> Model:
    use()
    return add_model()


def webhook(hooks: Hooks, name: str = "Chat") -> AlertChannel:
    return add_channel("webhook", name, hooks.url, credential="WEBHOOK_TEST", access=LOCAL)


def delivery(alert: Alert, channel: str = "Chat") -> AlertDelivery:
    (only,) = [row for row in deliveries(alert.id, access=LOCAL) if row.channel == channel]
    return only


def sent(hooks: Hooks) -> Counter[str]:
    """Return how often each message came."""
    return Counter(request.headers["X-Plumbline-Delivery"] for request in hooks.requests)


def test_attempts_come_less_and_less_often_within_about_a_day() -> None:
    for draw in (0.0, 0.5, 1.0):
        delays = [retry_delay(number, draw=lambda draw=draw: draw) for number in range(1, MAX_ATTEMPTS)]
        assert delays == sorted(delays)
        assert 0.7 * DAY_S < sum(delays) < 1.3 * DAY_S
    assert len({retry_delay(1) for _ in range(20)}) > 10
    assert retry_delay(100) < DAY_S


def test_what_never_arrives_is_given_up(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    alert = raised(model)
    hooks.replies = [Reply(503) for _ in range(20)]
    began = now = alert.raised_at
    while delivery(alert).state == "waiting":
        now = delivery(alert).next_at
        assert deliver_due(clock=lambda now=now: now) == 0
    assert (delivery(alert).state, delivery(alert).attempts) == ("failed", MAX_ATTEMPTS)
    assert delivery(alert).problem.startswith("Given up after 8 attempts. http://127.0.0.1")
    assert list(sent(hooks).values()) == [MAX_ATTEMPTS]
    assert 0.7 * DAY_S < now - began < 1.3 * DAY_S
    assert deliver_due(clock=lambda: now + EXPIRES_S) == 0
    assert len(hooks.requests) == MAX_ATTEMPTS


RACE = """
import sys, time
from core.alerts import deliver_due
print("ready", flush=True)
sys.stdin.readline()
print(sum(deliver_due() for _ in range(3)), flush=True)
"""


def test_of_several_processes_one_sends_each_message(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    count = 24
    raised_alerts = [raised(model, f"drift/{number}") for number in range(count)]
    for reply in range(count):
        hooks.replies.append(Reply(wait_s=0.01 if reply % 2 else 0.0))
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RACE], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    own: list[int] = []
    thread = threading.Thread(target=lambda: own.append(deliver_due()))
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    thread.start()
    counts = [int(process.communicate(timeout=30)[0]) for process in processes]
    thread.join(30)
    assert sum(counts) + own[0] == count
    assert sent(hooks) == {delivery(alert).id: 1 for alert in raised_alerts}
    assert {delivery(alert).state for alert in raised_alerts} == {"delivered"}


CRASH = """
import os
from core.catalog import alert_deliveries
alert_deliveries.finish = lambda *_, **__: os._exit(9)
from core.alerts import deliver_due
deliver_due()
"""


def test_what_a_process_did_not_note_is_sent_again_with_the_same_id(model: Model, hooks: Hooks) -> None:
    """At least once: the message came, and the process that sent it died before it noted so."""
    webhook(hooks)
    alert = raised(model)
    died = subprocess.run([sys.executable, "-c", CRASH], cwd=ROOT, check=False)
    assert died.returncode == 9
    assert (delivery(alert).state, delivery(alert).attempts) == ("waiting", 1)
    assert deliver_due() == 0, "it may still be at work"
    later = time.time() + CLAIM_S + 1
    assert deliver_due(clock=lambda: later) == 1
    assert sent(hooks) == {delivery(alert).id: 2}
    first, second = hooks.requests
    assert first.body == second.body
    assert (delivery(alert).state, delivery(alert).attempts) == ("delivered", 2)


def test_a_message_that_ends_each_process_is_given_up(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    alert = raised(model)
    for _ in range(MAX_ATTEMPTS):  # as processes that die do
        assert alert_deliveries.claim(delivery(alert), until=delivery(alert).next_at + 1)
    assert deliver_due(clock=lambda: delivery(alert).next_at) == 0
    assert delivery(alert).state == "failed"
    assert "no attempt came to an end" in delivery(alert).problem
    assert hooks.requests == []


def test_a_late_note_of_a_lost_claim_counts_only_where_it_arrived(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    alert = raised(model)
    stored, now = delivery(alert), time.time()
    assert alert_deliveries.claim(stored, until=now + 1)
    assert not alert_deliveries.claim(stored, until=now + 2), "another one has it"
    assert alert_deliveries.claim(delivery(alert), until=now + 3), "its time is over"
    alert_deliveries.finish(stored, "failed", until=now + 1, at=now, problem="x")
    assert (delivery(alert).state, delivery(alert).problem) == ("waiting", "")
    alert_deliveries.finish(stored, "delivered", until=now + 1, at=now)
    assert delivery(alert).state == "delivered"
    alert_deliveries.finish(stored, "failed", until=now + 3, at=now, problem="x")
    assert delivery(alert).state == "delivered"


def test_what_is_too_old_is_not_sent(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    alert = raised(model)
    assert deliver_due(clock=lambda: time.time() + EXPIRES_S + 60) == 0
    assert delivery(alert).state == "failed"
    assert "more than 7 days before" in delivery(alert).problem
    assert hooks.requests == []


@pytest.mark.parametrize("how", ["resolved", "muted", "off", "removed"])
def test_what_is_no_longer_wanted_is_not_sent(model: Model, hooks: Hooks, how: str) -> None:
    channel = webhook(hooks)
    alert = raised(model)
    if how == "resolved":
        alerts.resolve(alert.id, access=LOCAL)
    elif how == "muted":
        alerts.mute(alert.id, until=None, why="Known.", access=LOCAL)
    elif how == "off":
        change_channel(channel.id, enabled=False, access=LOCAL)
    else:
        remove_channel(channel.id, access=LOCAL)
    assert delivery(alert).state == "withdrawn"
    assert delivery(alert).problem.endswith("before this was sent." if how in ("off", "removed") else "it was sent.")
    assert deliver_due() == 0
    assert hooks.requests == []


def test_what_was_acknowledged_is_sent_to_the_others(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    alerts.acknowledge(raised(model).id, access=LOCAL)
    assert deliver_due() == 1


def test_what_was_sent_stays_known_without_its_channel(model: Model, hooks: Hooks) -> None:
    channel = webhook(hooks)
    alert = raised(model)
    deliver_due()
    remove_channel(channel.id, access=LOCAL)
    assert (delivery(alert).state, delivery(alert).channel, delivery(alert).kind) == ("delivered", "Chat", "webhook")


def test_a_server_that_does_not_answer_keeps_nobody_waiting(
    model: Model, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.alerts.webhook.post.__kwdefaults__", {"timeout_s": 0.2})
    with Hooks() as slow:
        slow.replies = [Reply(wait_s=5) for _ in range(10)]
        webhook(slow, "Slow")
        webhook(hooks, "Quick")
        waiting = [raised(model, f"drift/{number}") for number in range(6)]
        assert deliver_due(turn_s=20) == 6
        assert len(slow.requests) == 1, "the others through this channel wait a minute"
        states = [delivery(alert, "Slow") for alert in waiting]
        assert sorted(row.attempts for row in states) == [0, 0, 0, 0, 0, 1]
        assert all(0 < row.next_at - time.time() <= PAUSE_S for row in states)
        assert len(hooks.requests) == 6


def test_a_turn_ends_in_time(model: Model, hooks: Hooks) -> None:
    webhook(hooks)
    hooks.replies = [Reply(wait_s=0.05) for _ in range(50)]
    for number in range(12):
        raised(model, f"drift/{number}")
    assert 1 <= deliver_due(turn_s=0.2) <= 5
    while deliver_due(turn_s=0.2):
        pass
    assert len(hooks.requests) == 12


@pytest.mark.parametrize("error", [RuntimeError("secret"), InputError("It is not one.", "")])
def test_a_kind_of_an_extension_may_fail(model: Model, hooks: Hooks, error: Exception) -> None:
    def send(*_: Any) -> Outcome:
        raise error

    kind = ChannelKind(
        "pager", "Pager", "x", "x", "x", False, lambda given: given, send, lambda channel: channel.target
    )
    CHANNEL_KINDS.add(kind)
    try:
        add_channel("pager", "Chat", "1234", access=LOCAL)
        alert = raised(model)
        assert deliver_due() == 0
        assert delivery(alert).state == ("failed" if isinstance(error, InputError) else "waiting")
        assert "secret" not in delivery(alert).problem
    finally:
        CHANNEL_KINDS.remove("pager")
    assert deliver_due(clock=lambda: time.time() + 60) == 0, "the extension is no longer there"


def test_a_server_sends_while_nobody_looks(use: Use, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of the timekeeper does, in a process of its own here."""
    use(TICK_EVERY_S="0.1")
    webhook(hooks)
    process = subprocess.Popen([sys.executable, "-m", "core.jobs"], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        alert = raised(add_model())
        assert wait_for(lambda: hooks.requests, 30)
        assert wait_for(lambda: delivery(alert).state == "delivered")
    finally:
        process.terminate()
        process.wait(20)
    assert jobs.keeps_time() is False


def test_times_without_anything_due_are_cheap(model: Model) -> None:
    statements: list[str] = []
    sa.event.listen(get_engine(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert deliver_due() == 0
    assert len([statement for statement in statements if not statement.startswith("BEGIN")]) == 1
