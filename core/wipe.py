"""Removes the workspace of a visitor at once, with all that belongs to it.

    python -m core.wipe                 lists the workspaces of visitors
    python -m core.wipe WORKSPACE       removes one; the id of a dataset, run or model in it will do

For whoever runs a demo. The settings are those of its server, which may run meanwhile.
"""

from __future__ import annotations

import sys
import time

from core import jobs
from core.access import Access, Role
from core.catalog import datasets, runs, usage, visitors
from core.errors import JobError, NotFoundError, PlumblineError
from core.upkeep import remove_workspace

__all__ = ["listed", "wipe"]

_WAIT_S = 120.0


def wipe(name: str, *, wait_s: float = _WAIT_S) -> str:
    """Remove a visitor's workspace, and return its name.

    Parameters
    ----------
    name : str
        The workspace, or the id of a dataset, a run or a model in it.
    wait_s : float, default=120
        Seconds to wait for the end of its runs.

    Raises
    ------
    NotFoundError
        When no visitor's workspace has this name, or holds a row with this id.
    JobError
        When one of its runs has not ended in time; the server removes the workspace later.
    """
    workspace = visitors.of_row(name)
    if workspace is None or not visitors.close(workspace):
        raise NotFoundError("There is no such workspace of a visitor.", "python -m core.wipe lists them.")
    deadline = time.monotonic() + wait_s
    while not remove_workspace(workspace, at_once=True):
        if time.monotonic() > deadline:
            raise JobError(
                "A run of this workspace has not ended yet.", "Nobody can enter it any more. Try again, to remove it."
            )
        jobs.tick()
        time.sleep(0.2)
    return str(workspace)


def listed() -> list[str]:
    """Return a line about each workspace of a visitor: name, end, size, datasets and runs."""
    lines = []
    for row in visitors.find():
        access = Access(row.workspace, Role.VIEWER, "")
        until = "never" if row.expires_at is None else _written(row.expires_at)
        stored_mb = usage.stored_bytes(access=access) / 2**20
        counts = f"{len(datasets.find(access=access))} datasets, {len(runs.find(access=access))} runs"
        lines.append(f"{row.workspace}  removed {until}  {stored_mb:,.0f} MB  {counts}")
    return lines


def _written(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def main(arguments: list[str]) -> None:
    """List the workspaces of visitors, or remove those that are named."""
    try:
        for line in [f"{wipe(name)} is removed." for name in arguments] if arguments else listed():
            print(line)  # noqa: T201
    except PlumblineError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
