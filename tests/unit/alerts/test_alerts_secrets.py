"""Values of credentials are nowhere but where they are set: in no row, log, error, backup or message."""

from __future__ import annotations

import base64
import logging
import traceback
from pathlib import Path

import pytest

from core import backup
from core.access import LOCAL
from core.alerts import add_channel, change_channel, channels, deliver_due, deliveries, try_channel
from core.catalog import audit
from core.errors import PlumblineError
from core.installation import check as check_installation
from core.settings import get_settings
from tests.unit.alerts.conftest import SECRET, Use, add_model, mail_settings, raised
from tests.unit.alerts.servers import Hooks, Mails, Reply

PASSWORD = "Tr0ub4dor&3 of the mail server"
TOKEN = "T0/B0/the-token-of-the-chat"


def forms(value: str) -> list[bytes]:
    return [value.encode(), base64.b64encode(value.encode()), value.encode("utf-16-le"), value.encode().hex().encode()]


def test_no_value_is_stored_logged_or_said(
    use: Use, hooks: Hooks, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    with Mails(password="another one") as mails:
        own = {"SMTP_USER": "ada", "SMTP_CREDENTIAL": "SMTP", "SECRET_SMTP": PASSWORD}
        home = use(**mail_settings(mails, SECRET_WEBHOOK_URL=f"{hooks.url}/{TOKEN}", **own))
        chat = add_channel("webhook", "Chat", hooks.url, credential="WEBHOOK_TEST", access=LOCAL)
        url = add_channel("webhook", "Secret", "credential:WEBHOOK_URL", credential="WEBHOOK_TEST", access=LOCAL)
        mail = add_channel("email", "Team", "ada@example.org", access=LOCAL)
        model = add_model()
        for number, status in enumerate((200, 500, 404, 302)):
            hooks.replies = [Reply(status), Reply(closes=True)]
            alert = raised(model, f"drift/{number}")
            deliver_due()
            texts += [str(row) for row in deliveries(alert.id, access=LOCAL)]
        for channel in (chat, url, mail):
            texts.append(repr(try_channel(channel.id, access=LOCAL)))
        assert PASSWORD in "".join(
            base64.b64decode(line.split()[-1]).decode() for line in mails.lines if "AUTH" in line
        )
    hooks.shutdown()
    hooks.server_close()
    texts += [repr(try_channel(channel.id, access=LOCAL)) for channel in (chat, url, mail)]
    for values in (
        {"credential": SECRET},
        {"credential": PASSWORD},
        {"target": SECRET},
        {"target": f"https://ada:{PASSWORD.replace(' ', '')}@8.8.8.8/"},
        {"target": f"credential:{PASSWORD}"},
    ):
        with pytest.raises(PlumblineError) as caught:
            change_channel(chat.id, access=LOCAL, **values)
        texts.append("".join(traceback.format_exception(caught.value)).replace(repr(values), ""))
    texts += [str(row.to_dict()) for row in channels(access=LOCAL)]
    texts += [str(row.to_dict()) for row in audit.find(access=LOCAL)]
    texts += [str(get_settings()), repr(get_settings()), caplog.text]
    check_installation()
    backup.make(tmp_path / "backup.tar")
    contents = [path.read_bytes() for path in (*home.rglob("*"), tmp_path / "backup.tar") if path.is_file()]
    assert any(b"WEBHOOK_TEST" in content for content in contents), "names are stored"
    for value in (SECRET, PASSWORD, TOKEN):
        for form in forms(value):
            assert not any(form in content for content in contents)
            assert not any(form in text.encode() for text in texts)
    for request in hooks.requests:
        assert SECRET not in str(request)
