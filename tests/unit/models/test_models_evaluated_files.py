"""Metrics of a scored file that has the target: rows of training are counted, and rows weigh as in the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score

from core import models
from core.access import LOCAL
from core.automl import AutoMLResult
from core.catalog import ModelVersion, Run
from core.housekeeping import delete_dataset
from core.models import FileEvaluation, RowScorer, TrainingOverlap


@pytest.fixture
def version(credit: Run) -> ModelVersion:
    return models.resolve(models.register(credit.id, access=LOCAL).id, access=LOCAL)


def evaluated(version: ModelVersion, *parts: pd.DataFrame) -> FileEvaluation | None:
    """Score a file in parts, and evaluate it."""
    scorer = RowScorer(version, access=LOCAL)
    return scorer.evaluate(pd.concat([scorer.score(part) for part in parts]))


def test_rows_of_training_are_counted_and_those_of_the_test_are_not(
    version: ModelVersion, credit_result: AutoMLResult, credit_frame: pd.DataFrame
) -> None:
    trained = credit_frame.iloc[credit_result.oof["row_id"]]
    held_out = credit_frame.iloc[credit_result.test["row_id"]]
    names = [*credit_result.features, "credit"]
    copies = held_out[names].merge(trained[names].drop_duplicates(), how="inner")
    other = trained.head(5).assign(age=trained["age"].head(5) + 1_000)  # rows that nobody has
    flipped = trained.tail(4).assign(credit=trained["credit"].tail(4).map({"good": "bad", "bad": "good"}))
    file = pd.concat([trained.head(30), held_out.head(20), other, flipped]).sample(frac=1, random_state=0)
    evaluation = evaluated(version, file.head(25), file.tail(len(file) - 25))
    assert evaluation is not None
    overlap = evaluation.overlap
    assert overlap == TrainingOverlap(59, 30, len(held_out), len(copies))
    assert not overlap.may_be_chance
    texts = file[file.columns[::-1]].astype({"age": str, "credit_amount": float})
    assert evaluated(version, texts).overlap == overlap


def test_rows_without_a_label_that_the_model_knows_do_not_count(
    version: ModelVersion, credit_result: AutoMLResult, credit_frame: pd.DataFrame
) -> None:
    rows = credit_frame.iloc[credit_result.oof["row_id"][:20]]
    rows = rows.assign(credit=[None, "unknown", *rows["credit"].iloc[2:]])
    evaluation = evaluated(version, rows)
    assert (evaluation.rows, evaluation.known, evaluation.left_out) == (18, 18, 2)
    assert (evaluation.overlap.rows, evaluation.overlap.shared) == (18, 18)
    assert evaluated(version, rows.drop(columns="credit")) is None


def test_a_class_of_few_rows_is_named_in_place_of_an_interval(
    version: ModelVersion, credit_frame: pd.DataFrame
) -> None:
    bad = credit_frame["credit"] == "bad"
    rows = pd.concat([credit_frame[bad].head(3), credit_frame[~bad].head(30)])
    metrics = evaluated(version, rows).metrics
    area = metrics["roc_auc"]
    assert (area.low, area.high, area.n, area.rarest) == (None, None, 33, 3)
    assert area.reason == "no interval: the test has only 3 rows of 'bad'"
    assert metrics["accuracy"].low is not None


def test_without_the_training_table_it_is_said_that_nothing_can_be_compared(
    version: ModelVersion, credit: Run, credit_frame: pd.DataFrame
) -> None:
    delete_dataset(str(credit.dataset_id), access=LOCAL)
    overlap = evaluated(version, credit_frame.head(50)).overlap
    assert overlap == TrainingOverlap(50, reason="the training table was deleted")


def test_rows_that_many_tables_share_may_be_chance() -> None:
    assert TrainingOverlap(100, 90, 200, 190).may_be_chance
    assert not TrainingOverlap(100, 99, 200, 190).may_be_chance
    assert not TrainingOverlap(100, 0, 200, 0).may_be_chance
    assert not TrainingOverlap(100, 5).may_be_chance


def test_rows_weigh_as_those_of_the_test(
    finish: Callable[..., Run], credit_result: AutoMLResult, credit_frame: pd.DataFrame
) -> None:
    settings = credit_result.settings.model_copy(update={"weight_column": "weight"})
    weights = np.random.default_rng(0).choice([0.0, 1.0, 7.5], len(credit_frame))
    run = finish(replace(credit_result, settings=settings), credit_frame.assign(weight=weights))
    version = models.resolve(models.register(run.id, access=LOCAL).id, access=LOCAL)
    rows = credit_frame.assign(weight=weights).head(200)
    evaluation = evaluated(version, rows)
    assert (evaluation.weight, evaluation.unweighted) == ("weight", None)
    predicted = models.score(version.id, rows, access=LOCAL)["prediction"]
    expected = accuracy_score(rows["credit"], predicted, sample_weight=rows["weight"])
    assert evaluation.metrics["accuracy"].value == pytest.approx(expected)
    plain = evaluated(version, rows.drop(columns="weight"))
    assert (plain.weight, plain.unweighted) == (None, "weight")
    assert plain.metrics["accuracy"].value == pytest.approx(accuracy_score(rows["credit"], predicted))
