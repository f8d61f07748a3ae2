"""Mails, through a real server: what they hold, that texts of users stay texts, and what follows from each answer."""

from __future__ import annotations

import time
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from core.access import LOCAL
from core.alerts import Outcome, add_channel, deliver_due, deliveries, raise_alert, try_channel
from core.catalog import Alert, AlertChannel, AlertDelivery
from core.errors import SettingsError
from core.settings import Settings
from tests.unit.alerts.conftest import Use, add_model, mail_settings, raised
from tests.unit.alerts.servers import Mails, certificate

ADA, BOB = "ada@example.org", "bob@example.org"
PASSWORD = 'p"a/ss word'


def mail_channel(target: str = f"{ADA}, {BOB}", **values: str) -> AlertChannel:
    return add_channel("email", values.pop("name", "Team"), target, access=LOCAL, **values)


def delivery(alert: Alert) -> AlertDelivery:
    (only,) = deliveries(alert.id, access=LOCAL)
    return only


def part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(cast(EmailMessage, body).get_content())


def test_a_mail_says_what_the_alert_says(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails))
    mail_channel()
    facts = {"columns": 15, "drifted": ["age", "city"]} | {f"fact {number}": number for number in range(30)}
    alert = raised(add_model("Kündigung 中文"), message="8 of 15.\nSince Monday.", hint="Train again.", facts=facts)
    assert deliver_due() == 1
    (mail,) = mails.taken
    assert (mail.sender, mail.recipients) == ("a@plumbline.test", [ADA, BOB])
    message = mail.message
    assert message["Subject"] == "[Plumbline] Warning: Kündigung 中文: Half of the columns have drifted"
    assert message["From"] == "Plumbline <a@plumbline.test>"
    assert message["To"] == f"{ADA}, {BOB}"
    assert message["Message-ID"] == f"<{delivery(alert).id}@plumbline.test>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Plumbline-Delivery"] == delivery(alert).id
    for text in (part(message, "plain"), part(message, "html")):
        for words in (
            "Half of the columns",
            "Since Monday.",
            "Train again.",
            "Kündigung 中文",
            "12 further facts",
            "Team",
        ):
            assert words in text
    assert 'drifted: ["age", "city"]' in part(message, "plain")
    assert all(len(line) <= 998 and line.isascii() for line in mail.content.splitlines())


def test_a_mail_leads_to_the_batch_where_the_address_is_known(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails, PUBLIC_URL="https://ml.example.org/plumb/"))
    channel = mail_channel()
    model = add_model()
    raised(model, facts={"batch": "0a1b-1", "note": "a & b"})
    assert deliver_due() == 1
    url = f"https://ml.example.org/plumb/models?model={model.id}&tab=Monitor&batch=0a1b-1"
    message = mails.taken[-1].message
    assert url in part(message, "plain").splitlines()
    assert f"href='{url.replace('&', '&amp;')}'" in part(message, "html")
    try_channel(channel.id, access=LOCAL)
    assert "ml.example.org" not in part(mails.taken[-1].message, "plain"), "a test is about no model"


@pytest.mark.parametrize("url", ["ml.example.org", "javascript:alert(1)", "https://", "https://a b", "https://a/?x=1"])
def test_an_address_of_its_own_has_to_be_one(url: str) -> None:
    with pytest.raises(SettingsError, match="PLUMBLINE_PUBLIC_URL"):
        Settings(public_url=url)


HOSTILE = (
    "x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script> \u2028 https://evil.example \x1b[2J\r\n.\r\n"
    "MAIL FROM:<eve@example.org>\r\n"
)


def test_texts_of_users_stay_texts(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails))
    mail_channel(name="<b>Team</b> www.evil.example")
    model = add_model("x<img src=http://evil.example>")
    texts = {"message": HOSTILE, "hint": HOSTILE, "facts": {HOSTILE: HOSTILE}}
    alert, _ = raise_alert(model.id, "drift/1", HOSTILE, access=LOCAL, **texts)  # type: ignore[arg-type]
    assert deliver_due() == 1
    (mail,) = mails.taken
    assert (mail.sender, mail.recipients) == ("a@plumbline.test", [ADA, BOB])
    message = mail.message
    assert sorted(message.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Plumbline-Event", "X-Plumbline-Delivery",
         "MIME-Version", "Content-Type"]
    )  # fmt: skip
    assert "\n" not in message["Subject"]
    html = part(message, "html")
    for tag in ("<script", "<img", "<b>"):
        assert tag not in html
    for text in (html, part(message, "plain")):
        assert "http://" not in text.replace("http:\u2060//", "")
        assert "https://" not in text
        assert "www.evil" not in text
    assert alert.title in message["Subject"] or len(alert.title) > 150
    assert [line for line in mails.lines if "FROM:" in line] == ["mail FROM:<a@plumbline.test>"]


