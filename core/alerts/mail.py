"""Alerts as mails, through the mail server of the installation."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Final

from core.addresses import LOOKUP_S, look_up
from core.alerts.message import Message
from core.alerts.outcome import Outcome
from core.alerts.target import ChannelTarget
from core.catalog import AlertChannel
from core.credentials import credential
from core.errors import InputError, RemoteError, SettingsError, shortened
from core.outgoing import ANSWER_S, TimeLimit
from core.settings import Settings, get_settings

__all__ = ["MAX_RECIPIENTS", "check_target", "compose", "send", "shown_target"]

MAX_RECIPIENTS: Final = 20
"""Maximum number of people whom one channel writes to."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:[A-Za-z0-9-]{{1,63}}\.)*[A-Za-z0-9-]{{1,63}}")
_ADDRESS_CHARS = 254
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_HERE = ("localhost", "127.0.0.1", "::1")
_CHECK = "Check the PLUMBLINE_SMTP_* settings and the mail server."


def check_target(given: ChannelTarget) -> ChannelTarget:
    """Return a target whose addresses can be used, written in one way.

    Raises
    ------
    InputError
        When one of them is not an address, or there are none or too many.
    SettingsError
        When the installation has no mail server.
    """
    _server()
    if given.credential:
        raise InputError("Mails are not signed, and need no credential.", "Leave it empty.")
    addresses = list(dict.fromkeys(filter(None, re.split(r"[,;\s]+", given.target))))
    for address in addresses:
        if not _ADDRESS.fullmatch(address) or len(address) > _ADDRESS_CHARS:
            raise InputError(
                f"'{shortened(address)}' is not a mail address.",
                "Write ada@example.org, with commas between several.",
            )
    if not addresses:
        raise InputError("No mail address is named.", "Write at least one, such as ada@example.org.")
    if len(addresses) > MAX_RECIPIENTS:
        raise InputError(
            f"{len(addresses)} addresses are too many for one channel.",
            f"Write at most {MAX_RECIPIENTS}, or the address of a list.",
        )
    return ChannelTarget(", ".join(addresses), "", given.workspace)


def shown_target(channel: AlertChannel) -> str:
    """Return the addresses of a channel."""
    return channel.target


