"""The Charts tab for all test rows of a search, or for those of a saved cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from core.automl import evaluate_rows
from core.catalog import Run
from pages._ui import artifacts, cohort_rows, frame, lookups
from pages.automl import evidence, learning_curve

__all__ = ["show"]


def show(run: Run, record: Mapping[str, Any]) -> None:
    """Draw the choice of rows where cohorts are saved, and the charts of these rows."""
    choice = cohort_rows.choose(run, lookups.existing_dataset(run.dataset_id), key="automl-charts-cohort")
    if choice.row_ids is None:
        evidence.show(record)
        learning_curve.show(record)
    elif choice.enough:
        with frame.errors_shown():
            test = artifacts.digests(run)["test.parquet"]
            own = _evidence(
                test, choice.row_ids, record["settings"]["target"], record["task"], record["metric"], record["labels"]
            )
            # What was measured on all rows only is left out: the baselines' outputs are not stored by row.
            evidence.show({**record, **own, "baseline_metrics": {}, "rows": record["rows"] | {"test": choice.count}})


@st.cache_data(max_entries=20, show_spinner="Computing the figures of these rows")
def _evidence(
    test: str, row_ids: np.ndarray, target: str, task: str, metric: str, labels: list[Any] | None
) -> dict[str, Any]:
    table = artifacts.predictions(test).frame
    own = evaluate_rows(
        table[np.isin(table["row_id"].to_numpy(), row_ids)], target=target, task=task, metric=metric, labels=labels
    )
    del own["rows"]
    return own
