"""Deletion by people: what goes with a thing and what depends on it is said first, and it can be undone for a while.

`plan` says it in sentences. `delete` hides the rows, so that nothing finds them any more; `undo` shows them again, for
ten minutes. Later `core.upkeep` removes them with their files, and collects the contents that no other row needs.
"""

from core.catalog.deletions import UNDO_S
from core.catalog.deletions import find as undoable
from core.deletion.actions import Kind, delete, plan, undo
from core.deletion.plan import DeletionPlan

__all__ = ["UNDO_S", "DeletionPlan", "Kind", "delete", "plan", "undo", "undoable"]
