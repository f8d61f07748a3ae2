"""Predictions that may only rise or fall with a column do so; absolute errors are minimized where they decide."""

import numpy as np
import pandas as pd
import pytest

from core.automl import LEARNERS, AutoMLSettings, build_estimator, prepare, search
from core.edge import export_onnx
from core.errors import SettingsError
from core.features import FeatureGroups

ABLE = [name for name, learner in LEARNERS.items() if learner.monotone]
ABSOLUTE = [name for name, learner in LEARNERS.items() if learner.absolute]


def table(rows=500):
    """The target rises with `up` and falls with `down`, but for a dent in each."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"up": random.uniform(0, 10, rows), "down": random.uniform(0, 10, rows)})
    frame["job"] = random.choice(["clerk", "cook", "driver"], rows)
    dented = frame["up"] - 4 * ((frame["up"] > 4) & (frame["up"] < 5)) - frame["down"]
    frame["signal"] = dented + 5 * ((frame["down"] > 6) & (frame["down"] < 7)) + random.normal(size=rows)
    return frame


def steps(predict, columns, name, at=300):
    """Return how predictions change from one value of a column to the next, for several rows."""
    rows = columns.sample(20, random_state=1)
    grid = np.linspace(columns[name].min(), columns[name].max(), at)
    many = rows.loc[rows.index.repeat(at)].assign(**{name: np.tile(grid, len(rows))})
    return np.diff(predict(many).reshape(len(rows), at), axis=1)


def answers(model, task):
    return (
        (lambda frame: model.predict(frame))
        if task == "regression"
        else (lambda frame: model.predict_proba(frame)[:, 1])
    )


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("learner", ABLE)
def test_a_learner_keeps_the_directions(learner, task):
    frame = table()
    X = frame[["up", "down"]].to_numpy(np.float32)
    y = frame["signal"].to_numpy() if task == "regression" else (frame["signal"] > 0).to_numpy(int)
    config = {LEARNERS[learner].grown: 40}

    def most_wrong(groups):
        model = build_estimator(learner, config, task, jobs=1, seed=0, groups=groups).fit(X, y)
        ask = answers(model, task)
        wrong = [
            (direction * steps(lambda rows: ask(rows.to_numpy(np.float32)), frame[["up", "down"]], name)).min()
            for name, direction in (("up", 1), ("down", -1))
        ]
        return -min(wrong)

    assert most_wrong(FeatureGroups(monotone=[1, -1])) <= 1e-6
    assert most_wrong(None) > 0.01, "the dents are learned otherwise"


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_model_of_a_search_keeps_them(task, tmp_path):
    frame = table()
    target = frame.pop("signal")
    frame["y"] = target if task == "regression" else np.where(target > 0, "yes", "no")
    settings = AutoMLSettings(
        target="y",
        time_budget_s=None,
        max_trials=7,
        folds=3,
        cv_repeats=1,
        positive_label=None if task == "regression" else "yes",
        monotone={"up": "increasing", "down": "decreasing"},
    )
    assert set(settings.chosen_learners) == set(ABLE)
    result = search(frame, settings)
    assert result.winner["learner"] != "linear"
    members = result.winner["config"].get("members", [])
    assert "linear" not in {member["learner"] for member in members}
    columns = frame.drop(columns="y")
    ask = answers(result.model, task)
    assert steps(ask, columns, "up").min() >= -1e-6
    assert steps(ask, columns, "down").max() <= 1e-6
    left_out = {item.values["learner"]: item.message for item in result.findings if item.check == "left_out"}
    assert "cannot keep monotone relations" in left_out["gam"]
    exported = export_onnx(result.model, tmp_path / "m.onnx", train=columns[:300], held_out=columns[300:])
    assert all(part["rows_over"] == 0 for part in exported.parity.values())


def test_absolute_errors_give_way_to_monotone_relations():
    """Learners of absolute errors do not keep them, so errors are squared."""
    frame = table()
    settings = AutoMLSettings(
        target="signal",
        metric="mae",
        time_budget_s=None,
        max_trials=6,
        folds=2,
        cv_repeats=1,
        monotone={"up": "increasing", "down": "decreasing"},
    )
    result = search(frame, settings)
    assert all(trial.status == "finished" for trial in result.trials)
    assert not any("loss" in trial.config for trial in result.trials)
    columns = frame.drop(columns="signal")
    assert steps(result.model.predict, columns, "up").min() >= -1e-6
    assert steps(result.model.predict, columns, "down").max() <= 1e-6


def test_what_cannot_be_kept_is_refused():
    frame = table()
    base = {"target": "signal", "max_trials": 3, "time_budget_s": None}
    with pytest.raises(SettingsError, match="Generalized additive model cannot keep monotone"):
        AutoMLSettings(**base, learners=("gam", "lgbm"), monotone={"up": "increasing"})
    with pytest.raises(SettingsError, match="'job' cannot have a monotone relation: it is used as category"):
        prepare(frame, AutoMLSettings(**base, monotone={"job": "increasing"}))
    with pytest.raises(SettingsError, match="rising"):
        AutoMLSettings(**base, monotone={"up": "rising"})
    with pytest.raises(SettingsError, match="is not a feature"):
        AutoMLSettings(**base, monotone={"signal": "increasing"})
    with pytest.raises(SettingsError, match="dropped column 'up'"):
        AutoMLSettings(**base, monotone={"up": "increasing"}, drop_columns=("up",))
    three = frame.assign(signal=pd.cut(frame["signal"], 3, labels=["a", "b", "c"]).astype(str))
    with pytest.raises(SettingsError, match="two classes"):
        prepare(three, AutoMLSettings(**base, monotone={"up": "increasing"}))


@pytest.mark.parametrize("learner", ABSOLUTE)
def test_absolute_errors_give_the_median(learner):
    """Of a skewed target without any information the best guess is the median, not the mean."""
    random = np.random.default_rng(0)
    X = random.normal(size=(1_000, 2)).astype(np.float32)
    y = np.exp(1.5 * random.normal(size=1_000))
    small = {"lgbm": {"num_leaves": 4}, "xgboost": {"max_leaves": 4}, "xgb_limitdepth": {"max_depth": 2}}
    config = small.get(learner, {}) | ({} if learner == "mlp" else {LEARNERS[learner].grown: 30})
    guess = {
        loss: float(
            np.mean(
                build_estimator(learner, config | {"loss": loss}, "regression", jobs=1, seed=0).fit(X, y).predict(X)
            )
        )
        for loss in ("squared", "absolute")
    }
    assert abs(guess["absolute"] - np.median(y)) < abs(guess["absolute"] - y.mean())
    assert abs(guess["squared"] - y.mean()) < abs(guess["squared"] - np.median(y))


@pytest.mark.parametrize(
    "learner",
    [name if name in ("lgbm", "xgboost") else pytest.param(name, marks=pytest.mark.nightly) for name in ABSOLUTE],
)
def test_a_learner_of_absolute_errors_exports(learner, tmp_path):
    frame = table()
    settings = AutoMLSettings(
        target="signal", metric="mae", learners=(learner,), time_budget_s=None, max_trials=2, folds=2, cv_repeats=1
    )
    result = search(frame, settings)
    assert {trial.config["loss"] for trial in result.trials} == {"absolute"}
    columns = frame.drop(columns="signal")
    exported = export_onnx(result.model, tmp_path / "m.onnx", train=columns[:300], held_out=columns[300:])
    assert all(part["rows_over"] == 0 for part in exported.parity.values())
