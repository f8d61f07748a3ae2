"""Upkeep: what an installation removes by itself, since it was deleted or nothing needs it any more.

Rows say which stored contents they need. A content that no row needs is *collected*: set aside, and removed after a
grace period (`core.storage`). Leftover files of runs are the matter of `core.jobs.sweep`.
"""

from core.upkeep.cache import trim_cache
from core.upkeep.collector import collect
from core.upkeep.purger import purge
from core.upkeep.turns import take_turn
from core.upkeep.visitors import remove_due, remove_workspace

__all__ = [
    "collect",
    "purge",
    "remove_due",
    "remove_workspace",
    "take_turn",
    "trim_cache",
]