def compose(message: Message, recipients: list[str], sender: str) -> EmailMessage:
    """Return a mail, the same in each attempt but for the marks between its parts.

    Texts of users cannot add headers: each header is one line, and the library refuses others.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = formataddr(("Plumbline", sender))
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = f"[Plumbline] {message.summary}"
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.alert.raised_at, UTC))
    # A mail server may drop a second mail with the same one.
    mail["Message-ID"] = f"<{message.delivery_id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers
    mail["X-Plumbline-Event"] = message.type
    mail["X-Plumbline-Delivery"] = message.delivery_id
    mail.set_content(message.text(), cte="quoted-printable")
    mail.add_alternative(message.html(), subtype="html", cte="quoted-printable")
    return mail


def send(message: Message, channel: AlertChannel, now: float) -> Outcome:
    """Send a message to the people of a channel, as one mail.

    Raises
    ------
    RemoteError
        When the mail server cannot be reached.
    SettingsError
        When a setting is missing, or its credential is not set.
    """
    settings, sender = _server()
    recipients = channel.target.split(", ")
    mail = compose(message, recipients, sender)
    with TimeLimit(ANSWER_S) as limit:
        try:
            client = _connected(settings, sender, limit)
            try:
                refused = client.send_message(mail, sender, recipients)
            finally:
                _leave(client)
        except smtplib.SMTPRecipientsRefused as error:
            final = all(code >= 500 for code, _ in error.recipients.values())
            return Outcome("failed" if final else "waiting", _refusals(error.recipients))
        except smtplib.SMTPResponseException as error:
            final = error.smtp_code >= 500 and isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)
            said = _said(error.smtp_code, error.smtp_error)
            return Outcome("failed" if final else "waiting", f"The mail server answered: {said}.")
        except (OSError, smtplib.SMTPException, ValueError) as error:  # SMTPException is an OSError, too
            raise _no_answer(error, limit) from None  # their texts may hold what was sent
    return Outcome("delivered", _refusals(refused) if refused else "")


def _server() -> tuple[Settings, str]:
    """Return the settings, which name a mail server, and the address that mails come from."""
    settings = get_settings()
    for name in ("smtp_host", "smtp_sender"):
        if not getattr(settings, name):
            raise SettingsError(
                f"PLUMBLINE_{name.upper()} is not set.", "Whoever runs the server sets it, so that mails can be sent."
            )
    sender = str(settings.smtp_sender)
    if not _ADDRESS.fullmatch(sender):
        raise SettingsError("PLUMBLINE_SMTP_SENDER is not a mail address.", "Set one, such as alerts@example.org.")
    return settings, sender


def _connected(settings: Settings, sender: str, limit: TimeLimit) -> smtplib.SMTP:
    """Return a connection to the mail server, encrypted and signed in as the settings say."""
    host, security = str(settings.smtp_host), settings.smtp_security
    port, password = settings.smtp_port or _PORTS[security], _password(settings, host)
    try:
        look_up(host, port, min(LOOKUP_S, limit.remaining()))  # the library's own has no time limit
    except RemoteError:
        raise RemoteError("The name of the mail server cannot be looked up.", _CHECK) from None
    name = sender.rpartition("@")[2]  # the library would look up this machine's own name, which may take long
    context = ssl.create_default_context()
    client = (
        smtplib.SMTP_SSL(host, port, local_hostname=name, timeout=limit.remaining(), context=context)
        if security == "tls"
        else smtplib.SMTP(host, port, local_hostname=name, timeout=limit.remaining())
    )
    try:
        if client.sock is not None:
            limit.watch(client.sock)
        if security == "starttls":
            client.starttls(context=context)
        if settings.smtp_user and password is not None:
            client.login(settings.smtp_user, password)
    except BaseException:
        client.close()
        raise
    return client


def _leave(client: smtplib.SMTP) -> None:
    """Close a connection; what the server says to that changes nothing about the mail that it has taken."""
    with contextlib.suppress(OSError):
        client.quit()
    client.close()


def _password(settings: Settings, host: str) -> str | None:
    """Return the password of the mail server, which is not sent over a network as it is."""
    if not settings.smtp_user:
        return None
    if not settings.smtp_credential:
        raise SettingsError(
            "PLUMBLINE_SMTP_USER is set, and PLUMBLINE_SMTP_CREDENTIAL is not.",
            "Set it to the name of the credential that has the password.",
        )
    if settings.smtp_security == "none" and host.lower() not in _HERE:
        raise SettingsError(
            "PLUMBLINE_SMTP_SECURITY=none would send the password without encryption.",
            "Set it to starttls or tls, or leave PLUMBLINE_SMTP_USER out.",
        )
    password = credential(settings.smtp_credential).get_secret_value()
    if not (password + settings.smtp_user).isascii():
        raise SettingsError(
            "The user or the password of the mail server has letters that are not ASCII.",
            "Choose a password of letters without accents, digits and signs.",
        )
    return password


def _refusals(refused: dict[str, tuple[int, bytes]]) -> str:
    people = "; ".join(f"{address} ({_said(code, text)})" for address, (code, text) in refused.items())
    return f"The mail server does not take mails to {people}."


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return shortened(f"{code} {words}", 120).rstrip(".")


def _no_answer(error: Exception, limit: TimeLimit) -> RemoteError:
    if limit.passed or isinstance(error, TimeoutError):
        return RemoteError(f"The mail server did not answer within {limit.seconds:g} s.", _CHECK)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return RemoteError("The mail server does not offer the encryption, or the sign-in, that is set.", _CHECK)
    if isinstance(error, ssl.SSLCertVerificationError):
        return RemoteError(f"The certificate of the mail server is not trusted: {error.verify_message}.", _CHECK)
    if isinstance(error, ssl.SSLError):
        return RemoteError("The mail server does not speak TLS as it should.", _CHECK)
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionResetError | BrokenPipeError):
        return RemoteError("The mail server closed the connection.", _CHECK)
    reason = error.strerror if isinstance(error, OSError) else None
    return RemoteError(f"The mail server cannot be reached: {reason or 'it does not speak SMTP as it should'}.", _CHECK)
