"""Labels that come later: joined by row id, in parts, twice, contradictory; measured beside estimated."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from core.errors import InputError
from core.evaluation import estimate as evaluate
from core.evaluation import wilson
from core.monitoring import (
    ESTIMATED_METRICS,
    LabelBook,
    MeasuredPerformance,
    PerformanceEstimate,
    compare_labels,
    error_surplus,
    estimate_performance,
    find_surprising_errors,
    judge_performance,
    labeled_rows,
    measure_performance,
)
from core.monitoring.measured_metrics import measure
from tests.unit.monitoring.monitoring_tables import SCORED_ROWS as N
from tests.unit.monitoring.monitoring_tables import scored_batch as batch


def labels_of(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["row_id", "y_true"]]


REFERENCE, CURRENT = batch(0), batch(1)


def test_labels_come_late_in_two_parts_and_one_part_twice() -> None:
    """Check 9: joined by row id, whatever the order; a part that comes again changes nothing."""
    empty = LabelBook.of(CURRENT["row_id"])
    parts = labels_of(CURRENT).sample(frac=1, random_state=0)
    first, other = parts.head(700), parts.iloc[700:]
    book, delivery = empty.add(first)
    assert (delivery.rows, delivery.new, delivery.repeated) == (700, 700, 0)
    assert book.share == 0.35
    again, repeated = book.add(first)
    assert (repeated.new, repeated.repeated, repeated.contradictory, repeated.unknown) == (0, 700, 0, 0)
    pd.testing.assert_series_equal(again.labels, book.labels)
    whole, _ = again.add(other)
    whole, _ = whole.add(first)
    assert len(whole) == N
    stored, _ = LabelBook.of(CURRENT["row_id"]).add(whole.to_frame())
    assert stored.labels.to_dict() == whole.labels.to_dict()
    joined = labeled_rows(CURRENT.drop(columns="y_true"), whole)
    assert joined["y_true"].tolist() == CURRENT["y_true"].tolist()
    value = measure_performance(CURRENT, whole, metric="accuracy").measured.value
    assert value == pytest.approx(sk.accuracy_score(CURRENT["y_true"], CURRENT["y_score"] >= 0.5))
    part = measure_performance(CURRENT, book, metric="accuracy")
    assert (part.labeled, part.rows) == (700, N)


def test_contradictory_unknown_and_missing_labels_are_counted_and_named() -> None:
    book, _ = LabelBook.of([1, 2, 3, 4]).add(pd.DataFrame({"row_id": [1], "y_true": ["yes"]}))
    delivery = pd.DataFrame(
        {
            "row_id": ["1", 2.0, 2, 3, 3, 9, None, 4],
            "y_true": ["no", "yes", "no", "yes", "yes", "no", "yes", None],
        }
    )
    book, result = book.add(delivery)
    assert (result.new, result.repeated, result.contradictory) == (1, 1, 3)
    assert (result.unknown, result.missing, result.rows) == (1, 2, 8)
    assert result.contradictory_ids == ("1", "2")
    assert book.labels.to_dict() == {"1": "yes", "3": "yes"}
    assert result.sentence == (
        "1 of 8 rows got their label; 1 had the same one already; 3 contradict what was known, which stays; "
        "1 have ids that are not in the batch; 2 have no label or id."
    )
    _, again = book.add(pd.DataFrame({"row_id": [1], "y_true": ["yes"]}))
    assert (again.repeated, again.contradictory) == (1, 0)
    numbers, _ = LabelBook.of(["a"]).add(pd.DataFrame({"row_id": ["a"], "y_true": [1]}))
    assert numbers.add(pd.DataFrame({"row_id": ["a"], "y_true": [1.0]}))[1].repeated == 1


def test_batches_need_ids() -> None:
    with pytest.raises(InputError, match="Two rows of the batch have the id '7'"):
        LabelBook.of([7, 8, "7"])
    with pytest.raises(InputError, match="1 rows of the batch have no id"):
        LabelBook.of([7, None])
    with pytest.raises(InputError, match="delivery of labels has no column 'y_true'"):
        LabelBook.of([7]).add(pd.DataFrame({"row_id": [7]}))
    with pytest.raises(InputError, match="No row of the batch has a label yet"):
        measure_performance(CURRENT, LabelBook.of(CURRENT["row_id"]), metric="accuracy")


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", None])), max_size=20), st.integers(0, 20))
@settings(deadline=None, max_examples=40)
def test_counts_of_a_delivery_add_up_and_repeats_change_nothing(rows: list, cut: int) -> None:
    frame = pd.DataFrame({"row_id": [row for row, _ in rows], "y_true": [label for _, label in rows]}, dtype=object)
    book = LabelBook.of(range(5))
    for part in (frame.iloc[:cut], frame.iloc[cut:]):
        book, result = book.add(part)
        again, repeated = book.add(part)
        assert result.rows == len(part)
        assert result.new + result.repeated + result.contradictory + result.unknown + result.missing == len(part)
        assert repeated.new == 0
        assert again.labels.to_dict() == book.labels.to_dict()


@pytest.mark.parametrize("metric", list(ESTIMATED_METRICS))
def test_every_metric_is_measured_with_an_interval(metric: str) -> None:
    record = ESTIMATED_METRICS[metric]
    truth, score = CURRENT["y_true"].to_numpy(), CURRENT["y_score"].to_numpy()
    if record.is_of_numbers:
        truth = score + np.random.default_rng(2).normal(size=N)
    result = measure(record, truth, score)
    assert result.low < result.value < result.high
    decided = score >= 0.5
    expected = {
        "accuracy": lambda: wilson((truth == decided).sum(), N),
        "precision": lambda: wilson((truth & decided).sum(), decided.sum()),
        "recall": lambda: wilson((truth & decided).sum(), truth.sum()),
        "specificity": lambda: wilson((~truth & ~decided).sum(), (~truth).sum()),
    }
    if metric in expected:
        assert (result.low, result.high) == pytest.approx(expected[metric]())
    elif metric in ("f1", "balanced_accuracy", "brier_score"):
        plain = {
            "f1": lambda: sk.f1_score(truth, decided),
            "balanced_accuracy": lambda: sk.balanced_accuracy_score(truth, decided),
            "brier_score": lambda: sk.brier_score_loss(truth, score),
        }
        assert result.value == pytest.approx(plain[metric]())
    else:
        other = evaluate(metric, truth if record.is_of_numbers else truth.astype(int), score)
        assert (result.value, result.low) == pytest.approx((other.value, other.low))


def test_metrics_without_rows_have_a_reason() -> None:
    one = measure(ESTIMATED_METRICS["roc_auc"], np.ones(20, dtype=bool), np.linspace(0, 1, 20))
    assert (one.low, one.reason) == (None, "no interval: all labels are of one class")
    none = measure(ESTIMATED_METRICS["precision"], np.ones(20, dtype=bool), np.zeros(20))
    assert none.reason == "no interval: no row counts for it"
    few = measure(ESTIMATED_METRICS["accuracy"], np.ones(5, dtype=bool), np.ones(5))
    assert (few.low, few.value) == (None, 1.0)


def flipped(frame: pd.DataFrame, rows: pd.Series) -> pd.DataFrame:
    return frame.assign(y_true=frame["y_true"] ^ rows)


def measured_beside(frame: pd.DataFrame, metric: str = "roc_auc", part: float = 1.0) -> MeasuredPerformance:
    estimate = estimate_performance(REFERENCE, frame[["y_score"]], metric=metric)
    book, _ = LabelBook.of(frame["row_id"]).add(labels_of(frame.head(int(part * len(frame)))))
    return measure_performance(frame, book, metric=metric, estimate=estimate)


def test_both_values_are_kept_and_agree_without_concept_drift() -> None:
    result = measured_beside(CURRENT)
    assert result.agrees
    assert result.findings == ()
    assert result.estimate is not None
    assert result.sentence.startswith("ROC AUC measured on 2,000 of 2,000 rows: 0.")
    assert "estimated before: 0." in result.sentence
    again = MeasuredPerformance.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    assert again == result
    assert judge_performance(result, look=3).state == "fine"
    assert judge_performance(result, look=3).caveat == ""


@pytest.mark.parametrize("part", [1.0, 0.4])
@pytest.mark.parametrize("metric", ["roc_auc", "log_loss"])
def test_concept_drift_is_named(metric: str, part: float) -> None:
    changed = flipped(CURRENT, CURRENT["age"] < 40)
    result = measured_beside(changed, metric, part)
    assert result.agrees is False
    assert [finding.check for finding in result.findings] == ["concept_drift"]
    assert "worse than estimated from the rows alone" in result.findings[0].message
    assert judge_performance(result, look=20).state == "alarm"


def test_agreement_is_rarely_denied_by_chance() -> None:
    named = 0
    for seed in range(20):
        estimate = estimate_performance(REFERENCE, batch(seed + 10), metric="accuracy")
        frame = batch(seed + 10)
        book, _ = LabelBook.of(frame["row_id"]).add(labels_of(frame))
        named += bool(measure_performance(frame, book, metric="accuracy", estimate=estimate).findings)
    assert named <= 3


def test_labels_flipped_for_a_subgroup_are_not_fine() -> None:
    """Check 3: the metric of all rows hardly moves, and the subgroup is named."""
    group = (CURRENT["city"] == "Kiel") & (CURRENT["age"] > 55)
    assert 0.1 < group.mean() < 0.2
    changed = flipped(CURRENT, group)
    report, findings = find_surprising_errors(REFERENCE, changed)
    assert findings
    assert findings[0].check == "concept_drift_group"
    assert "'city' is 'Kiel'" in findings[0].message
    mask = report.worse[0].cohort.mask(changed)
    assert (mask & group).sum() > 0.5 * mask.sum()
    measured = measured_beside(changed)
    state = judge_performance(
        MeasuredPerformance(**{**vars(measured), "findings": (*measured.findings, *findings)}), look=150
    )
    assert state.state in ("look", "alarm")


def test_batches_without_a_changed_subgroup_name_hardly_any() -> None:
    named = sum(bool(find_surprising_errors(REFERENCE, batch(seed + 100))[1]) for seed in range(12))
    assert named <= 2


def test_the_surplus_of_errors_is_zero_on_average_where_nothing_changed() -> None:
    surplus = error_surplus(REFERENCE, CURRENT)
    assert abs(surplus.mean()) < 3 * surplus.std() / np.sqrt(N)
    assert error_surplus(REFERENCE, flipped(CURRENT, CURRENT["age"] > 0)).mean() > 0.2


def test_states_of_performance() -> None:
    def state(value: float, half: float, look: int = 10, **options: object) -> str:
        estimate = PerformanceEstimate(
            "accuracy", value, value - half, value + half, 1_000, reference=0.9, reference_n=100_000
        )
        return judge_performance(estimate, look=look, **options).state

    assert state(0.9, 0.01) == "fine"
    assert state(0.893, 0.001) == "alarm"
    assert state(0.896, 0.0005) == "fine"
    assert state(0.886, 0.01) == "look"
    assert state(0.87, 0.01) == "alarm"
    assert state(0.876, 0.01, look=2) == "alarm"
    assert state(0.876, 0.01, look=200) == "look"
    assert state(0.87, 0.01, bound=0.8) == "fine"
    assert state(0.77, 0.01, bound=0.8) == "alarm"
    refused = PerformanceEstimate("accuracy", None, None, None, 10, refused="Too few.")
    assert judge_performance(refused, look=1).reasons == ("Accuracy cannot be estimated: Too few.",)
    sure = PerformanceEstimate(
        "accuracy", 0.88, 0.86, 0.9, 500, reference=0.9, standard_error=0.004, difference_error=0.002
    )
    assert judge_performance(sure, look=10).state == "alarm"
    assert judge_performance(sure, look=10, bound=0.89).state == "look"
    error = PerformanceEstimate("mae", 12.0, 11.5, 12.5, 500, reference=10.0, reference_n=5_000)
    assert judge_performance(error, look=4).state == "alarm"
    alone = judge_performance(PerformanceEstimate("accuracy", 0.9, 0.8, 0.95, 100), look=1)
    assert (alone.state, alone.reasons[0][:38]) == ("not enough data", "Accuracy is not known of the reference")


def test_a_series_of_estimates_without_drift_raises_no_alarm() -> None:
    alarms = 0
    for series in range(2):
        for look in range(1, 16):
            estimate = estimate_performance(REFERENCE, batch(1_000 * series + look + 500, 300), metric="roc_auc")
            alarms += judge_performance(estimate, look=look).state == "alarm"
    assert alarms == 0


def test_target_drift() -> None:
    book, _ = LabelBook.of(CURRENT["row_id"]).add(labels_of(CURRENT))
    assert not compare_labels(REFERENCE["y_true"], book).drifted
    more = CURRENT.assign(y_true=CURRENT["y_score"] > 0.3)
    moved, _ = LabelBook.of(CURRENT["row_id"]).add(labels_of(more))
    assert compare_labels(REFERENCE["y_true"], moved).drifted
    few, _ = LabelBook.of(CURRENT["row_id"]).add(labels_of(CURRENT.head(20)))
    assert compare_labels(REFERENCE["y_true"], few).state == "not enough data"


def test_parts_of_one_class_keep_the_positive_label() -> None:
    words = {True: "yes", False: "no"}
    reference = REFERENCE.assign(y_true=REFERENCE["y_true"].map(words))
    estimate = estimate_performance(reference, CURRENT, metric="accuracy")
    assert estimate.positive_label == "yes"
    negatives = CURRENT[~CURRENT["y_true"]]
    book, _ = LabelBook.of(CURRENT["row_id"]).add(labels_of(negatives).assign(y_true="no"))
    result = measure_performance(CURRENT, book, metric="accuracy", estimate=estimate)
    assert result.measured.value == pytest.approx((negatives["y_score"] < 0.5).mean())
    with pytest.raises(InputError, match="All labels are 'no'"):
        measure_performance(CURRENT, book, metric="accuracy")
    assert measure_performance(CURRENT, book, metric="accuracy", positive_label="yes").measured == result.measured


def test_several_classes_are_measured() -> None:
    random = np.random.default_rng(5)
    scores = random.dirichlet([1, 1, 1], 600)
    codes = (random.random((600, 1)) > scores.cumsum(axis=1)[:, :-1]).sum(axis=1)
    names = np.array(["top", "low", "mid"])
    predictions = pd.DataFrame(scores, columns=[f"p({name})" for name in names]).assign(row_id=range(600))
    book, _ = LabelBook.of(range(600)).add(pd.DataFrame({"row_id": range(600), "y_true": names[codes]}))
    result = measure_performance(predictions, book, metric="roc_auc").measured
    expected = sk.roc_auc_score(codes, scores, multi_class="ovr", average="weighted")
    assert result.value == pytest.approx(expected)
    assert result.low < expected < result.high
    accuracy = measure_performance(predictions, book, metric="accuracy").measured.value
    assert accuracy == pytest.approx((scores.argmax(axis=1) == codes).mean())
    assert "is about two classes" in measure_performance(predictions, book, metric="f1").measured.reason
    rows = np.flatnonzero(codes != 1)
    part, _ = LabelBook.of(range(600)).add(pd.DataFrame({"row_id": rows, "y_true": names[codes[rows]]}))
    assert measure_performance(predictions, part, metric="roc_auc").measured.reason == (
        "no interval: no row has the label 'low' so far"
    )
    accuracy = measure_performance(predictions, part, metric="accuracy").measured
    assert accuracy.value == pytest.approx((scores[rows].argmax(axis=1) == codes[rows]).mean())
    loss = measure_performance(predictions, part, metric="log_loss").measured
    assert loss.value == pytest.approx(sk.log_loss(codes[rows], scores[rows], labels=[0, 1, 2]))
    assert loss.low < loss.value < loss.high
