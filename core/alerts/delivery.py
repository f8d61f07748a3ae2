"""Sends what is due: takes one delivery after the other, and notes what became of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from core.access import has_feature
from core.alerts.channel_kinds import CHANNEL_KINDS
from core.alerts.message import Message
from core.alerts.outcome import MAX_ATTEMPTS, Outcome, retry_delay
from core.catalog import AlertChannel, AlertDelivery, alert_deliveries
from core.errors import DeniedError, InputError, PlumblineError

__all__ = ["CLAIM_S", "EXPIRES_S", "PAUSE_S", "attempt", "deliver_due"]

CLAIM_S: Final = 120.0
"""Seconds after which a delivery is due again whose process died: longer than any attempt takes."""
EXPIRES_S: Final = 7 * 86_400.0
"""Age in seconds from which an alert is not sent any more, for example after an old backup was restored."""
PAUSE_S: Final = 60.0
"""Seconds for which a channel rests whose server did not take a message."""
_TURN_S = 5.0
_log = logging.getLogger(__name__)


def deliver_due(*, turn_s: float = _TURN_S, clock: Callable[[], float] = time.time) -> int:
    """Send what is due in all workspaces, and return how many messages were delivered.

    Any number of processes may do so at the same time: each message is sent by one of them. Where a server does not
    take a message, what else is due through its channel waits for a minute, so that it does not keep others waiting.

    Parameters
    ----------
    turn_s : float, default=5.0
        Seconds in which attempts may begin. The last one may take ten seconds longer.
    clock : callable, optional
        Source of the present (seconds since the epoch); by default the system's clock.

    See Also
    --------
    core.alerts.try_channel : Sends a test alert at once.

    Examples
    --------
    >>> deliver_due(turn_s=0)
    0
    """
    delivered, began = 0, time.monotonic()
    if not has_feature("alert_channels"):
        return delivered
    while time.monotonic() - began < turn_s:
        now = clock()
        delivery = alert_deliveries.next_due(now)
        if delivery is None:
            break
        until = now + CLAIM_S
        if alert_deliveries.claim(delivery, until=until):
            delivered += _deliver(delivery, until, clock)
    return delivered


def _deliver(delivery: AlertDelivery, until: float, clock: Callable[[], float]) -> bool:
    """Send a delivery that was claimed, and note what became of it; return whether it was delivered."""
    now = clock()
    parts = alert_deliveries.parts(delivery)
    if parts is None:  # its model was deleted in this moment
        return False
    alert, channel, model = parts
    if channel is None or not channel.enabled:
        gone = "removed" if channel is None else "turned off"
        problem = f"The channel was {gone} before this was sent."
        alert_deliveries.finish(delivery, "withdrawn", until=until, at=now, problem=problem)
        return False
    if delivery.attempts >= MAX_ATTEMPTS or now - delivery.created_at > EXPIRES_S:
        last = delivery.problem or "no attempt came to an end"
        outcome = Outcome("failed", f"Given up after {delivery.attempts} attempts. The last one: {last}")
        if not delivery.attempts:
            outcome = Outcome("failed", f"Not sent: it was raised more than {EXPIRES_S / 86_400:.0f} days before.")
        alert_deliveries.finish(delivery, outcome.state, until=until, at=now, problem=outcome.problem)
        return False
    outcome = attempt(Message(delivery.id, alert, model.name, channel.name), channel, now)
    _note(delivery, outcome, until, clock())
    return outcome.state == "delivered"


def _note(delivery: AlertDelivery, outcome: Outcome, until: float, now: float) -> None:
    attempts, state, problem, next_at = delivery.attempts + 1, outcome.state, outcome.problem, None
    if state == "waiting" and attempts >= MAX_ATTEMPTS:
        state, problem = "failed", Outcome("failed", f"Given up after {attempts} attempts. {problem}").problem
    if state == "waiting":
        next_at = now + retry_delay(attempts, retry_after_s=outcome.retry_after_s)
    alert_deliveries.finish(delivery, state, until=until, at=now, next_at=next_at, problem=problem)
    if outcome.state == "waiting":
        alert_deliveries.postpone(delivery.channel_id, now=now, until=now + PAUSE_S)
    if state != "delivered":
        _log.warning("alert delivery %s is %s after %d attempts", delivery.id, state, attempts)


def attempt(message: Message, channel: AlertChannel, now: float) -> Outcome:
    """Send a message through a channel, once, and return what became of it, whatever was raised."""
    try:
        return CHANNEL_KINDS.require(channel.kind).send(message, channel, now)
    except DeniedError as error:
        return Outcome("refused", str(error))
    except InputError as error:
        return Outcome("failed", str(error))
    except PlumblineError as error:
        return Outcome("waiting", str(error))
    except Exception as error:  # noqa: BLE001  (of an extension; its text may hold what was sent)
        _log.error("an alert could not be sent: %s", type(error).__name__)
        return Outcome("waiting", f"An unexpected error occurred ({type(error).__name__}).")