def test_the_same_mail_is_sent_again(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails))
    mail_channel()
    alert = raised(add_model())
    mails.answers["DATA"] = "451 4.3.0 later"
    assert deliver_due() == 0
    stored = delivery(alert)
    assert (stored.state, stored.attempts) == ("waiting", 1)
    assert "451 4.3.0 later" in stored.problem
    del mails.answers["DATA"]
    first, second = stored.next_at, stored.next_at + 60
    assert deliver_due(clock=lambda: first) == 1
    (mail,) = mails.taken
    assert mail.message["Date"].datetime.timestamp() == pytest.approx(alert.raised_at, abs=1)
    assert mail.message["Message-ID"].startswith(f"<{stored.id}@")
    assert deliver_due(clock=lambda: second) == 0


@pytest.mark.parametrize(
    ("answers", "state", "problem"),
    [
        ({ADA: "550 5.1.1 no such user"}, "delivered", f"does not take mails to {ADA} (550 5.1.1 no such user)"),
        ({ADA: "550 no", BOB: "550 no"}, "failed", BOB),
        ({ADA: "550 no", BOB: "450 later"}, "waiting", "450 later"),
        ({"MAIL": "553 not from you"}, "failed", "553 not from you"),
        ({"MAIL": "451 later"}, "waiting", "451 later"),
        ({"DATA": "554 looks like spam"}, "failed", "554 looks like spam"),
        ({"DATA": "421 too busy"}, "waiting", "421 too busy"),
        ({"QUIT": "421 too busy"}, "delivered", ""),
    ],
)
def test_each_answer_has_its_consequence(
    use: Use, mails: Mails, answers: dict[str, str], state: str, problem: str
) -> None:
    use(**mail_settings(mails))
    channel = mail_channel()
    mails.answers = answers
    outcome = try_channel(channel.id, access=LOCAL)
    assert outcome.state == state
    assert problem in outcome.problem


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_the_connection_is_encrypted_and_signed_in(
    use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    public, context = certificate(tmp_path, "127.0.0.1")
    with Mails(context=context, tls=security == "tls", password=PASSWORD) as server:
        own = {"SMTP_SECURITY": security, "SMTP_USER": "ada", "SMTP_CREDENTIAL": "SMTP", "SECRET_SMTP": PASSWORD}
        use(**mail_settings(server, **own))
        channel = mail_channel()
        if security != "none":
            outcome = try_channel(channel.id, access=LOCAL)
            assert "The certificate of the mail server is not trusted" in outcome.problem
            monkeypatch.setenv("SSL_CERT_FILE", str(public))
        assert try_channel(channel.id, access=LOCAL) == Outcome("delivered")
        (mail,) = server.taken
        assert (mail.user, mail.encrypted) == ("ada", security != "none")


def test_a_server_that_tells_the_password_is_not_repeated(use: Use) -> None:
    with Mails(password="another one") as server:
        own = {"SMTP_USER": "ada", "SMTP_CREDENTIAL": "SMTP", "SECRET_SMTP": "the real password"}
        use(**mail_settings(server, **own))
        outcome = try_channel(mail_channel().id, access=LOCAL)
    assert outcome.state == "waiting", "whoever runs the server can put it right"
    assert "535 5.7.8 wrong password [hidden]" in outcome.problem


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"SMTP_SECURITY": "starttls"}, "does not offer the encryption"),
        ({"SMTP_SECURITY": "tls"}, "does not speak TLS"),
        ({"SMTP_PORT": 1}, "cannot be reached: Connection refused"),
        ({"SMTP_USER": "ada"}, "PLUMBLINE_SMTP_CREDENTIAL is not"),
        ({"SMTP_USER": "ada", "SMTP_CREDENTIAL": "SMTP"}, "The credential SMTP is not set"),
        ({"SMTP_USER": "ada", "SMTP_CREDENTIAL": "SMTP", "SECRET_SMTP": "pässword"}, "letters that are not ASCII"),
        ({"SMTP_USER": "ada", "SMTP_CREDENTIAL": "hunter2"}, "This is not the name of a credential"),
        ({"SMTP_USER": "ada", "SMTP_CREDENTIAL": "SMTP", "SMTP_HOST": "mail.invalid"}, "without encryption"),
        ({"SMTP_HOST": "mail.invalid"}, "cannot be looked up"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(
    use: Use, mails: Mails, settings: dict[str, object], problem: str
) -> None:
    use(**mail_settings(mails, **settings))
    outcome = try_channel(mail_channel().id, access=LOCAL)
    assert outcome.state in ("waiting", "failed")
    assert problem in outcome.problem
    assert "hunter2" not in outcome.problem
    assert mails.taken == []


def test_a_sender_has_to_be_an_address(use: Use, mails: Mails) -> None:
    use(**mail_settings(mails, SMTP_SENDER="Plumbline"))
    with pytest.raises(SettingsError, match="PLUMBLINE_SMTP_SENDER is not a mail address"):
        mail_channel()


def test_a_server_that_says_nothing_is_left(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.alerts.mail.ANSWER_S", 0.3)
    with Mails(silent=True) as server:
        use(**mail_settings(server))
        began = time.monotonic()
        outcome = try_channel(mail_channel().id, access=LOCAL)
    assert time.monotonic() - began < 3
    assert "did not answer within 0.3 s" in outcome.problem
