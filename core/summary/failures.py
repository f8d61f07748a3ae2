"""Where a model fails: groups of rows with larger errors, or classes that are taken for each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from core import saved_cohorts
from core.automl import natural_frequency
from core.cohorts import (
    MAX_COLUMNS,
    CohortReport,
    condition_columns,
    find_cohorts,
    judge_cohort,
    load_out_of_fold,
    losses_of,
    row_losses,
    rows_to_judge,
)
from core.errors import PlumblineError
from core.evaluation import groups_in, weights_in
from core.models import RunEvidence
from core.storage import get_store
from core.summary.document import SummarySection
from core.summary.frequencies import Predictions

__all__ = ["failures_section"]

_TITLE = "Where it fails"
_MAX_CONFUSIONS = 3


def failures_section(evidence: RunEvidence, test: Predictions | None) -> SummarySection:
    """Return the section."""
    confused = test is not None and evidence.labels is not None and not evidence.several
    text = _confusions(evidence.labels or [], test) if confused and test is not None else []
    if evidence.reads_text:
        return SummarySection(
            "failures", _TITLE, tuple(text), missing="Groups of texts with larger errors are not looked for."
        )
    if evidence.dataset is None:
        missing = "The table was deleted, so groups of rows with larger errors cannot be looked for."
        return SummarySection("failures", _TITLE, tuple(text), missing=missing)
    if "oof.parquet" not in evidence.artifacts:
        missing = "The search stored no predictions of its training rows, so groups of rows cannot be looked for."
        return SummarySection("failures", _TITLE, tuple(text), missing=missing)
    try:
        sentences = _cohorts(evidence)
    except PlumblineError as error:
        return SummarySection("failures", _TITLE, tuple(text), missing=f"Groups were not looked for: {error.message}")
    return SummarySection("failures", _TITLE, (*sentences, *text))


def _confusions(labels: list[str], test: Predictions) -> list[str]:
    """Return the classes that are most often taken for another, as shares of the class."""
    if len(labels) == 2:
        return []
    weights = np.ones(len(test)) if test.weights is None else test.weights
    table = pd.DataFrame({"actual": test.actual, "predicted": test.predicted, "weight": weights})
    totals = table.groupby("actual", sort=True)["weight"].sum()
    wrong = table[table["actual"] != table["predicted"]].groupby(["actual", "predicted"], sort=True)["weight"].sum()
    largest = wrong.sort_values(ascending=False, kind="stable").head(_MAX_CONFUSIONS)
    return [
        f"'{actual}' is taken for '{predicted}' in {natural_frequency(amount / totals[actual])} of its cases."
        for (actual, predicted), amount in largest.items()
        if totals[actual] > 0
    ]


def _cohorts(evidence: RunEvidence) -> list[str]:
    """Return what is known of groups of rows, judged on training rows that the models had not seen."""
    assert evidence.dataset is not None
    predictions = pd.read_parquet(evidence.path("oof.parquet"))
    path = get_store().local_path(evidence.dataset.data_digest)
    known = pq.read_schema(path).names
    names = condition_columns(known, evidence.features, evidence.result.sensitive_columns, evidence.target)
    table, predictions = load_out_of_fold(path, predictions, names[:MAX_COLUMNS])
    loss = losses_of(evidence.result.task)[0].key
    losses = row_losses(predictions, evidence.target, loss)
    groups, weights = groups_in(predictions, evidence.target), weights_in(predictions, evidence.target)
    report = find_cohorts(table, losses, sample_weight=weights, groups=groups, name=loss)
    text = [report.sentence]
    text += [f"Rows where {item.cohort.text}: {report.describe(item)}." for item in report.worse[1:]]
    text += _saved(evidence, report, table, losses, weights, groups)
    text.append(
        f"Groups were looked for on {report.rows_found:,} training rows and judged on {report.rows_judged:,} others, "
        "each predicted by models that were not fitted on it."
    )
    return text


def _saved(
    evidence: RunEvidence,
    report: CohortReport,
    table: pd.DataFrame,
    losses: np.ndarray,
    weights: np.ndarray | None,
    groups: np.ndarray | None,
) -> list[str]:
    """Return the cohorts that were saved with the search, judged on the same rows."""
    rest = rows_to_judge(len(table), groups)
    known = {item.cohort: item for item in report.cohorts}
    level = 1 - (1 - report.confidence) / (len(report.cohorts) + 1)
    text = []
    for cohort in saved_cohorts.kept(evidence.run, access=evidence.access).values():
        if set(cohort.columns) - set(table.columns):
            text.append(f"Saved cohort, {cohort.text}: it cannot be read, because the table lacks a column.")
            continue
        if cohort in known and known[cohort] in report.worse:
            continue
        judged = known.get(cohort) or judge_cohort(
            cohort,
            table[rest],
            losses[rest],
            sample_weight=None if weights is None else weights[rest],
            groups=None if groups is None else groups[rest],
            confidence=level,
        )
        text.append(f"Saved cohort, {cohort.text}: {report.describe(judged)}.")
    return text
