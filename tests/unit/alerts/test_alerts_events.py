"""Alerts: raised once per event, decided on by people, gone with their model or workspace, and in backups."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlmodel import select

from core import alerts, backup, deletion, upkeep
from core.access import INSTALLATION, LOCAL, Access, Role
from core.alerts import CHANNEL_KINDS
from core.catalog import Alert, AlertDelivery, Model, audit, models, visitors
from core.catalog import alerts as rows
from core.catalog.engine import reading, writing
from core.catalog.hidden import ALL_ROWS
from core.errors import DeniedError, InputError, NotFoundError, PlumblineError, SettingsError
from core.installation import check as check_installation
from tests.unit.alerts.conftest import Use, add_model, mail_settings, raised
from tests.unit.alerts.servers import Mails

ADA = replace(LOCAL, actor="ada@example.org")
VIEWER = replace(LOCAL, role=Role.VIEWER)
OTHER = replace(LOCAL, workspace="other")


@pytest.fixture
def model(use: Use) -> Model:
    use()
    return add_model()


def test_an_event_is_one_alert(model: Model) -> None:
    first, new = alerts.raise_alert(
        model.id,
        "drift/1",
        "Half of the\ncolumns have drifted",
        level="critical",
        message="8 of 15.\nSince Monday.",
        hint="Train again.",
        facts={"columns": 15, "share": float("nan")},
        run_id="1" * 16,
        access=LOCAL,
    )
    assert new
    assert (first.title, first.message) == ("Half of the columns have drifted", "8 of 15.\nSince Monday.")
    assert first.facts == {"columns": 15, "share": None}
    again, new = alerts.raise_alert(model.id, "drift/1", "Other words", level="info", access=LOCAL)
    assert not new
    assert (again.id, again.title, again.level) == (first.id, first.title, "critical")
    alerts.resolve(first.id, access=LOCAL)
    assert alerts.raise_alert(model.id, "drift/1", "Other words", access=LOCAL)[0].state == "resolved"
    assert raised(model, "drift/2").id != first.id
    assert raised(add_model("Fraud"), "drift/1").id != first.id, "of another model"
    assert len(rows.find(access=LOCAL)) == 3


def test_the_most_severe_come_first(model: Model) -> None:
    order = [raised(model, level, level=level).id for level in ("info", "warning", "critical")]
    order.append(raised(model, "another", level="critical").id)
    with writing(INSTALLATION) as session:  # as if some time lay between them
        for second, alert_id in enumerate(order):
            session.get(Alert, alert_id).raised_at = float(second)  # type: ignore[union-attr]
    assert [alert.id for alert in alerts.open_alerts(access=LOCAL)] == [order[3], order[2], order[1], order[0]]
    assert [alert.id for alert in alerts.alerts_of(model.id, access=LOCAL)] == order[::-1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"level": "fatal"}, "'fatal' is not a level"),
        ({"event": " "}, "is not a key of an event"),
        ({"event": "x" * 201}, "is not a key of an event"),
        ({"title": " \n"}, "needs a title"),
    ],
)
def test_what_cannot_be_an_alert_is_refused(model: Model, values: dict[str, str], message: str) -> None:
    given = {"event": "drift/1", "title": "Drift"} | values
    with pytest.raises(InputError, match=message):
        alerts.raise_alert(model.id, given.pop("event"), given.pop("title"), access=LOCAL, **given)  # type: ignore[arg-type]
    assert rows.find(access=LOCAL) == []


def test_a_row_that_was_made_by_hand_is_checked_as_well(model: Model) -> None:
    for values in (
        {"level": "fatal"},
        {"title": ""},
        {"title": "x" * 301},
        {"message": "x" * 4_001},
        {"facts": {"rows": ["x" * 70_000]}},
        {"state": "resolved"},
        {"decided_at": 1.0},
    ):
        own = {"workspace": "local", "model_id": model.id, "event": "x", "title": "x"} | values
        with pytest.raises(InputError):
            rows.add(Alert(**own), access=LOCAL)
    assert rows.find(access=LOCAL) == []


def test_texts_that_are_too_long_are_shortened(model: Model) -> None:
    alert, _ = alerts.raise_alert(model.id, "x", "t" * 400, message="m" * 5_000, access=LOCAL)
    assert (len(alert.title), len(alert.message)) == (300, 4_000)
    assert alert.title.endswith("…")
    assert alert.message.endswith("…")


def test_people_decide_and_the_log_says_so(model: Model) -> None:
    first, second, third = (raised(model, f"drift/{number}") for number in range(3))
    acknowledged = alerts.acknowledge(first.id, why=" I look into it. ", access=ADA)
    assert (acknowledged.state, acknowledged.decided_by) == ("acknowledged", ADA.actor)
    assert acknowledged.decided_why == "I look into it."
    until = time.time() + 60
    alerts.mute(second.id, until=until, why="A campaign runs.", access=ADA)
    alerts.mute(third.id, until=None, why="Known.", access=ADA)
    assert alerts.open_alerts(access=LOCAL) == []
    assert [alert.id for alert in rows.open_alerts(now=until, access=LOCAL)] == [second.id]
    assert rows.get(second.id, access=LOCAL).state_at(until) == "open"
    alerts.acknowledge(third.id, access=ADA)
    assert alerts.resolve(third.id, access=ADA).muted_until is None
    said = [(record.action, record.who, record.details.get("why")) for record in audit.find(access=LOCAL)]
    assert said[:5] == [
        ("resolve", ADA.actor, None),
        ("acknowledge", ADA.actor, None),
        ("mute", ADA.actor, "Known."),
        ("mute", ADA.actor, "A campaign runs."),
        ("acknowledge", ADA.actor, "I look into it."),
    ]
    for decide in (
        lambda: alerts.resolve(third.id, access=LOCAL),
        lambda: alerts.acknowledge(third.id, access=LOCAL),
        lambda: alerts.mute(third.id, until=None, why="x", access=LOCAL),
        lambda: alerts.acknowledge(first.id, access=LOCAL),
    ):
        with pytest.raises(InputError, match=f"by {ADA.actor} already"):
            decide()


@pytest.mark.parametrize(("until", "why"), [(None, " "), (1.0, "x"), (float("nan"), "x"), (float("inf"), "x")])
def test_a_mute_has_a_reason_and_an_end_to_come(model: Model, until: float | None, why: str) -> None:
    alert = raised(model)
    with pytest.raises(InputError):
        alerts.mute(alert.id, until=until, why=why, access=LOCAL)
    assert rows.get(alert.id, access=LOCAL).state == "open"


def test_viewers_look_and_strangers_see_nothing(model: Model) -> None:
    alert = raised(model)
    assert alerts.open_alerts(access=VIEWER) == [alert] == alerts.alerts_of(model.id, access=VIEWER)
    assert alerts.deliveries(alert.id, access=VIEWER) == []
    assert alerts.open_alerts(access=OTHER) == [] == alerts.alerts_of(model.id, access=OTHER)
    for access, error in ((VIEWER, DeniedError), (OTHER, NotFoundError)):
        for decide in (
            lambda access=access: alerts.acknowledge(alert.id, access=access),
            lambda access=access: alerts.mute(alert.id, until=None, why="x", access=access),
            lambda access=access: alerts.resolve(alert.id, access=access),
            lambda access=access: raised(model, "drift/2", access=access),
        ):
            with pytest.raises(error):
                decide()
    for look in (rows.get, alerts.deliveries):
        with pytest.raises(NotFoundError, match=f"There is no alert '{alert.id}'"):
            look(alert.id, access=OTHER)
    with pytest.raises(NotFoundError, match="no model"):
        raised(Model(id="0" * 16, workspace="local", name="x"))
    assert rows.find(access=LOCAL) == [alert]


def test_alerts_go_with_their_model_and_come_back_with_it(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails))
    model, stays = add_model(), add_model("Fraud")
    alerts.add_channel("email", "Team", "team@example.org", access=LOCAL)
    gone, kept = raised(model), raised(stays)
    assert "1 alert with what was sent about it" in " ".join(deletion.plan("model", model.id, access=LOCAL).goes)
    deletion.delete("model", model.id, access=LOCAL)
    assert rows.find(access=LOCAL) == [kept] == alerts.open_alerts(access=LOCAL)
    for look in (rows.get, alerts.deliveries, alerts.acknowledge):
        with pytest.raises(NotFoundError):
            look(gone.id, access=LOCAL)
    assert alerts.deliver_due() == 1, "what is deleted is not sent"
    (marked,) = deletion.undoable(types=("model",), access=LOCAL)
    deletion.undo(marked.id, access=LOCAL)
    assert {alert.id for alert in rows.find(access=LOCAL)} == {gone.id, kept.id}
    assert alerts.deliver_due() == 1
    deletion.delete("model", model.id, access=LOCAL)
    upkeep.purge(after_s=-1)
    with reading(INSTALLATION) as session:
        assert [row.id for row in session.exec(select(Alert), execution_options=ALL_ROWS)] == [kept.id]
        left = session.exec(select(AlertDelivery), execution_options=ALL_ROWS)
        assert [row.alert_id for row in left] == [kept.id]


def test_nothing_is_left_of_a_workspace_that_is_removed(use: Use) -> None:
    use(PROFILE="demo")
    visitor = visitors.visit(f"v-{'a' * 32}")
    raised(add_model(access=visitor), access=visitor)
    assert visitors.close(visitor.workspace)
    assert upkeep.remove_workspace(visitor.workspace)
    with reading(INSTALLATION) as session:
        assert session.exec(select(Alert), execution_options=ALL_ROWS).all() == []


def test_a_backup_has_them(use: Use, installation: object, mails: Mails, tmp_path: Path) -> None:
    use(**mail_settings(mails))
    alerts.add_channel("email", "Team", "team@example.org", access=LOCAL)
    alert = raised(add_model())
    alerts.deliver_due()
    check_installation()
    backup.make(tmp_path / "backup.tar")
    with installation(tmp_path / "restored", **{key: str(value) for key, value in mail_settings(mails).items()}):  # type: ignore[operator]
        backup.restore(tmp_path / "backup.tar")
        assert rows.find(access=LOCAL) == [alert]
        (sent,) = alerts.deliveries(alert.id, access=LOCAL)
        assert (sent.state, sent.channel) == ("delivered", "Team")
        assert [channel.name for channel in alerts.channels(access=LOCAL)] == ["Team"]
        assert alerts.deliver_due() == 0


def test_what_has_a_name_has_a_title_and_says_what_it_is() -> None:
    assert list(alerts.ALERT_LEVELS) == ["info", "warning", "critical"]
    assert set(alerts.ALERT_STATES) == {"open", "acknowledged", "muted", "resolved"}
    for kind in CHANNEL_KINDS.values():
        assert kind.title
        assert kind.help.endswith(".")
        assert kind.target_help.endswith(".")
    with pytest.raises(SettingsError, match="Unknown kind of alert channel 'sms'"):
        CHANNEL_KINDS.require("sms")
    assert issubclass(SettingsError, PlumblineError)
    assert models.find(access=Access("nobody", Role.VIEWER, "")) == []
