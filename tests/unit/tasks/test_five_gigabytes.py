"""A table of five gigabytes goes all the way in less than three of memory: import, profile, checks, search, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core import jobs, models
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Run, RunState, datasets
from core.datasets.prepare import STEPS, Recipe
from core.tasks import automl, check, ingest, prepare, score

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3_600)]
ROWS = 19_000_000
NUMBERS = 20
PEAK_MB = 3_000


def ended(run_id: str) -> Run:
    """Wait for a run that has to succeed in little memory, and return it."""
    run = jobs.wait(run_id, 3_600, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, (run.task, run.error_message, jobs.log(run_id, access=LOCAL)[-2_000:])
    assert run.peak_rss_mb is not None
    assert run.peak_rss_mb < PEAK_MB, run.task
    return run


def write(path: Path, *, labeled: bool) -> None:
    """Write a table: numbers with 12 digits, a category, and with `labeled` a label that depends on two of them."""
    import duckdb

    label = ", CASE WHEN n0 + n1 > 1e6 THEN 'yes' ELSE 'no' END AS label" if labeled else ""

    numbers = ", ".join(f"round(random() * 1e6, 5) AS n{index}" for index in range(NUMBERS))
    with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
        connection.execute(
            f"COPY (SELECT *{label} FROM "
            f"(SELECT {numbers}, 'group-' || (range % 50) AS kind FROM range({ROWS}))) TO '{path}' (HEADER)"
        )


def test_five_gigabytes(installation: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    write(path, labeled=True)
    assert path.stat().st_size > 4.5e9
    settings = {"MAX_UPLOAD_MB": "8000", "READ_MEMORY_MB": "3000", "MAX_KEPT_UPLOADS_MB": "0"}
    with installation(tmp_path / "home", **settings):
        with open(path, "rb") as file:
            imported = ended(ingest.submit_upload(file, "large.csv", access=LOCAL))
        assert imported.result is not None
        large = datasets.get(imported.result["dataset_id"], access=LOCAL)
        assert (large.rows, large.columns) == (ROWS, NUMBERS + 2)
        checked = ended(check.submit(large, "label", access=LOCAL))
        assert checked.result is not None
        step = STEPS["sample"](rows=100_000)
        sampled = ended(prepare.submit(large, Recipe([step]), "Keep 100,000 rows", access=LOCAL))
        assert sampled.result is not None
        small = datasets.get(sampled.result["dataset_id"], access=LOCAL)
        assert small.rows == 100_000
        searched = ended(automl.submit(small, AutoMLSettings(target="label", time_budget_s=60), access=LOCAL))
        model = models.register(searched.id, name="Large", access=LOCAL)
        version = models.versions(model.id, access=LOCAL)[0]
        write(path, labeled=False)  # with labels its metrics take another half gigabyte
        with open(path, "rb") as file:
            scored = ended(score.submit_upload(version, file, "large.csv", access=LOCAL))
        assert scored.result is not None
        assert scored.result["rows"] == ROWS
