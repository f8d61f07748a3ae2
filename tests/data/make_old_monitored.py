"""Makes a small installation with a model that is watched, packed into ``tests/data``.

    python tests/data/make_old_monitored.py monitored-1

An archive that is there is never changed. ``expected.json`` in the home holds what its batches said.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE)]

from make_old_versions import pack  # noqa: E402

DAY = 86_400.0
START = 1_767_225_600.0  # 1 January 2026


def _fill() -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    from core import alerts, jobs, models, monitored
    from core.access import LOCAL
    from core.automl import AutoMLSettings
    from core.catalog import datasets
    from core.jobs import Timing
    from core.tasks import automl, ingest, monitor, monitor_schedules

    random = np.random.default_rng(0)

    def people(count: int, first: int) -> pd.DataFrame:
        fees = random.gamma(3, 40, count).round(2)
        left = np.where(fees + random.normal(0, 40, count) > 120, "yes", "no")
        groups = random.choice(["a", "b"], count)
        ids = [f"p{number}" for number in range(first, first + count)]
        return pd.DataFrame({"person": ids, "fee": fees, "group": groups, "left": left})

    def ended(run_id: str) -> Any:
        run = jobs.wait(run_id, 300, access=LOCAL)
        assert run.state == "SUCCEEDED", run.error_message
        return run

    def content(table: pd.DataFrame) -> io.BytesIO:
        return io.BytesIO(table.to_csv(index=False).encode())

    run = ended(ingest.submit_upload(content(people(600, 0).drop(columns="person")), "customers.csv", access=LOCAL))
    table = datasets.get(run.result["dataset_id"], access=LOCAL)
    settings = AutoMLSettings(
        target="left",
        sensitive_columns=("group",),
        time_budget_s=None,
        max_trials=2,
        folds=3,
        explain=False,
        ensemble=False,
        learners=("lgbm",),
    )
    search = ended(automl.submit(table, settings, access=LOCAL))
    model = models.register(search.id, name="Leavers", access=LOCAL)
    version = models.resolve(model.id, access=LOCAL)
    rules = monitored.MonitorSettings(row_id="person", largest_gap=0.9)
    monitored.change_plan(model.id, rules, why="It is used now.", access=LOCAL)
    before, moved = people(300, 1_000), people(300, 2_000)
    moved["fee"] += 100
    for day, (name, rows) in enumerate({"before.csv": before, "moved.csv": moved}.items()):
        rows = rows.drop(columns="left")
        ended(monitor.submit_upload(version, content(rows), name, at=START + day * DAY, access=LOCAL))
    labels = before[["person", "left"]].head(200)
    ended(monitor.submit_labels(version, content(labels), "labels.csv", row_id="person", label="left", access=LOCAL))
    url = "/srv/nothing-is-here"
    monitor_schedules.add_schedule(model.id, "folder", {"url": url}, Timing(cron="0 6 * * *"), access=LOCAL)
    (alert,) = alerts.open_alerts(access=LOCAL)
    alerts.acknowledge(alert.id, why="I look at the fees.", access=LOCAL)
    batches = monitored.batches_of(model.id, access=LOCAL)
    return {
        "model": model.id,
        "alert": alert.title,
        "url": url,
        "states": [batch.state.state for batch in batches],
        "estimates": [None if item.performance is None else item.performance.value for item in batches],
        "measured": batches[0].labels.measured.measured.value if batches[0].labels else None,
        "labels": before[["person", "left"]].tail(100).to_dict("list"),
    }


if __name__ == "__main__":
    pack(sys.argv[1], _fill)
