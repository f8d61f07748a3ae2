"""``fairness_thresholds``: a threshold policy, found on rows that the model did not learn from."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.columns import require_columns
from core.errors import InputError, SettingsError
from core.files import write_text
from core.pipelines.shipped.command import Arguments, log, run_component, write_report
from core.pipelines.shipped.model_folder import ModelFolder
from core.pipelines.shipped.scored import (
    compare_with_training,
    label_texts,
    positive_class,
    read_result,
    score_table,
    target_of,
)
from core.pipelines.tables import read_data

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from core.fairness import ThresholdPolicy

__all__ = ["main"]


@dataclass(frozen=True)
class _Scores:
    """Rows to choose thresholds on: labels, scores of the positive class, and the rows themselves."""

    truth: NDArray[np.generic]
    scores: NDArray[np.float64]
    frame: pd.DataFrame
    positive: str
    origin: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("fairness_thresholds", _work, argv)


def _work(arguments: Arguments) -> None:
    import pandas as pd

    from core.fairness import as_groups

    model = ModelFolder(arguments.path("model"))
    validation = arguments.optional_path("validation_data")
    rows = _out_of_fold(model) if validation is None else _validated(model, validation)
    log(rows.origin, f"Thresholds decide who is predicted as '{rows.positive}'.")
    columns = arguments.names("sensitive") or model.training_table().description.sensitive
    if not columns:
        raise InputError("No sensitive columns are named.", "Name them, or give columns this role in the dataset.")
    require_columns(rows.frame.columns, list(columns))
    groups = pd.DataFrame({name: as_groups(rows.frame[name]).reset_index(drop=True) for name in columns})
    policy = _policy(arguments, rows, groups)
    folder = arguments.path("policy")
    write_text(folder / "policy.json", json.dumps(policy.to_dict(), indent=1, ensure_ascii=False))
    expected = policy.to_dict()["expected"]
    for group, parts in policy.to_dict()["rules"].items():
        for part in parts:
            log(f"  {group or 'all rows'}: {part['threshold']} (probability {part['probability']:g})")
    write_report(
        folder,
        "fairness_thresholds",
        rows=len(rows.truth),
        origin=rows.origin,
        sensitive=columns,
        positive=rows.positive,
        expected=expected,
    )
    log("Wrote policy.json. Check it on test rows before it decides: they were not used here.")


def _policy(arguments: Arguments, rows: _Scores, groups: pd.DataFrame) -> ThresholdPolicy:
    from core.fairness import optimize_thresholds, single_threshold

    constraint, objective = str(arguments.text("constraint")), str(arguments.text("objective"))
    tolerance = arguments.number("tolerance")
    if arguments.flag("by_group"):
        return optimize_thresholds(
            rows.truth,
            rows.scores,
            groups,
            constraint=constraint,
            objective=objective,
            tolerance=tolerance,
            randomized=arguments.flag("randomized"),
            pos_label=rows.positive,
        )
    if arguments.flag("randomized"):
        raise SettingsError("One threshold for all draws nothing at random.", "Set randomized to false.")
    return single_threshold(
        rows.truth,
        rows.scores,
        groups,
        constraint=constraint,
        objective=objective,
        tolerance=tolerance or 1.0,
        pos_label=rows.positive,
    )


def _require_two_classes(labels: Sequence[object] | None) -> None:
    if labels is None or len(labels) != 2:
        kind = "predicts a number" if labels is None else f"has {len(labels)} classes"
        raise InputError(f"The model {kind}; thresholds are for two.", "Train a model with two classes.")


def _out_of_fold(model: ModelFolder) -> _Scores:
    """Return the training rows as models of the cross-validation predicted them that had not seen them."""
    import pandas as pd

    file = model.data / "oof.parquet"
    result = read_result(model)
    _require_two_classes(result["labels"])
    if not file.is_file():
        raise InputError(
            "A text model has no predictions of a cross-validation.", "Give validation_data with rows it did not see."
        )
    predicted = pd.read_parquet(file)
    positive = str(result["positive_class"]["label"])
    frame = model.training_table().frame.iloc[predicted["row_id"].to_numpy()].reset_index(drop=True)
    truth = label_texts(frame[target_of(result)]).to_numpy(dtype=object)
    origin = (
        f"Thresholds are chosen on the {len(frame):,} training rows, each scored by a model of the cross-validation "
        "that had not seen it."
    )
    return _Scores(truth, predicted[f"p({positive})"].to_numpy(dtype=float), frame, positive, origin)


def _validated(model: ModelFolder, path: Path) -> _Scores:
    """Return rows that are given, scored by the model."""
    table = read_data(path, "test")
    scored = score_table(model, table)
    _require_two_classes(scored.labels)
    positive = positive_class(model, scored)
    assert positive is not None
    seen = compare_with_training(model, scored, table.part)
    if seen.held_out is False:
        raise InputError(seen.sentence, "Give rows that the model did not learn from, or none.")
    column = (scored.labels or []).index(positive.label)
    origin = f"Thresholds are chosen on {len(scored.y):,} rows of {table.description.name}. {seen.sentence}"
    log(*scored.notes)
    return _Scores(scored.truth, scored.outputs[:, column], scored.frame, positive.label, origin)


if __name__ == "__main__":
    sys.exit(main())
