"""Webhooks: what is sent, how a receiver knows who sent it, and what follows from each answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from core.access import LOCAL
from core.alerts import add_channel, deliver_due, deliveries, raise_alert
from core.catalog import Alert, AlertDelivery, alert_channels, models
from tests.unit.alerts.conftest import SECRET, Use, add_model, raised
from tests.unit.alerts.servers import Hooks, Reply, Request

DOCS = Path(__file__).parents[3] / "docs" / "alerts.md"


class Clock:
    """The present, as a test sets it."""

    def __init__(self) -> None:
        self.now = time.time() + 1

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alert(use: Use, hooks: Hooks) -> Alert:
    """An alert that waits to be sent to a server."""
    use(PUBLIC_URL="https://ml.example.org")
    add_channel("webhook", "Chat", hooks.url, credential="WEBHOOK_TEST", access=LOCAL)
    return raised(add_model(), level="critical", message="8 of 15.", hint="Train again.", facts={"drifted": 8})


def delivery(alert: Alert) -> AlertDelivery:
    (only,) = deliveries(alert.id, access=LOCAL)
    return only


def documented(request: Request, secret: str, **values: Any) -> bool:
    """Check a request as the documentation says."""
    code = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    return bool(names["is_ours"](request.headers, request.body, secret, **values))


def test_the_body_is_as_documented(alert: Alert, hooks: Hooks, clock: Clock) -> None:
    assert deliver_due(clock=clock) == 1
    (request,) = hooks.requests
    body = json.loads(request.body)
    example = re.search(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert example is not None

    def keys(value: Any) -> Any:
        return {key: keys(item) for key, item in value.items() if key != "facts"} if isinstance(value, dict) else None

    assert keys(body) == keys(json.loads(example[1]))
    assert body["text"] == "Critical: Churn: Half of the columns have drifted"
    assert body["alert"]["facts"] == {"drifted": 8}
    assert (body["alert"]["id"], body["alert"]["event"], body["delivery"]) == (alert.id, "drift/1", delivery(alert).id)
    assert datetime.fromisoformat(body["alert"]["raised_at"]).timestamp() == pytest.approx(alert.raised_at, abs=1)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Plumbline-Event"] == "alert"
    assert request.headers["X-Plumbline-Delivery"] == delivery(alert).id
    stored = delivery(alert)
    assert (stored.state, stored.attempts, stored.problem) == ("delivered", 1, "")
    assert stored.delivered_at == clock.now


def test_a_receiver_knows_who_sent_it(alert: Alert, hooks: Hooks, clock: Clock) -> None:
    deliver_due(clock=clock)
    (request,) = hooks.requests
    timestamp = request.headers["X-Plumbline-Timestamp"]
    digest = hmac.digest(SECRET.encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256).hex()
    assert request.headers["X-Plumbline-Signature"] == f"sha256={digest}"
    assert int(timestamp) == pytest.approx(clock.now, abs=1)
    assert documented(request, SECRET)
    assert not documented(request, "another secret")
    assert not documented(request, SECRET, now=clock.now + 400), "it is a copy of an old one"
    changed = Request(request.path, request.headers, request.body.replace(b"Churn", b"Fraud"))
    assert not documented(changed, SECRET)
    later = Request(request.path, {**request.headers, "X-Plumbline-Timestamp": str(int(timestamp) + 1)}, request.body)
    assert not documented(later, SECRET)


@pytest.mark.parametrize("first", [500, 503, 408, 429])
def test_an_answer_for_now_is_followed_by_another_attempt(alert: Alert, hooks: Hooks, clock: Clock, first: int) -> None:
    hooks.replies = [Reply(first), Reply(closes=True), Reply(204)]
    assert deliver_due(clock=clock) == 0
    waits = delivery(alert)
    assert (waits.state, waits.attempts) == ("waiting", 1)
    assert 24 <= waits.next_at - clock.now <= 36
    assert f"answered {first} (" in waits.problem
    assert alert_channels.find(access=LOCAL)[0].problem == waits.problem
    assert deliver_due(clock=clock) == 0
    assert len(hooks.requests) == 1, "it is not yet time"
    clock.now = waits.next_at
    assert deliver_due(clock=clock) == 0
    assert "closed the connection" in delivery(alert).problem
    clock.now = delivery(alert).next_at
    assert deliver_due(clock=clock) == 1
    assert (delivery(alert).state, delivery(alert).attempts) == ("delivered", 3)
    assert alert_channels.find(access=LOCAL)[0].problem == ""
    assert len({(request.body, request.headers["X-Plumbline-Delivery"]) for request in hooks.requests}) == 1
    stamps = [request.headers["X-Plumbline-Timestamp"] for request in hooks.requests]
    assert stamps == sorted(set(stamps)), "each attempt has its own time"
    assert all(documented(request, SECRET, now=clock.now) for request in hooks.requests)


def test_what_a_server_asks_to_wait_counts_within_bounds(alert: Alert, hooks: Hooks, clock: Clock) -> None:
    day = 86_400
    expected = {
        "600": (600, 600),
        "1": (24 * 4, 36 * 4),
        str(30 * day): (day / 2, day / 2),
        "soon": (24 * 64, 36 * 64),
        "-5": (24 * 256, 36 * 256),
    }
    for header, (low, high) in expected.items():
        hooks.replies = [Reply(429, {"Retry-After": header})]
        deliver_due(clock=clock)
        assert low <= delivery(alert).next_at - clock.now <= high, header
        clock.now = delivery(alert).next_at


def test_a_server_may_ask_for_a_date(alert: Alert, hooks: Hooks, clock: Clock) -> None:
    date = datetime.fromtimestamp(clock.now + 7_200, UTC)
    hooks.replies = [Reply(503, {"Retry-After": format_datetime(date, usegmt=True)})]
    deliver_due(clock=clock)
    assert delivery(alert).next_at - clock.now == pytest.approx(7_200, abs=2)


def test_a_no_is_final(alert: Alert, hooks: Hooks, clock: Clock) -> None:
    model = models.get(alert.model_id, access=LOCAL)
    for status in (400, 401, 403, 404, 405, 410, 413, 422, 451, 499):
        hooks.replies = [Reply(), Reply(status)][bool(hooks.requests) :]
        refused = raised(model, str(status))
        deliver_due(clock=clock)
        assert (delivery(refused).state, delivery(refused).attempts) == ("failed", 1)
        assert str(status) in delivery(refused).problem
    clock.now += 86_400
    deliver_due(clock=clock)
    assert len(hooks.requests) == 11


@pytest.mark.parametrize("target", ["{}", "file:///etc/passwd", "http://169.254.169.254/latest/"])
def test_a_redirect_is_final_and_leads_nowhere(alert: Alert, hooks: Hooks, clock: Clock, target: str) -> None:
    with Hooks() as other:
        hooks.replies = [Reply(307, {"Location": target.format(other.url)})]
        deliver_due(clock=clock)
        assert other.requests == []
    assert delivery(alert).state == "failed"
    assert "Redirects are not followed" in delivery(alert).problem


def test_an_address_may_be_a_secret_itself(use: Use, hooks: Hooks, clock: Clock) -> None:
    home = use(SECRET_WEBHOOK_URL=f"{hooks.url}/T0/B0/token")
    channel = add_channel("webhook", "Chat", " credential:WEBHOOK_URL", credential="WEBHOOK_TEST", access=LOCAL)
    alert = raised(add_model())
    hooks.replies = [Reply(500)]
    deliver_due(clock=clock)
    assert hooks.requests[0].path == "/hook/T0/B0/token"
    assert channel.target == "credential:WEBHOOK_URL"
    assert "token" not in delivery(alert).problem
    assert not any(b"B0/token" in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_names_are_no_mentions_and_no_links_in_a_chat(use: Use, hooks: Hooks, clock: Clock) -> None:
    use()
    add_channel("webhook", "Chat", hooks.url, credential="WEBHOOK_TEST", access=LOCAL)
    title = "<!channel> <https://evil.example/login|sign in>.csv @here could not be read"
    raise_alert(add_model("A & B").id, "x", title, access=LOCAL)
    deliver_due(clock=clock)
    body = json.loads(hooks.requests[-1].body)
    assert "<" not in body["text"]
    assert "@here" not in body["text"]
    assert "A &amp; B" in body["text"]
    assert body["alert"]["title"] == title, "only the line that chats show is written for them"
