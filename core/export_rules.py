"""Whether the file of an export decides as its model does now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import policies
from core.access import Access
from core.catalog import Run, artifacts, runs
from core.errors import NotFoundError

if TYPE_CHECKING:
    from core.edge import ExportRecord

__all__ = ["rule_difference"]


def rule_difference(run: Run, record: ExportRecord, *, access: Access) -> str | None:
    """Return how the rule in the file differs from the model's rule in force now; None where both decide alike.

    Parameters
    ----------
    run : Run
        A run that left variants.
    record : ExportRecord
        Its record.
    access : Access
        The workspace, and who acts in it.
    """
    if record.source.run is None:
        return None
    try:
        source = runs.get(record.source.run, access=access)
    except NotFoundError:
        return None
    rule = policies.in_force(source, access=access)
    own = policies.without_policy(record.labels)
    in_file = own if record.policy is None else f"'{record.policy}'"
    if rule.unclear:
        return f"The file decides by {in_file}. {rule.unclear}"
    if rule.name is None or rule.policy is None:
        return None if record.policy is None else _differs(in_file, own)
    now = f"'{rule.name}' ({policies.describe(rule.policy)})"
    if rule.name != record.policy:
        return _differs(in_file, now)
    digest = artifacts.get(source.id, rule.name, access=access).digest
    if record.policy_digest in (None, digest):
        return None
    return _differs(f"an earlier {in_file}", now)


def _differs(in_file: str, now: str) -> str:
    return f"The file decides by {in_file}; the model's rule in force is now {now}. Export again to decide by it."
