"""Make an installation with runs that worked on nodes: ``python tests/data/make_old_placed.py FILE.tar.xz``.

Run it with the code of a version that is to stay readable. The runs work here; what the catalog says of nodes is added.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "ray://head.internal:8265"


def main(target: Path) -> None:
    """Make the installation and pack it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ |= {
            "PLUMBLINE_HOME": str(home),
            "PLUMBLINE_STORAGE": str(home / "artifacts"),
            "PLUMBLINE_TASK_PACKAGES": "core.tasks,tests.jobs.job_tasks",
        }
        sys.path.insert(0, str(ROOT))
        from sqlalchemy import text

        from core import installation, jobs
        from core.access import LOCAL
        from core.catalog import RunState, runs
        from core.catalog.engine import get_engine

        installation.check()
        cancelled = jobs.submit("count", {"steps": 120, "pause": 0.05}, title="Cancelled on a node", access=LOCAL)
        while len(jobs.events(cancelled, access=LOCAL)) < 40:
            time.sleep(0.1)
        jobs.cancel(cancelled, access=LOCAL)
        succeeded, waits = (jobs.submit("count", {"steps": 2}, title=name, access=LOCAL) for name in ("Done", "Waits"))
        for run_id in (cancelled, succeeded, waits):
            run = jobs.wait(run_id, 60, access=LOCAL)
            handle = f"plumbline-{run_id}-1"
            fields = {"engine": ENGINE, "handle": handle, "node": "node-1", "placements": 1, "host_id": "elsewhere"}
            runs.set_fields(run_id, [run.state], access=LOCAL, cpus=2, needs_mb=600, **fields)
        runs.set_fields(
            waits, [RunState.SUCCEEDED], access=LOCAL, placed_at=time.time(), claim_token="void", node="", host_id=""
        )
        with get_engine().begin() as connection:
            nothing = "started_at = NULL, finished_at = NULL, result = NULL"
            connection.execute(text(f"UPDATE run SET state = 'QUEUED', {nothing} WHERE id = '{waits}'"))
            connection.execute(text(f"DELETE FROM runevent WHERE run_id = '{waits}'"))
        get_engine().dispose()
        shutil.rmtree(home / "runs")  # the nodes have kept nothing
        (home / "reserve").unlink(missing_ok=True)
        expected = {"cancelled": cancelled, "succeeded": succeeded, "waits": waits}
        (home / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
        with tarfile.open(target, "w:xz") as archive:
            archive.add(home, "home")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
