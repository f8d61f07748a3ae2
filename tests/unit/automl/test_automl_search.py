"""Searches on real tables: limits are exact, every trial is reported, endings keep the best, and runs repeat."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error

from core.automl import LEARNERS, AutoMLSettings, Trial, Trials, metric_choices, prepare, search
from core.automl.tuning.offered_learners import offer_learners
from core.datasets import load_sample
from core.errors import InputError, SettingsError


def test_trial_limit_is_exact(credit):
    assert credit.result.stop_code == "trials"
    assert [trial["trial"] for trial in credit.result.trials] == [1, 2, 3, 4, 5]
    assert credit.result.stop_reason == "All 5 trials were done."


def test_each_trial_is_an_event(credit):
    """As the result has it afterwards, with the best so far, in order, between the other stages."""
    assert [event.values["trial"] for event in credit.trial_events] == [1, 2, 3, 4, 5]
    scores = [trial["score"] for trial in credit.result.trials]
    assert [event.values["score"] for event in credit.trial_events] == scores
    assert [event.values["best_score"] for event in credit.trial_events] == np.maximum.accumulate(scores).tolist()
    assert [event.fraction for event in credit.trial_events] == [0.2, 0.4, 0.6, 0.8, 1.0]
    phases = list(dict.fromkeys(event.phase for event in credit.events))
    assert phases == ["prepare", "search", "baseline", "finish", "evaluate", "tested"]
    elapsed = [event.values["elapsed_s"] for event in credit.trial_events]
    assert elapsed == sorted(elapsed)
    assert elapsed[-1] < credit.result.model_ready_s < credit.result.elapsed_s


def test_every_learner_is_tried_that_is_not_left_out(credit):
    left_out = {item.values["learner"]: item.message for item in credit.result.findings if item.check == "left_out"}
    assert left_out == {"catboost": "CatBoost was not tried: it gains little on 798 training rows, fewer than 1,000."}
    offered = [name for name in LEARNERS if name not in left_out]
    assert [trial["learner"] for trial in credit.result.trials] == offered[:5]
    assert credit.result.settings.blocked_learners == ()


def test_a_learner_that_the_user_chose_or_that_alone_is_left_is_tried():
    data = prepare(load_sample("german_credit").frame, AutoMLSettings(target="credit")).data
    others = tuple(name for name in LEARNERS if name != "catboost")
    for chosen in ({"learners": ("lgbm", "catboost")}, {"blocked_learners": others}):
        settings = AutoMLSettings(target="credit", **chosen)
        assert offer_learners(settings, data) == (settings, [])
    settings, (finding,) = offer_learners(AutoMLSettings(target="credit", blocked_learners=("rf",)), data)
    assert settings.chosen_learners == tuple(name for name in others if name != "rf")
    assert finding.values == {"learner": "catboost"}
    for rows, tried in ((999, False), (1_000, True), (100_000, True), (100_001, False)):
        many = replace(data, y=np.zeros(rows))
        assert ("catboost" in offer_learners(AutoMLSettings(target="credit"), many)[0].chosen_learners) == tried


@pytest.mark.parametrize("name", ["credit", "wine", "diabetes"])
def test_leaderboard_is_sorted_and_has_the_baselines(name, request):
    result = request.getfixturevalue(name).result
    board = result.leaderboard
    scores = board.loc[~board["learner"].isin(["prior", "blend"]), "score"].to_list()
    assert scores == sorted(scores, reverse=result.metric != "rmse")
    assert sorted(board["learner"].iloc[-1:]) == ["prior"]
    assert (board["learner"] == "linear").sum() == 1
    assert (board["learner"] == "blend").sum() == 1
    assert len(board) == len(result.trials) + 3
    assert set(metric_choices(result.task)) < set(board.columns)
    scored = board.dropna(subset="score")
    assert np.allclose(scored[result.metric], scored["score"])
    assert board["score"].iloc[0] == result.winner["score"]


def test_baseline_row_is_that_of_the_shares(credit):
    prior = credit.result.leaderboard.set_index("learner").loc["prior"]
    assert prior["roc_auc"] == 0.5
    assert prior["accuracy"] == pytest.approx(0.7, abs=0.01), "700 of the 1,000 are good risks"


def test_score_is_the_mean_over_the_folds(credit):
    for trial in credit.result.trials:
        assert len(trial["fold_scores"]) == 3
        assert trial["score"] == pytest.approx(np.mean(trial["fold_scores"]))
        assert trial["score_std"] == pytest.approx(np.std(trial["fold_scores"], ddof=1))


def test_exit_score_ends_the_search(wine):
    result = wine.result
    assert (result.stop_code, result.stop_reason) == ("exit_score", "The score of 0.9 was reached.")
    scores = [trial["score"] for trial in result.trials]
    assert scores[-1] >= 0.9 > max([0, *scores[:-1]])


def test_early_stopping_ends_after_twenty_trials_without_gain(run_search, quick, yes_or_no):
    """Not one more, though the trials run faster than anyone looks: so a search can be repeated."""
    searched = run_search(
        yes_or_no,
        target="y",
        time_budget_s=None,
        max_trials=2,
        folds=2,
        learners=("xgb_limitdepth",),
        configs=[quick] * 60,
    )
    assert (searched.result.stop_code, searched.result.stop_reason) == (
        "early",
        "The last 20 trials brought no gain.",
    )
    assert [trial["trial"] for trial in searched.result.trials] == list(range(1, 22))
    assert len(searched.trial_events) == 21


def test_reproducible_search_repeats_itself(diabetes, diabetes_again):
    """Trials, scores, predictions and model."""
    one, two = diabetes.result, diabetes_again.result
    assert [(trial["config"], trial["score"]) for trial in one.trials] == [
        (trial["config"], trial["score"]) for trial in two.trials
    ]
    assert one.winner["config"] == two.winner["config"]
    assert np.array_equal(one.model.predict(diabetes.frame), two.model.predict(diabetes.frame))
    assert one.oof.equals(two.oof)
    assert one.test_metrics == two.test_metrics


def test_smaller_is_better_keeps_the_smallest(diabetes):
    result = diabetes.result
    assert result.metric == "rmse"
    finite = [*(trial["score"] for trial in result.trials), *result.leaderboard["score"]]
    assert result.winner["score"] == np.nanmin(finite)
    messages = [event.values["best_score"] for event in diabetes.trial_events]
    assert messages == np.minimum.accumulate([trial["score"] for trial in result.trials]).tolist()


def test_winner_is_fitted_on_all_training_rows(diabetes):
    """The model has seen the training rows: it knows them better than the folds' models did."""
    result, frame = diabetes.result, diabetes.frame
    train = frame.iloc[result.oof["row_id"]]
    assert len(train) == result.rows["train"] == len(frame) - result.rows["test"]
    own = root_mean_squared_error(train["progression"], result.model.predict(train))
    assert own < root_mean_squared_error(result.oof["progression"], result.oof["prediction"])


