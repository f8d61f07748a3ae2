"""Makes a small installation with versions of a dataset, a model of one, and a team, packed into ``tests/data``.

    python tests/data/make_old_versions.py versions-1

An archive that is there is never changed. ``expected.json`` in the home holds ids, and what its model predicted.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
STEPS = [
    {"step": "merge", "column": "plan", "values": {"dsl": "DSL"}},
    {"step": "change_type", "column": "fee", "type": "number"},
    {"step": "fill", "column": "fee", "how": "median"},
    {"step": "derive", "column": "yearly", "expression": "fee * 12"},
    {"step": "filter", "condition": "number > 5"},
]


def _fill() -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    from core import deletion, jobs, models
    from core.access import LOCAL, Role
    from core.automl import AutoMLSettings
    from core.catalog import datasets, invitations, versions, workspaces
    from core.datasets import Recipe
    from core.tasks import automl, ingest, prepare

    random = np.random.default_rng(0)
    fees = random.gamma(3, 40, 120).round(2)
    table = pd.DataFrame(
        {
            "fee": [f"${fee:,.2f}" if number % 15 else "on request" for number, fee in enumerate(fees)],
            "plan": random.choice(["DSL", "dsl", "Fiber"], len(fees)),
            "number": range(len(fees)),
            "left": np.where(fees > 120, "yes", "no"),
        }
    )

    def ended(run_id: str) -> Any:
        run = jobs.wait(run_id, 300, access=LOCAL)
        assert run.state == "SUCCEEDED", run.error_message
        return run

    content = io.BytesIO(table.to_csv(index=False).encode())
    run = ended(ingest.submit_upload(content, "customers.csv", access=LOCAL))
    first = datasets.get(run.result["dataset_id"], access=LOCAL)
    run = ended(prepare.submit(first, Recipe(STEPS), "Prepare the table", access=LOCAL))
    second = datasets.get(run.result["dataset_id"], access=LOCAL)
    versions.set_roles(second, {"target": "left", "sensitive": ["plan"], "ignore": []}, "Change roles", access=LOCAL)
    settings = AutoMLSettings(
        target="left", time_budget_s=None, max_trials=2, folds=2, explain=False, ensemble=False, learners=("lgbm",)
    )
    search = ended(automl.submit(second, settings, access=LOCAL))
    model = models.register(search.id, name="Leavers", access=LOCAL)
    datasets.set_audit(first.id, "", {"decision": "left", "sex": "plan"}, access=LOCAL)
    draft = {"parent": second.id, "steps": [*STEPS, {"step": "drop", "columns": ["number"]}]}
    revision = datasets.get(first.id, access=LOCAL).draft["revision"]
    versions.set_draft(second, draft, revision=revision, access=LOCAL)
    rows = table.head(20).drop(columns="left")
    scores = models.score(model.id, rows, access=LOCAL)["p(yes)"].tolist()
    models.promote(model.id, 1, why="It is the first.", access=LOCAL)
    gone = models.register(search.id, name="A mistake", access=LOCAL)
    deleted = deletion.delete("model", gone.id, access=LOCAL)
    shared = workspaces.add("Sales", person="ada@example.org")
    invitations.accept(invitations.add(Role.VIEWER, access=shared), "bob@example.org")
    workspaces.set_rules(two_people=True, needs_reason=True, access=shared)
    return {
        "deleted": deleted.id,
        "workspace": shared.workspace,
        "first": first.id,
        "second": second.id,
        "model": model.id,
        "rows": rows.to_dict("list"),
        "scores": scores,
    }


def pack(name: str, fill: Callable[[], dict[str, Any]]) -> None:
    """Make an installation, fill it, and pack it; what the function returns is its ``expected.json``."""
    target = HERE / f"{name}.tar.xz"
    if target.exists():
        raise SystemExit(f"{target} exists, and is never changed.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["PLUMBLINE_HOME"] = str(home)
        expected = fill()
        (home / "expected.json").write_text(json.dumps(expected), encoding="utf-8")
        with sqlite3.connect(home / "catalog.db") as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for left in ("uploads", "cache"):
            shutil.rmtree(home / left, ignore_errors=True)
        (home / "reserve").unlink(missing_ok=True)  # random bytes, made anew by the first run
        with tarfile.open(target, "w:xz") as archive:
            archive.add(home, "home")
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    pack(sys.argv[1], _fill)
