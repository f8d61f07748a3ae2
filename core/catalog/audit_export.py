"""The audit log as a file: for a spreadsheet, or for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

from core.access import Access
from core.catalog import audit
from core.catalog.audit import ACTIONS, EVERYTHING, AuditFilter
from core.spreadsheet import to_csv

__all__ = ["export"]


def export(form: Literal["csv", "jsonl"], wanted: AuditFilter = EVERYTHING, *, access: Access) -> str:
    """Return the newest records, at most `core.catalog.audit.EXPORTED`, as a text; that it was done is recorded.

    Parameters
    ----------
    form : {"csv", "jsonl"}
        ``"csv"`` for a spreadsheet. ``"jsonl"`` for one JSON object per line, with the digests that chain the records.
    wanted : AuditFilter, optional
        Conditions that the records meet.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    """
    records = [record for page in audit.each_page(wanted, access=access) for record in page]
    audit.add("export", "the audit log", access=access, records=len(records), form=form)
    if form == "jsonl":
        return "".join(f"{json.dumps(record.to_dict())}\n" for record in records)
    import pandas as pd

    columns = ["Number", "Time (UTC)", "Person", "Action", "Subject", "Details", "Digest"]
    rows = [
        (
            record.number,
            datetime.fromtimestamp(record.at, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00"),
            record.who,
            ACTIONS.get(record.action, record.action),
            record.subject,
            json.dumps(record.details),
            record.digest,
        )
        for record in records
    ]
    return to_csv(pd.DataFrame(rows, columns=columns))
