"""The kinds of channels that alerts are sent through. An extension adds one with ``CHANNEL_KINDS.add(...)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from core.alerts import mail, webhook
from core.alerts.message import Message
from core.alerts.outcome import Outcome
from core.alerts.target import ChannelTarget
from core.catalog import AlertChannel
from core.registry import Registry

__all__ = ["CHANNEL_KINDS", "ChannelKind"]


@dataclass(frozen=True)
class ChannelKind:
    """One kind of channel.

    Parameters
    ----------
    name : str
        Key in the catalog.
    title : str
        Title in lists.
    help : str
        Sentence that says what it does.
    target_title : str
        Label of the field for its target.
    target_help : str
        Sentence that says what the target is.
    signs : bool
        Whether its messages are signed, with a credential that the channel names.
    check : callable
        Function of a `ChannelTarget` that returns it written in one way, and raises what is wrong with it.
    send : callable
        Function of a message, a channel and the present that sends it and returns an `Outcome`. Where it raises, a
        `DeniedError` is a refusal, an `InputError` is final, and any other error is a reason to try again.
    shown_target : callable
        Function of a channel that returns its target without what may be secret in it.
    """

    name: str
    title: str
    help: str
    target_title: str
    target_help: str
    signs: bool
    check: Callable[[ChannelTarget], ChannelTarget]
    send: Callable[[Message, AlertChannel, float], Outcome]
    shown_target: Callable[[AlertChannel], str]


CHANNEL_KINDS: Final[Registry[ChannelKind]] = Registry(
    "kind of alert channel",
    [
        ChannelKind(
            "email",
            "E-mail",
            help="Sends a mail to one or more people, through the mail server of this installation.",
            target_title="Mail addresses",
            target_help="Addresses of people or lists, with commas between them.",
            signs=False,
            check=mail.check_target,
            send=mail.send,
            shown_target=mail.shown_target,
        ),
        ChannelKind(
            "webhook",
            "Webhook",
            help="Sends signed JSON to a server, such as that of a chat or an on-call service.",
            target_title="Address",
            target_help=(
                "Address that begins with https://, or credential:NAME where the address itself is secret and is set "
                "on the server."
            ),
            signs=True,
            check=webhook.check_target,
            send=webhook.send,
            shown_target=webhook.shown_target,
        ),
    ],
)
"""The kinds of channels."""
