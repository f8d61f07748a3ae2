"""Upkeep beside other work: one small part per turn, so that all is looked at within the hour."""

from __future__ import annotations

import random
import time

from core.catalog import monitor_plans
from core.storage import PREFIXES
from core.upkeep.cache import trim_cache
from core.upkeep.collector import collect
from core.upkeep.purger import purge
from core.upkeep.visitors import remove_due

__all__ = ["Turns", "take_turn"]

_EVERY_S = 10.0


class Turns:
    """Whose turn it is. Each process begins elsewhere, so that several share the work."""

    position = random.randrange(len(PREFIXES))
    next_at = 0.0


def take_turn() -> bool:
    """Do the next part, unless the last turn was less than ten seconds ago.

    It removes visitors who did not come back, makes deletions final, and collects the contents with the next prefix;
    once in all turns it removes files of batches that are kept no longer.

    Returns
    -------
    bool
        Whether it was time for a turn.
    """
    if time.monotonic() < Turns.next_at:
        return False
    Turns.next_at = time.monotonic() + _EVERY_S
    Turns.position = (Turns.position + 1) % len(PREFIXES)
    prefix = PREFIXES[Turns.position]
    remove_due()
    purge()
    if Turns.position == 0:
        monitor_plans.remove_old_files(time.time())
    collect([prefix])
    trim_cache(prefix)
    return True
