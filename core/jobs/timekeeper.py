"""Looks after queue and schedules while no page is open, sends alerts, and removes what nothing needs any more.

One thread of a server does, or a process of its own: ``python -m core.jobs``.
"""

from __future__ import annotations

import logging
import threading
import time

from core.alerts import deliver_due
from core.catalog import schedules
from core.errors import PlumblineError
from core.jobs import placing
from core.jobs.engine import TIMEKEEPER
from core.jobs.node import hold_home
from core.jobs.scheduler import tick
from core.jobs.sweeper import sweep
from core.settings import get_settings
from core.upkeep import take_turn

__all__ = ["keep_time", "keeps_time", "watch"]

_DEFAULT_S = 10.0
_ENGINE_S = 1.0
"""Seconds between two looks while runs wait for an engine, which does not say by itself when it has started one."""
_SWEEP_EVERY_S = 600.0
_starting = threading.Lock()
_log = logging.getLogger(__name__)


def keep_time() -> None:
    """Call `tick` whenever a schedule is due, and every few seconds, as long as this process lives.

    For a process that stays, such as a server. Another call does nothing; with ``PLUMBLINE_TICK_EVERY_S=0``, none does.

    Examples
    --------
    >>> keep_time()
    """
    if not get_settings().tick_every_s:
        return
    with _starting:
        # By its name: Streamlit imports a module anew whose file has changed; its thread stays.
        if not keeps_time():
            threading.Thread(target=watch, name=TIMEKEEPER, daemon=True).start()


def keeps_time() -> bool:
    """Return whether a thread of this process looks after queue and schedules."""
    return any(thread.name == TIMEKEEPER for thread in threading.enumerate())


def watch(ended: threading.Event | None = None) -> None:
    """Look after queue, schedules, alerts and leftover files.

    Parameters
    ----------
    ended : Event, optional
        Returns soon after this is set; by default never.
    """
    ended = ended or threading.Event()
    sweep_at = 0.0
    while not ended.is_set():
        if time.monotonic() >= sweep_at:
            _hold_home()
            _sweep()
            sweep_at = time.monotonic() + _SWEEP_EVERY_S
        _remove_unneeded()
        _deliver_alerts()
        placing.wait_until_asked(_look(), ended)


def _hold_home() -> None:
    try:
        hold_home()
    except OSError as error:  # such as a home that cannot be written yet: tried again
        _log.error("the data folder could not be marked as in use: %s", error)


def _sweep() -> None:
    try:
        sweep()
    except Exception:  # noqa: BLE001  (logged; the next sweep tries again)
        _log.exception("leftover files could not be removed; trying again")


def _remove_unneeded() -> None:
    try:
        take_turn()
    except Exception:  # noqa: BLE001  (logged; a store that is away comes back, and schedules are still due)
        _log.exception("what nothing needs could not be removed; trying again")


def _deliver_alerts() -> None:
    try:
        deliver_due()
    except PlumblineError as error:
        _log.error("alerts could not be sent; trying again: %s", error)
    except Exception:  # noqa: BLE001  (logged; a database that is away comes back, and schedules are still due)
        _log.exception("alerts could not be sent; trying again")


def _look() -> float:
    """Start what is due; return the seconds until the next look."""
    busy = False
    try:
        tick()
        due, busy = schedules.next_due(), placing.is_busy()
    except PlumblineError as error:  # such as a catalog that was moved: one line in the log, not a traceback each time
        _log.error("schedules could not be looked after; trying again: %s", error)
        due = None
    except Exception:  # noqa: BLE001  (a database that is away comes back; without the thread no schedule would fire)
        _log.exception("schedules could not be looked after; trying again")
        due = None
    until_due = float("inf") if due is None else due - time.time()
    every_s = get_settings().tick_every_s or _DEFAULT_S
    return min(_ENGINE_S if busy else every_s, every_s, max(until_due, 0.05))
