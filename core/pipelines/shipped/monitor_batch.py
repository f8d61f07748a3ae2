"""``monitor_batch``: new rows, compared with those that a model predicted without having learned from them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.files import write_text
from core.pipelines.shipped.command import Arguments, log, run_component, write_metrics, write_report
from core.pipelines.shipped.model_folder import ModelFolder
from core.pipelines.shipped.register_model import WORKSPACE_VARIABLE
from core.pipelines.shipped.scored import read_result, target_of
from core.pipelines.tables import read_data

if TYPE_CHECKING:
    import pandas as pd

    from core.jsonable import JsonObject
    from core.monitoring import DriftReport, PerformanceEstimate

__all__ = ["WATCHED", "main"]

WATCHED = "watched.json"
"""File of the output: the model that the rows are a batch of; later the run that compares them."""
_ROWS = "batch.parquet"
_SCORE = "model score"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("monitor_batch", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.monitoring import (
        judge_look,
        judge_performance,
        metrics_json,
        monitoring_metrics,
        prometheus_text,
        worst_state,
    )

    model = ModelFolder(arguments.path("model"))
    result = read_result(model)
    frame = read_data(arguments.path("batch")).frame
    reference, batch = _reference(model, result), _batch(model, result, frame)
    report = _compared(reference, batch, arguments)
    look, alpha = arguments.integer("look"), arguments.number("alpha")
    alpha /= 2  # drift and performance share the error rate of the series
    states = [judge_look(report, look=look, alpha=alpha)]
    performance = _performance(reference, batch, result)
    states.append(judge_performance(performance, look=look, alpha=alpha))
    state = worst_state(states)
    folder = arguments.path("monitoring")
    folder.mkdir(parents=True, exist_ok=True)
    if watched := (arguments.text("watched_model") or "").strip():
        _bring(watched, frame, folder)
    samples = monitoring_metrics(report, performance=(performance,), state=state)
    write_text(folder / "drift.json", json.dumps(report.to_dict(), ensure_ascii=False))
    write_text(folder / "metrics.json", json.dumps(metrics_json(samples), indent=1, ensure_ascii=False))
    write_text(folder / "metrics.prom", prometheus_text(samples))
    write_report(
        folder,
        "monitor_batch",
        state=state.state,
        reasons=list(state.reasons),
        caveat=state.caveat,
        rows=len(batch),
        reference_rows=len(reference),
        drifted=list(report.drifted_columns),
        performance=performance.to_dict(),
    )
    write_metrics({"drifted_columns": float(len(report.drifted_columns)), "drift_share": report.drift_share})
    log(f"{len(batch):,} rows are compared with {len(reference):,} that the model had not learned from: {state.state}.")
    log(*(f"  {reason}" for reason in state.reasons))
    if state.state == "alarm" and arguments.flag("fail_on_alarm"):
        raise InputError(f"The batch raises an alarm: {state.reasons[0]}", "Look at report.json of the output.")


def _reference(model: ModelFolder, result: JsonObject) -> pd.DataFrame:
    """Return the features of the training rows, with their score and target by models that had not seen them."""
    import pandas as pd

    file = model.data / "oof.parquet"
    if model.reads_text or not file.is_file():
        raise InputError("Batches of a text model are not compared here.", "Register it, and watch it on its page.")
    predicted = pd.read_parquet(file)
    table = model.training_table().frame.iloc[predicted["row_id"].to_numpy()].reset_index(drop=True)
    frame = table[[str(name) for name in result["features"] if str(name) in table]]
    return frame.assign(**_scores(predicted, result), y_true=predicted[target_of(result)].to_numpy())


def _bring(model: str, frame: pd.DataFrame, folder: Path) -> None:
    """Ask for the rows to be compared as a batch of a registered model, too."""
    if WORKSPACE_VARIABLE not in os.environ:
        raise InputError(
            f"The model '{model[:40]}' needs a workspace, and this command has none.",
            "Run the pipeline on the Pipelines page, or leave watched_model out.",
        )
    frame.to_parquet(folder / _ROWS, index=False)
    write_text(folder / WATCHED, json.dumps({"model": model, "rows": _ROWS}, ensure_ascii=False))
    log(f"The rows are compared as a batch of '{model}' when this command has ended.")


def _batch(model: ModelFolder, result: JsonObject, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features of the new rows, with their score."""
    import pandas as pd

    from core.models import load_served_model

    if not len(frame):
        raise InputError("The batch has no rows.", "Give a table with at least one.")
    outputs = load_served_model(model.data).score(frame).outputs
    labels = result["labels"]
    names = ["prediction"] if labels is None else [f"p({label})" for label in labels]
    predicted = pd.DataFrame(outputs.reshape(len(frame), -1), columns=names)
    kept = frame[[str(name) for name in result["features"] if str(name) in frame]].reset_index(drop=True)
    return kept.assign(**_scores(predicted, result))


def _scores(predicted: pd.DataFrame, result: JsonObject) -> dict[str, pd.Series]:
    """Return the score, and for more than two classes the probability of each."""
    labels = result["labels"]
    if labels is None:
        return {_SCORE: predicted["prediction"].astype(float)}
    names = [f"p({label})" for label in labels]
    if len(names) == 2:
        return {_SCORE: predicted[names[-1]].astype(float)}
    return {_SCORE: predicted[names].max(axis=1), **{name: predicted[name] for name in names}}


def _compared(reference: pd.DataFrame, batch: pd.DataFrame, arguments: Arguments) -> DriftReport:
    from core.monitoring import compare

    columns = [name for name in reference if name != "y_true" and not name.startswith("p(")]
    return compare(
        reference[columns],
        batch[[name for name in batch if name in columns]],
        score=_SCORE,
        alpha=arguments.number("alpha"),
        relevance=arguments.number("relevance"),
    )


def _performance(reference: pd.DataFrame, batch: pd.DataFrame, result: JsonObject) -> PerformanceEstimate:
    """Return the metric as it is estimated without labels."""
    from core.monitoring import ESTIMATED_METRICS, estimate_performance

    labels = result["labels"]
    own = str(result["metric"])
    metric = own if own in ESTIMATED_METRICS else "mae" if labels is None else "accuracy"
    renamed = {_SCORE: "y_score"}
    if labels is not None and len(labels) > 2:
        names = [f"p({label})" for label in labels]
        return estimate_performance(reference[[*names, "y_true"]], batch[names], metric=metric)
    columns = [str(name) for name in result["features"] if str(name) in reference and str(name) in batch]
    return estimate_performance(
        reference.rename(columns=renamed),
        batch.rename(columns=renamed),
        metric=metric,
        positive_label=None if labels is None else labels[-1],
        columns=columns if labels is None else None,
    )


if __name__ == "__main__":
    sys.exit(main())
