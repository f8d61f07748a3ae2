"""``model_evaluation``: metrics with intervals, fairness by group, and a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.columns import require_columns
from core.errors import ExportError
from core.files import write_text
from core.finetune import known_label_sets
from core.jsonable import jsonable
from core.label_cells import MULTILABEL
from core.pipelines.shipped.command import Arguments, log, run_component, write_metrics, write_report
from core.pipelines.shipped.evaluation_report import EvaluationReport, GroupComparison
from core.pipelines.shipped.model_folder import ModelFolder
from core.pipelines.shipped.scored import (
    PositiveClass,
    ScoredTable,
    compare_with_training,
    label_texts,
    positive_class,
    read_result,
    score_table,
)
from core.pipelines.tables import read_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.evaluation import Comparison

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("model_evaluation", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.evaluation import METRICS, verdict_sentence

    model = ModelFolder(arguments.path("model"))
    table = read_data(arguments.path("test_data"), "test")
    log(f"Read {len(table.frame):,} rows.", *table.notes)
    scored = score_table(model, table)
    seen = compare_with_training(model, scored, table.part)
    log(*scored.notes, seen.sentence)
    positive = positive_class(model, scored)
    if positive is not None:
        log(f"The figures are about '{positive.label}': {positive.reason}")
    groups = table.description.group if table.description.group in scored.frame.columns else None
    compared = _compare(model, scored, None if groups is None else scored.frame[groups].astype(str).to_numpy())
    title = METRICS[scored.metric].title
    guessing = "guessing the mean" if scored.labels is None else "guessing"
    verdict = verdict_sentence(title, compared.gains, {"prior": guessing})
    if seen.held_out is not True:
        verdict = f"{seen.sentence} {verdict.replace(' it never saw', '')}"
    log(verdict)
    for name, item in compared.metrics["model"].items():
        reason = f" ({item.reason})" if item.reason else ""
        log(f"  {METRICS[name].title}: {_interval(item.value, item.low, item.high)}{reason}")
    sensitive, origin = _sensitive(arguments, model, table.description.sensitive)
    log(origin)
    fairness, skipped = _fairness(scored, positive, sensitive)
    log(*(f"'{item.column}': {item.conclusion.text}" for item in fairness), *skipped)
    report = EvaluationReport(
        scored=scored,
        compared=compared,
        verdict=verdict,
        positive=positive,
        seen=seen,
        fairness=fairness,
        notes=(*table.notes, *scored.notes, origin, *skipped),
        learner=_learner(model),
    )
    folder = arguments.path("evaluation_results")
    write_text(folder / "metrics.json", json.dumps(jsonable(report.to_dict()), indent=1, ensure_ascii=False))
    try:
        page = report.to_html()
    except ExportError as error:
        log(f"The report has no charts: {error.message}")
        page = report.to_html(charts=False)
    write_text(folder / "report.html", page)
    write_report(folder, "model_evaluation", verdict=verdict, target=scored.target, notes=report.notes)
    write_metrics({name: item.value for name, item in compared.metrics["model"].items()})
    log("Wrote report.html and metrics.json.")


def _compare(model: ModelFolder, scored: ScoredTable, groups: NDArray[np.generic] | None) -> Comparison:
    """Return all metrics of the model, and of guessing by the training rows."""
    from core.evaluation import compare_outputs

    return compare_outputs(
        scored.task,
        scored.metric,
        scored.y,
        {"model": scored.outputs, "prior": _guesses(model, scored)},
        groups=groups,
        labels=scored.labels,
    )


def _guesses(model: ModelFolder, scored: ScoredTable) -> NDArray[np.float64]:
    """Return what guessing predicts: the share of each class in the training rows, or their mean."""
    import pandas as pd

    trained = model.training_table().frame[scored.target].dropna()
    if scored.labels is None:
        return np.full(len(scored.y), float(pd.to_numeric(trained, errors="coerce").mean()))
    if scored.task == MULTILABEL:
        separator = read_result(model)["settings"].get("label_separator")
        y, known = known_label_sets(trained, scored.labels, separator)
        return np.tile(y[known].mean(axis=0), (len(scored.y), 1))
    shares = label_texts(trained).value_counts(normalize=True).reindex(scored.labels, fill_value=0.0)
    return np.tile(shares.to_numpy(dtype=float), (len(scored.y), 1))


def _sensitive(arguments: Arguments, model: ModelFolder, roles: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Return the columns that groups are compared by, and a sentence that says why these."""
    named = arguments.names("sensitive")
    columns = named or tuple(roles) or model.training_table().description.sensitive
    if not columns:
        return (), "No groups are compared: no sensitive columns are named, and the data gives no column this role."
    listed = ", ".join(f"'{name}'" for name in columns)
    return columns, f"Groups are compared by {listed} ({'named' if named else 'the role in the dataset'})."


def _fairness(
    scored: ScoredTable, positive: PositiveClass | None, sensitive: Sequence[str]
) -> tuple[list[GroupComparison], list[str]]:
    """Return the comparison of groups by each column, and why a column was not compared."""
    from core.fairness import as_groups, conclude, group_metrics

    if scored.task in ("multiclass", MULTILABEL) and sensitive:
        several = "several labels" if scored.task == MULTILABEL else "more than two classes"
        return [], [f"Groups are not compared: '{scored.target}' has {several}."]
    require_columns(scored.frame.columns, list(sensitive))
    comparisons, skipped = [], []
    for column in sensitive:
        groups = as_groups(scored.frame[column])
        if groups.nunique(dropna=False) < 2:
            skipped.append(f"Groups are not compared by '{column}': it has one value in these rows.")
            continue
        metrics = group_metrics(
            scored.truth,
            scored.predicted,
            groups,
            y_score=None if positive is None else scored.outputs[:, (scored.labels or []).index(positive.label)],
            pos_label=None if positive is None else positive.label,
            task="regression" if scored.labels is None else "classification",
        )
        comparisons.append(GroupComparison(column, metrics, conclude(metrics)))
    return comparisons, skipped


def _learner(model: ModelFolder) -> str:
    """Return the title of what was trained."""
    from core.automl import learner_title

    result = read_result(model)
    return "Text model" if model.reads_text else learner_title(str(result["winner"]["learner"]))


def _interval(value: float, low: float | None, high: float | None) -> str:
    shown = f"{value:.4g}"
    return shown if low is None or high is None else f"{shown} [{low:.4g}, {high:.4g}]"


if __name__ == "__main__":
    sys.exit(main())