@pytest.mark.parametrize(
    ("name", "task", "labels"),
    [("credit", "binary", ["bad", "good"]), ("wine", "multiclass", [1, 5, 9]), ("diabetes", "regression", None)],
)
def test_labels_are_kept(name, task, labels, request):
    searched = request.getfixturevalue(name)
    result, frame = searched.result, searched.frame
    assert (result.task, result.labels) == (task, labels)
    predicted = result.model.predict(frame)
    if labels is None:
        assert np.issubdtype(predicted.dtype, np.floating)
        return
    assert list(result.model.classes_) == labels
    assert set(predicted.tolist()) <= set(labels)
    probabilities = result.model.predict_proba(frame)
    assert probabilities.shape == (len(frame), len(labels))
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert np.array_equal(np.asarray(labels)[probabilities.argmax(axis=1)], predicted)


def test_missing_targets_are_left_out_and_said_to_be(credit):
    actual = [finding for finding in credit.result.findings if finding.check == "missing_target"]
    assert [finding.column for finding in actual] == ["credit"]
    assert "3 of 1,000 rows" in actual[0].message
    assert not {3, 77, 500} & {*credit.result.oof["row_id"], *credit.result.test["row_id"]}
    assert credit.result.rows == {"all": 1000, "train": len(credit.result.oof), "test": len(credit.result.test)}


