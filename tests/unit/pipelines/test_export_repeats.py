"""Exported searches repeat themselves: without a time budget, a fresh folder gives the same trials and predictions."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

from core.automl import AutoMLSettings, search
from core.datasets import fingerprint, load_sample
from core.pipelines import StepState, export_search, load_pipeline, run_pipeline

SEARCHES = [
    ("german_credit", {"target": "credit"}),
    ("german_credit", {"target": "credit", "metric": "log_loss", "seed": 3, "sensitive_columns": ["sex"]}),
    ("german_credit", {"target": "credit", "drop_columns": ["telephone"], "positive_label": "bad"}),
    ("german_credit", {"target": "duration_months", "folds": 3}),
    ("german_credit", {"target": "purpose", "learners": ["lgbm"], "ensemble": False}),
    ("iris", {"target": "species", "test_fraction": 0.3}),
    ("wine", {"target": "cultivar", "learners": ["rf"]}),
    ("breast_cancer", {"target": "diagnosis", "blocked_learners": ["xgboost"]}),
    ("diabetes", {"target": "progression", "metric": "mae"}),
    ("diabetes", {"target": "progression", "early_stopping": False, "seed": 7}),
]
REPRODUCIBLE = {"time_budget_s": None, "max_trials": 4, "explain": False}


@pytest.mark.nightly
@pytest.mark.parametrize(("sample", "settings"), SEARCHES, ids=range(len(SEARCHES)))
def test_a_search_and_its_export_are_equal(sample: str, settings: dict, tmp_path: Path) -> None:
    table = load_sample(sample, workdir=tmp_path / "data")
    asked = AutoMLSettings(**settings, **REPRODUCIBLE)
    first = search(table.frame, asked, workdir=tmp_path / "scratch")
    first.save(tmp_path / "first")
    exported = export_search(asked.model_dump(mode="json"), data="azureml:rows:1", title="Search")
    zipfile.ZipFile(BytesIO(exported.to_zip())).extractall(tmp_path / "p")

    result = run_pipeline(
        load_pipeline(tmp_path / "p" / "pipeline.yml"), inputs={"rows": tmp_path / "data"}, workdir=tmp_path / "w"
    )
    step = result.steps["search"]
    assert step.state is StepState.SUCCEEDED, step.reason
    again = step.outputs["model"] / "data"
    for name in ("oof.parquet", "test.parquet"):
        one, other = (pd.read_parquet(folder / name) for folder in (tmp_path / "first", again))
        assert fingerprint(one) == fingerprint(other), name
    one, other = (pd.read_csv(folder / "leaderboard.csv") for folder in (tmp_path / "first", again))
    timeless = [name for name in one.columns if "second" not in name and "_ms" not in name and not name.endswith("_s")]
    pd.testing.assert_frame_equal(one[timeless], other[timeless])
