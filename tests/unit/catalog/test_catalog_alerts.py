"""Alerts, channels and deliveries on both databases: each is made and taken once, whoever comes first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlmodel import select

from core.access import INSTALLATION, LOCAL
from core.catalog import (
    Alert,
    AlertChannel,
    AlertDelivery,
    Model,
    ModelVersion,
    alert_channels,
    alert_deliveries,
    alerts,
    audit,
    models,
)
from core.catalog.engine import reading, writing
from core.errors import InputError, NotFoundError

OTHER = replace(LOCAL, workspace="other")


@pytest.fixture
def model(catalog: str) -> Model:
    version = ModelVersion(workspace="local", model_id="", run_id="1" * 16, kind="table")
    return models.add_version("Churn", version, access=LOCAL)[0]


@pytest.fixture
def channel(catalog: str) -> AlertChannel:
    row = AlertChannel(workspace="local", kind="webhook", name="Chat", target="https://hooks.example.org/x")
    return alert_channels.add(row, access=LOCAL)


def alert(model: Model, event: str = "drift", **values: object) -> Alert:
    return Alert(workspace="local", model_id=model.id, event=event, title="Drift", raised_at=100.0, **values)


def test_an_event_is_one_alert_however_many_raise_it(model: Model, channel: AlertChannel) -> None:
    barrier = threading.Barrier(4)

    def add(number: int) -> tuple[Alert, bool]:
        barrier.wait()
        return alerts.add(alert(model, message=str(number)), access=LOCAL)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(add, range(4)))
    assert sum(new for _, new in answers) == 1
    assert len({row.id for row, _ in answers}) == 1
    (stored,) = alerts.find(access=LOCAL)
    (waiting,) = alert_deliveries.of_alert(stored.id, access=LOCAL)
    assert (waiting.state, waiting.next_at, waiting.channel, waiting.model_id) == ("waiting", 100.0, "Chat", model.id)


def test_open_alerts_begin_with_the_most_severe(model: Model) -> None:
    levels = ("info", "critical", "warning", "critical")
    rows = [alerts.add(alert(model, str(number), level=level), access=LOCAL)[0] for number, level in enumerate(levels)]
    alerts.decide(rows[1].id, "muted", until=500.0, access=LOCAL)
    alerts.decide(rows[2].id, "acknowledged", access=LOCAL)
    assert [row.event for row in alerts.open_alerts(now=499.0, access=LOCAL)] == ["3", "0"]
    assert {row.event for row in alerts.open_alerts(now=500.0, limit=2, access=LOCAL)} == {"3", "1"}


def test_a_delivery_is_taken_once(model: Model, channel: AlertChannel) -> None:
    for number in range(5):
        alerts.add(alert(model, str(number)), access=LOCAL)
    barrier = threading.Barrier(3)
    taken: list[str] = []

    def work() -> None:
        barrier.wait()
        while (due := alert_deliveries.next_due(150.0)) is not None:
            if alert_deliveries.claim(due, until=270.0):
                taken.append(due.id)
                alert_deliveries.finish(due, "delivered", until=270.0, at=151.0)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 5
    with reading(INSTALLATION) as session:
        rows = session.exec(select(AlertDelivery)).all()
    assert {(row.state, row.attempts, row.delivered_at) for row in rows} == {("delivered", 1, 151.0)}


def test_decisions_of_two_people_are_one(model: Model, channel: AlertChannel) -> None:
    stored, _ = alerts.add(alert(model), access=LOCAL)
    barrier = threading.Barrier(2)

    def decide(name: str) -> bool:
        barrier.wait()
        try:
            alerts.decide(stored.id, "resolved", access=replace(LOCAL, actor=name))
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(decide, ("ada", "bob"))) == 1
    assert len([record for record in audit.find(access=LOCAL) if record.action == "resolve"]) == 1
    assert alert_deliveries.next_due(1e12) is None
    (delivery,) = alert_deliveries.of_alert(stored.id, access=LOCAL)
    assert delivery.state == "withdrawn"


def test_a_name_is_that_of_one_channel_of_a_workspace(catalog: str, channel: AlertChannel) -> None:
    def named(workspace: str, name: str) -> AlertChannel:
        return AlertChannel(workspace=workspace, kind="webhook", name=name, target="x")

    with pytest.raises(InputError, match="There is an alert channel 'Chat' already"):
        alert_channels.add(named("local", "Chat"), access=LOCAL)
    alert_channels.add(named("other", "Chat"), access=OTHER)
    second = alert_channels.add(named("local", "Second"), access=LOCAL)
    with pytest.raises(InputError, match="There is an alert channel 'Chat' already"):
        alert_channels.change(second.id, name="Chat", access=LOCAL)
    assert [row.name for row in alert_channels.find(access=LOCAL)] == ["Chat", "Second"]
    for call in (
        lambda: alert_channels.change(channel.id, name="x", access=OTHER),
        lambda: alert_channels.remove(channel.id, access=OTHER),
        lambda: alert_channels.note_trial(channel.id, "", access=OTHER),
        lambda: alert_channels.get(channel.id, access=OTHER),
    ):
        with pytest.raises(NotFoundError, match=f"There is no alert channel '{channel.id}'"):
            call()


def test_rows_of_another_workspace_are_not_there(model: Model, channel: AlertChannel) -> None:
    stored, _ = alerts.add(alert(model), access=LOCAL)
    assert alerts.find(access=OTHER) == [] == alerts.of_model(model.id, access=OTHER)
    assert alert_deliveries.of_alert(stored.id, access=OTHER) == []
    with pytest.raises(NotFoundError):
        alerts.decide(stored.id, "resolved", access=OTHER)
    with pytest.raises(NotFoundError):
        alerts.add(alert(model, "another"), access=OTHER)
    alert_id, stored.title = stored.id, "mine"
    with pytest.raises(NotFoundError), writing(OTHER) as session:
        session.add(stored)
    assert alerts.get(alert_id, access=LOCAL).title == "Drift"


def test_what_is_due_waits_and_is_postponed_by_channel(model: Model, channel: AlertChannel) -> None:
    other = AlertChannel(workspace="local", kind="email", name="Team", target="x")
    alert_channels.add(other, access=LOCAL)
    stored, _ = alerts.add(alert(model), access=LOCAL)
    assert alert_deliveries.next_due(99.0) is None
    alert_deliveries.postpone(channel.id, now=100.0, until=160.0)
    first, second = alert_deliveries.of_alert(stored.id, access=LOCAL)
    assert [(row.channel, row.next_at) for row in (first, second)] == [("Chat", 160.0), ("Team", 100.0)]
    due = alert_deliveries.next_due(200.0)
    assert due is not None
    assert due.id == second.id, "the one that waited for longest"
    known, through, about = alert_deliveries.parts(due) or (None, None, None)
    assert (known, through, about) == (stored, other, model)


def test_the_newest_delivery_of_a_channel_is_one_that_was_tried(model: Model, channel: AlertChannel) -> None:
    alert = Alert(workspace="local", model_id=model.id, event="drift/1", title="Drift", level="critical")
    alerts.add(alert, access=LOCAL)
    assert alert_deliveries.newest(channel.id, access=LOCAL) is None
    due = alert_deliveries.next_due(2e9)
    assert due is not None
    assert alert_deliveries.claim(due, until=2e9)
    newest = alert_deliveries.newest(channel.id, access=LOCAL)
    assert newest is not None
    assert newest.attempts == 1
    assert alert_deliveries.newest(channel.id, access=OTHER) is None