def test_dropped_column_is_not_used(credit):
    result, frame = credit.result, credit.frame
    assert not {"telephone", "sex", "credit"} & set(result.features)
    other = frame.assign(telephone="?", sex="?", credit=None)
    assert np.array_equal(result.model.predict_proba(other), result.model.predict_proba(frame))
    assert np.array_equal(
        result.model.predict_proba(frame.drop(columns=["telephone", "sex", "credit"])),
        result.model.predict_proba(frame),
    )


def test_sensitive_columns_are_stored_also_when_dropped(credit):
    for rows in (credit.result.oof, credit.result.test):
        expected = credit.frame.iloc[rows["row_id"]].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows[["sex", "age"]], expected[["sex", "age"]])
    assert "age" in credit.result.features, "not dropped, so it is a feature too"


def test_budget_too_small_still_gives_a_model_and_says_that_it_is_late():
    result = search(load_sample("wine").frame, AutoMLSettings(target="cultivar", time_budget_s=0.1))
    assert result.test_metrics["accuracy"].value > 0.9
    assert result.stop_reason == (
        "The time budget of 0.1 s was used up before there was any model; the first one was waited for."
    )
    late = next(finding for finding in result.findings if finding.check == "late")
    assert late.level == "alert"
    assert 0.1 < late.values["seconds"] <= result.model_ready_s
    assert "more time" in late.hint


WRONG = [
    (InputError, {"target": "cultivat"}, r"no column 'cultivat'.*Did you mean 'cultivar'"),
    (InputError, {"target": "cultivar", "drop_columns": ("alcohole",)}, r"no column 'alcohole'.*'alcohol'"),
    (InputError, {"target": "one"}, r"'one' has only one value \(7\)"),
    (InputError, {"target": "nothing"}, r"'nothing' has no values"),
    (InputError, {"target": "key", "task": "multiclass"}, r"178 usable rows are too few for a test share of 20%"),
    (InputError, {"target": "cultivar", "task": "regression"}, r"'cultivar' is not a number in every row"),
    (SettingsError, {"target": "cultivar", "task": "binary"}, r"'cultivar' has 3 classes, not two"),
    (SettingsError, {"target": "cultivar", "metric": "r2"}, r"'r2' does not fit a multiclass target"),
    (SettingsError, {"target": "two", "positive_label": "maybe"}, r"'two' has no value 'maybe'.*'no', 'yes'"),
    (SettingsError, {"target": "cultivar", "featurization": "off"}, r"'two'.*hold no numbers"),
]


@pytest.mark.parametrize(("error", "values", "message"), WRONG, ids=[message for _, _, message in WRONG])
def test_table_and_settings_that_do_not_fit_are_refused(error, values, message):
    frame = load_sample("wine").frame
    frame = frame.assign(one=7, nothing=np.nan, two=np.where(frame["alcohol"] > 13, "yes", "no"))
    frame["key"] = [f"k{row}" for row in range(len(frame))]
    with pytest.raises(error, match=message) as caught:
        prepare(frame, AutoMLSettings(max_trials=2, **values))
    assert caught.value.hint


def test_positive_label_comes_last():
    """The second column of the probabilities, which all scores of two classes are about, is that of the label."""
    frame = load_sample("german_credit").frame
    prepared = prepare(frame, AutoMLSettings(target="credit", max_trials=2, positive_label="bad"))
    assert prepared.labels == ["good", "bad"]
    assert prepared.data.y.sum() + prepared.y_test.sum() == (frame["credit"] == "bad").sum()


@pytest.mark.parametrize(("metric", "order"), [("roc_auc", [3, 2, 1, 4]), ("log_loss", [1, 3, 2, 4])])
def test_of_equal_scores_the_better_probabilities_come_first(metric, order):
    """A handful of trees may rank without a fault, and their probabilities say next to nothing."""
    board = Trials(metric)
    for auc, loss in [(0.9, 0.1), (1.0, 0.6), (1.0, 0.2), (0.8, 0.9)]:
        metrics = {"roc_auc": auc, "log_loss": loss}
        board.add(Trial(None, "rf", {}, "finished", score=metrics[metric], metrics=metrics))
    board.add(Trial(None, "rf", {}, "failed"))
    assert [trial.number for trial in board.ranked()] == order
    assert [trial.number for trial in sorted(board, key=board.rank)] == [*order, 5]
    assert board.best.number == order[0]
    assert list(board.best_by_learner()) == ["rf"]
