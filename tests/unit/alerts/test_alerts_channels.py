"""Channels: made by admins, checked when they are stored and when they are used, and tried with a test alert."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import alerts, deletion
from core.access import LOCAL, Role
from core.alerts import add_channel, change_channel, channels, deliver_due, deliveries, remove_channel, try_channel
from core.catalog import AlertChannel, alert_channels, audit
from core.errors import DeniedError, InputError, LimitError, NotFoundError, SettingsError
from tests.unit.alerts.conftest import SECRET, Use, add_model, mail_settings, raised
from tests.unit.alerts.servers import Hooks, Mails, Reply

ADA = replace(LOCAL, actor="ada@example.org")
EDITOR, VIEWER = (replace(LOCAL, role=role) for role in (Role.EDITOR, Role.VIEWER))
OTHER = replace(LOCAL, workspace="other")
URL = "https://8.8.8.8/services/T0/B0/token"


def webhook(target: str = URL, name: str = "Chat", **values: object) -> AlertChannel:
    return add_channel("webhook", name, target, credential="WEBHOOK_TEST", access=ADA, **values)  # type: ignore[arg-type]


def test_channels_are_made_changed_and_removed_and_the_log_says_so(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails))
    model = add_model()
    mail = add_channel("email", " Team ", "bob@example.org;  ada@example.org\nbob@example.org", access=ADA)
    assert (mail.name, mail.target, mail.who) == ("Team", "bob@example.org, ada@example.org", ADA.actor)
    chat = webhook(" HTTPS://8.8.8.8:443/services/T0/B0/token ", models=[model.id, model.id], min_level="critical")
    assert (chat.target, chat.credential, chat.model_ids) == (URL, "WEBHOOK_TEST", [model.id])
    assert [channel.name for channel in channels(access=VIEWER)] == ["Chat", "Team"]
    assert alerts.shown_target(chat) == "https://8.8.8.8/…"
    changed = change_channel(chat.id, name="On call", models="all", min_level="info", enabled=False, access=ADA)
    assert (changed.name, changed.model_ids, changed.min_level, changed.enabled) == ("On call", [], "info", False)
    assert (changed.target, changed.credential) == (URL, "WEBHOOK_TEST")
    assert change_channel(chat.id, access=ADA) == changed
    change_channel(chat.id, target="https://8.8.4.4/x", access=ADA)
    remove_channel(mail.id, access=ADA)
    assert [channel.name for channel in channels(access=LOCAL)] == ["On call"]
    records = audit.find(access=LOCAL)[:5]
    assert [record.action for record in records] == [
        "remove channel",
        "change channel",
        "change channel",
        "add channel",
        "add channel",
    ]
    assert records[1].details["changed"] == ["target"]
    assert not any("token" in str(record.details) for record in records), "a path may be secret"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": " "}, "not a usable name"),
        ({"name": "x" * 201}, "not a usable name"),
        ({"name": "x\ny"}, "not a usable name"),
        ({"name": "Taken"}, "alert channel 'Taken' already"),
        ({"min_level": "warn"}, "'warn' is not a level"),
        ({"models": []}, "No model is chosen"),
        ({"models": "churn"}, "No model is chosen"),
        ({"target": "file:///etc/passwd"}, "begins with 'file:'"),
        ({"target": "https://a:hunter2@8.8.8.8/"}, "holds a user or a password"),
        ({"credential": "hunter2"}, "This is not the name of a credential"),
        ({"credential": "SMTP"}, "not one of webhooks"),
        ({"target": "credential:SMTP"}, "not one of webhooks"),
        ({"target": "credential:hunter2"}, "This is not the name of a credential"),
        ({"target": "credential:WEBHOOK_TEST"}, "without a scheme|begins with"),
    ],
)
def test_what_cannot_be_used_is_refused_when_it_is_stored(use: Use, values: dict[str, object], message: str) -> None:
    use(SECRET_SMTP="the password of the mail server")
    webhook(name="Taken")
    stored = webhook()
    given = {"name": "New", "target": URL, "credential": "WEBHOOK_TEST"} | values
    name, target = str(given.pop("name")), str(given.pop("target"))
    for call in (
        lambda: add_channel("webhook", name, target, access=LOCAL, **given),  # type: ignore[arg-type]
        lambda: change_channel(stored.id, access=LOCAL, **values),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match=message) as caught:
            call()
        assert "hunter2" not in str(caught.value)
        assert SECRET not in str(caught.value)
    assert [channel.name for channel in channels(access=LOCAL)] == ["Chat", "Taken"]
    assert alert_channels.get(stored.id, access=LOCAL) == stored


def test_what_is_missing_on_the_server_is_named(use: Use) -> None:
    use(SECRET_WEBHOOK_SHORT="too short")
    for name, message in (("WEBHOOK_NONE", "WEBHOOK_NONE is not set"), ("WEBHOOK_SHORT", "too short to sign with")):
        with pytest.raises(SettingsError, match=message):
            add_channel("webhook", "Chat", URL, credential=name, access=LOCAL)
    with pytest.raises(SettingsError, match="PLUMBLINE_SMTP_HOST is not set"):
        add_channel("email", "Team", "team@example.org", access=LOCAL)
    with pytest.raises(SettingsError, match="Did you mean 'email'"):
        add_channel("mail", "Team", "team@example.org", access=LOCAL)
    with pytest.raises(NotFoundError, match="no model"):
        webhook(models=["0" * 16])
    assert channels(access=LOCAL) == []


@pytest.mark.parametrize("target", ["", " ,; ", "ada", "ada@", "@x.org", "ada@ex ample.org", "a@b@c", "ä@x.org",
                                    "Ada <ada@example.org>", "a..b@x.org", "ada@x.org\r\nBcc: eve@x.org",
                                    ",".join(f"a{number}@x.org" for number in range(21))])  # fmt: skip
def test_addresses_of_people_are_checked(use: Use, mails: Mails, target: str) -> None:
    use(**mail_settings(mails))
    with pytest.raises(InputError):
        add_channel("email", "Team", target, access=LOCAL)
    with pytest.raises(InputError, match="need no credential"):
        add_channel("email", "Team", "ada@x.org", credential="WEBHOOK_TEST", access=LOCAL)


def test_a_workspace_has_so_many_channels(use: Use) -> None:
    use()
    for number in range(alert_channels.MAX_CHANNELS):
        webhook(name=f"Chat {number}")
    with pytest.raises(LimitError, match="at most 20 alert channels"):
        webhook(name="one more")


def test_admins_alone_change_channels(use: Use, hooks: Hooks) -> None:
    use()
    channel = webhook(hooks.url)
    for access, error in ((EDITOR, DeniedError), (VIEWER, DeniedError), (OTHER, NotFoundError)):
        for call in (
            lambda access=access: change_channel(channel.id, name="x", access=access),
            lambda access=access: try_channel(channel.id, access=access),
            lambda access=access: remove_channel(channel.id, access=access),
        ):
            with pytest.raises(error):
                call()
    for access in (EDITOR, VIEWER):
        with pytest.raises(DeniedError, match="only admins"):
            add_channel("webhook", "x", hooks.url, credential="WEBHOOK_TEST", access=access)
    assert channels(access=OTHER) == []
    assert hooks.requests == []
    assert channels(access=VIEWER) == [channel]


def test_a_demo_has_none(use: Use, hooks: Hooks, installation: object, tmp_path: object) -> None:
    home = use()
    channel = webhook(hooks.url)
    raised(add_model())
    with installation(home, PROFILE="demo", OUTBOUND_HOSTS="127.0.0.1", SECRET_WEBHOOK_TEST=SECRET):  # type: ignore[operator]
        for call in (
            lambda: webhook(hooks.url, name="x"),
            lambda: change_channel(channel.id, enabled=True, access=LOCAL),
            lambda: try_channel(channel.id, access=LOCAL),
        ):
            with pytest.raises(DeniedError, match="Alert channels: not available in this demo"):
                call()
        assert deliver_due() == 0
    assert hooks.requests == []


def test_a_test_alert_says_at_once_what_happened(use: Use, hooks: Hooks) -> None:
    use()
    channel = webhook(hooks.url)
    assert try_channel(channel.id, access=ADA) == alerts.Outcome("delivered")
    hooks.replies = [Reply(404), Reply(503, {"Retry-After": "9"}), Reply()]
    for state, words in (("failed", "404 (Not Found)"), ("waiting", "503 (Service Unavailable)"), ("delivered", "")):
        outcome = try_channel(channel.id, access=ADA)
        assert outcome.state == state
        assert words in outcome.problem
        assert alert_channels.get(channel.id, access=LOCAL).problem == outcome.problem
    assert [request.headers["X-Plumbline-Event"] for request in hooks.requests] == ["test"] * 4
    assert len({request.headers["X-Plumbline-Delivery"] for request in hooks.requests}) == 4
    assert audit.find(access=LOCAL)[0].details == {"id": channel.id, "delivered": True}
    assert alerts.open_alerts(access=LOCAL) == [], "it is not an alert"


@pytest.mark.parametrize("target", ["http://127.0.0.1:{}/hook", "http://localhost:{}/hook", "http://[::1]:{}/hook"])
def test_a_team_reaches_the_internet_alone(use: Use, hooks: Hooks, installation: object, target: str) -> None:
    home = use(PROFILE="team")
    url = target.format(hooks.port)
    with pytest.raises(DeniedError, match="an address of this machine, which is not reached from here"):
        webhook(url)
    own = {"PROFILE": "team", "SECRET_WEBHOOK_TEST": SECRET}
    with installation(home, OUTBOUND_HOSTS=f"127.0.0.1:{hooks.port}, localhost, ::1", **own):  # type: ignore[operator]
        channel = webhook(url)
        alert = raised(add_model())
    with installation(home, **own):  # type: ignore[operator]
        assert try_channel(channel.id, access=LOCAL).state == "refused"
        assert deliver_due() == 0
        (delivery,) = deliveries(alert.id, access=LOCAL)
        assert (delivery.state, delivery.attempts) == ("refused", 1)
        assert "PLUMBLINE_OUTBOUND_HOSTS" in delivery.problem
    assert hooks.requests == []


def test_a_credential_of_another_workspace_signs_nothing(
    use: Use, hooks: Hooks, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets.toml"  # type: ignore[operator]
    file.touch(mode=0o600)
    file.write_text(f'[WEBHOOK_SALES]\nvalue = "{SECRET}"\nworkspaces = ["sales"]\n')
    use(SECRETS_FILE=file)
    sales = replace(ADA, workspace="sales")
    channel = add_channel("webhook", "Chat", hooks.url, credential="WEBHOOK_SALES", access=sales)
    assert try_channel(channel.id, access=sales).state == "delivered"
    with pytest.raises(DeniedError, match="not for this workspace"):
        add_channel("webhook", "Chat", hooks.url, credential="WEBHOOK_SALES", access=ADA)
    file.write_text(f'[WEBHOOK_SALES]\nvalue = "{SECRET}"\nworkspaces = []\n')
    assert try_channel(channel.id, access=sales).state == "refused"
    assert len(hooks.requests) == 1


def test_channels_take_what_they_are_for(use: Use) -> None:
    use()
    churn, fraud = add_model(), add_model("Fraud")
    before = raised(churn, "before")
    webhook(name="all")
    webhook(name="severe", min_level="critical")
    webhook(name="fraud", models=[fraud.id], min_level="info")
    change_channel(webhook(name="off").id, enabled=False, access=ADA)

    def names(alert_id: str) -> list[str]:
        return [delivery.channel for delivery in deliveries(alert_id, access=LOCAL)]

    assert names(before.id) == []
    assert names(raised(churn, "1", level="info").id) == []
    assert names(raised(churn, "2", level="warning").id) == ["all"]
    assert names(raised(churn, "3", level="critical").id) == ["all", "severe"]
    assert names(raised(fraud, "1", level="info").id) == ["fraud"]
    assert names(raised(fraud, "2", level="critical").id) == ["all", "fraud", "severe"]


def test_a_channel_of_a_deleted_model_stays_limited_to_it(use: Use, hooks: Hooks) -> None:
    use()
    model, other = add_model("Payroll"), add_model("Churn")
    channel = webhook(hooks.url, "Payroll", models=[model.id])
    deletion.delete("model", model.id, access=LOCAL)
    changed = change_channel(channel.id, name="Pay", models=[model.id], access=ADA)
    assert changed.model_ids == [model.id]
    with pytest.raises(NotFoundError):
        change_channel(channel.id, models=["0" * 16], access=ADA)
    raised(other)
    assert deliver_due() == 0
