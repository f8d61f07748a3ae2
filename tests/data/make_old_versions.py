"""Makes a small installation with versions of a dataset, and a model of one, packed into ``tests/data``.

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

    from core import jobs, models
    from core.automl import AutoMLSettings
    from core.catalog import datasets, versions
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
        run = jobs.wait(run_id, 300, workspace="local")
        assert run.state == "SUCCEEDED", run.error_message
        return run

    content = io.BytesIO(table.to_csv(index=False).encode())
    run = ended(ingest.submit_upload(content, "customers.csv", workspace="local"))
    first = datasets.get(run.result["dataset_id"], "local")
    run = ended(prepare.submit(first, Recipe(STEPS), "Prepare the table", who="ada"))
    second = datasets.get(run.result["dataset_id"], "local")
    versions.set_roles(second, {"target": "left", "sensitive": ["plan"], "ignore": []}, "Change roles")
    settings = AutoMLSettings(
        target="left", time_budget_s=None, max_trials=2, folds=2, explain=False, ensemble=False, learners=("lgbm",)
    )
    search = ended(automl.submit(second, settings))
    model = models.register(search.id, name="Leavers", workspace="local")
    datasets.set_audit(first.id, "", {"decision": "left", "sex": "plan"}, "local")
    draft = {"parent": second.id, "steps": [*STEPS, {"step": "drop", "columns": ["number"]}]}
    revision = datasets.get(first.id, "local").draft["revision"]
    versions.set_draft(second, draft, revision=revision)
    rows = table.head(20).drop(columns="left")
    scores = models.score(model.id, rows, workspace="local")["p(yes)"].tolist()
    return {
        "first": first.id,
        "second": second.id,
        "model": model.id,
        "rows": rows.to_dict("list"),
        "scores": scores,
    }


def main(name: str) -> None:
    """Make the installation and pack it."""
    target = HERE / f"{name}.tar.xz"
    if target.exists():
        raise SystemExit(f"{target} exists, and is never changed.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        os.environ["PLUMBLINE_HOME"] = str(home)
        expected = _fill()
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
    main(sys.argv[1])
