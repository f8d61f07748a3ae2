"""The rows that a threshold is chosen on, and the rows that it is checked on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.catalog import Run
from core.cohorts import Cohort
from core.decisions import DecisionCurve, LabeledScores, decision_curve
from core.fairness import ThresholdPolicy
from core.label_cells import MULTILABEL
from pages._ui import artifacts, cohort_rows, keys, lookups
from pages._ui.cohort_rows import RowChoice

__all__ = ["DecisionSource", "choose_rows", "curve_of", "labels_of", "source_of"]

_COPIES = 3  # what a curve computes from its table when it is asked
_FOUND_ON = {
    "automl": ("oof.parquet", "out-of-fold predictions"),
    "federated": ("oof.parquet", "out-of-fold predictions"),
    "finetune": ("validation.parquet", "validation texts"),
    "federated_texts": ("validation.parquet", "validation texts"),
}
"""File that thresholds are chosen on and its name, by the task that trained the model."""


@dataclass(frozen=True)
class DecisionSource:
    """Rows with scores of one label, or with predicted numbers.

    Parameters
    ----------
    key : str
        Key of caches and widgets; it changes whenever anything else here does.
    run : Run or None
        Run that made the model; None for a table with scores of its own.
    label : str or None
        Label that the scores are about, or the event of a number; None for numbers.
    calibration : LabeledScores
        Rows that a threshold is chosen on.
    test : LabeledScores or None
        Rows that it is checked on; None where there are none.
    origin : str
        Name of the calibration rows.
    weight : str or None, default=None
        Column whose weights the rows count by.
    cohort : Cohort or None, default=None
        Saved cohort that the rows are of; None for all rows.
    of_number : bool, default=False
        Whether the scores are predicted numbers, and the label an event of the true one.
    note : str, default=""
        Sentence that says which rows these are, where they are a sample.
    sample : tuple of int, optional
        Number of the calibration rows, and of those that they are a sample of; None where they are all.
    """

    key: str
    run: Run | None
    label: str | None
    calibration: LabeledScores
    test: LabeledScores | None
    origin: str
    weight: str | None = None
    cohort: Cohort | None = None
    of_number: bool = False
    note: str = ""
    sample: tuple[int, int] | None = None

    def policy(self, curve: DecisionCurve, threshold: float) -> ThresholdPolicy:
        """Return a threshold as a policy that says what its scores are about."""
        policy = curve.policy(threshold, positive=None if self.of_number else self.label)
        if self.of_number and self.label is not None:
            policy.settings["event"] = self.label
        return policy if self.sample is None else policy.chosen_on_sample(*self.sample)

    def at_least(self, value: float) -> DecisionSource:
        """Return the rows of a predicted number with the event that the true one reaches a value."""
        label = f"at least {value:,.12g}"
        return replace(
            self,
            key=f"{self.key}/{label}",
            label=label,
            calibration=self.calibration.at_least(value),
            test=None if self.test is None else self.test.at_least(value),
            of_number=True,
        )


def labels_of(run: Run) -> list[str] | None:
    """Return the labels of a run's model; None for a number."""
    labels = artifacts.json_of(run, "result.json")["labels"]
    return None if labels is None else [str(label) for label in labels]


def choose_rows(run: Run) -> RowChoice:
    """Draw the choice of the rows that a threshold is read on, where cohorts are saved with the run."""
    file, origin = _FOUND_ON[run.task]
    dataset = lookups.existing_dataset(run.dataset_id)
    return cohort_rows.choose(run, dataset, key=keys.key("decide-cohort"), file=file, what=origin)


def source_of(run: Run, label: str | None, cohort: Cohort | None = None) -> DecisionSource | None:
    """Return the stored predictions of a search or a training; None where it stored none to choose a threshold on."""
    file, origin = _FOUND_ON[run.task]
    digests = artifacts.digests(run)
    if file not in digests or not artifacts.count(digests[file]):
        return None
    record = artifacts.json_of(run, "result.json")
    settings = record["settings"]
    target = settings["label_column" if run.task == "finetune" else "target"]

    dataset = None if cohort is None else lookups.existing_dataset(run.dataset_id)

    notes: list[str] = []
    sample = artifacts.sample_size(artifacts.predictions(digests[file]))

    def rows(name: str) -> LabeledScores:
        stored = artifacts.predictions(digests[name])
        notes.append(artifacts.sample_note(stored, origin if name == file else "test rows"))
        table = stored.frame
        if cohort is not None and dataset is not None:
            table = table[np.isin(table["row_id"], cohort_rows.positions(dataset.data_digest, digests[name], cohort))]
        return LabeledScores.from_predictions(table, target, label, several=record["task"] == MULTILABEL)

    calibration = rows(file)
    test = rows("test.parquet") if record["rows"]["test"] and "test.parquet" in digests else None
    weight = settings.get("weight_column") if calibration.weight is not None else None
    key = f"{run.id}/{label}" if cohort is None else f"{run.id}/{label}/{cohort.text}"
    note = " ".join(filter(None, notes))
    return DecisionSource(key, run, label, calibration, test, origin, weight, cohort, note=note, sample=sample)


def curve_of(source: DecisionSource, costs: dict[str, float], *, test: bool = False) -> DecisionCurve:
    """Return what each threshold does and costs, sorted once."""
    rows = source.test if test else source.calibration
    assert rows is not None

    def sort() -> DecisionCurve:
        return decision_curve(
            rows.truth, rows.score, costs=dict(costs), sample_weight=rows.weight, groups=rows.groups, pos_label=True
        )

    key = (source.key, test, tuple(costs.items()))
    return artifacts.keep(key, sort, lambda curve: _COPIES * artifacts.frame_bytes(curve.table))
