"""Models that are trained again to be fair: the same rows and test for all, figures that can be computed again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from sklearn.metrics import accuracy_score

from core.automl import AutoMLSettings, build_estimator, prepare
from core.errors import InputError, SettingsError
from core.fairness import TECHNIQUES, UNMITIGATED, MitigationSettings, mitigate
from core.fairness.metrics.groups import group_rows
from core.fairness.reductions.mitigate import training_setup

LOGISTIC = {"learner": "linear", "config": {}}


@pytest.fixture(scope="module")
def hiring():
    """A table where the label follows a skill that differs by group, and the group shows in another column."""
    random = np.random.default_rng(0)
    n = 4_000
    group = random.choice(["x", "y"], n, p=[0.6, 0.4])
    skill = random.normal(size=n) + 0.9 * (group == "x")
    frame = pd.DataFrame({"skill": skill, "proxy": (group == "x") + 0.3 * random.normal(size=n), "group": group})
    frame["hired"] = np.where(skill + 0.5 * (group == "x") + 0.5 * random.normal(size=n) > 0.6, "yes", "no")
    return frame


SEARCH = AutoMLSettings(target="hired", drop_columns=("group",), time_budget_s=None, max_trials=2)


@pytest.fixture(scope="module")
def compared(hiring):
    expected = []
    settings = MitigationSettings(sensitive_columns=("group",), iterations=10, grid_size=7)
    return mitigate(hiring, SEARCH, LOGISTIC, settings, report=expected.append), expected


def test_all_techniques_are_compared_with_the_unmitigated(compared):
    result, expected = compared
    assert result.table["technique"].tolist() == ["unmitigated", *TECHNIQUES]
    assert result.rows == {"train": 3_200, "test": 800}
    assert [event.fraction for event in expected if event.message.startswith("Done")][-1] == 1.0


def test_every_technique_makes_the_difference_smaller(compared):
    table = compared[0].table.set_index("technique")
    before = table.loc["unmitigated", "disparity"]
    assert before > 0.3
    for name in TECHNIQUES:
        assert table.loc[name, "disparity"] < before
    assert table.loc["exponentiated_gradient", "disparity"] < 0.12, "trained to be within 0.02"


def test_figures_of_the_unmitigated_are_fairlearns(compared, hiring):
    """The same model, fitted here, measured by Fairlearn."""
    prepared = prepare(hiring, SEARCH)
    model = build_estimator("linear", {}, "binary", jobs=1, seed=0).fit(
        np.asarray(prepared.data.X, float), prepared.data.y
    )
    predicted = model.predict(np.asarray(prepared.X_test, float))
    group = hiring["group"].iloc[prepared.test_rows]
    row = compared[0].table.iloc[0]
    assert row["accuracy"] == pytest.approx(np.mean(predicted == prepared.y_test))
    expected = demographic_parity_difference(prepared.y_test, predicted, sensitive_features=group)
    assert row["disparity"] == pytest.approx(expected)


def test_reweighing_makes_group_and_label_independent(hiring):
    from core.fairness import TECHNIQUES
    from core.fairness.metrics.groups import group_rows
    from core.fairness.reductions.mitigate import training_setup
    from core.fairness.reductions.training import TrainingSetup

    class Weights:
        def fit(self, X, y, **weights):
            (self.weight,) = weights.values()
            return self

        def predict_proba(self, X):
            return np.zeros((len(X), 2))

    class Spy(TrainingSetup):
        def estimator(self):
            kept.append(Weights())
            return kept[-1]

    kept: list[Weights] = []
    prepared = prepare(hiring, SEARCH)
    groups = group_rows(hiring["group"])
    setup = training_setup(prepared, groups, LOGISTIC, MitigationSettings(sensitive_columns=("group",)))
    bench = Spy(**vars(setup))
    TECHNIQUES["reweighing"].train(bench)
    weight = next(model.weight for model in kept if hasattr(model, "weight"))
    shares = [np.average(bench.y[bench.group == g], weights=weight[bench.group == g]) for g in (0, 1)]
    assert shares[0] == pytest.approx(shares[1])
    assert shares[0] == pytest.approx(bench.y.mean())


def test_equalized_odds_takes_the_worse_rate(hiring):
    settings = MitigationSettings(
        sensitive_columns=("group",), constraint="equalized_odds", techniques=("reweighing",), min_group_size=0
    )
    result = mitigate(hiring, SEARCH, LOGISTIC, settings)
    prepared = prepare(hiring, SEARCH)
    model = build_estimator("linear", {}, "binary", jobs=1, seed=0).fit(
        np.asarray(prepared.data.X, float), prepared.data.y
    )
    expected = equalized_odds_difference(
        prepared.y_test,
        model.predict(np.asarray(prepared.X_test, float)),
        sensitive_features=hiring["group"].iloc[prepared.test_rows],
    )
    assert result.table.iloc[0]["disparity"] == pytest.approx(expected)


def test_intervals_are_around_their_figures(compared):
    table = compared[0].table
    for name in ("accuracy", "balanced_accuracy", "disparity"):
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()


def test_stop_within_a_technique_keeps_those_that_are_done(hiring):
    expected = []
    settings = MitigationSettings(sensitive_columns=("group",), techniques=("reweighing", "grid_search"))

    def third_model():
        return any(event.values.get("fit") == 3 for event in expected)

    result = mitigate(hiring, SEARCH, LOGISTIC, settings, should_stop=third_model, report=expected.append)
    assert result.table["technique"].tolist() == ["unmitigated", "reweighing"]
    assert max(event.values.get("fit", 0) for event in expected) == 3


@pytest.mark.parametrize(
    ("search", "columns", "said"),
    [
        (SEARCH, ("color",), "no column 'color'"),
        (SEARCH.model_copy(update={"test_fraction": 0.0}), ("group",), "held out no rows"),
        (AutoMLSettings(target="skill"), ("group",), "does not have two classes"),
    ],
)
def test_what_cannot_be_compared_is_said(hiring, search, columns, said):
    with pytest.raises(InputError, match=said):
        mitigate(hiring, search, LOGISTIC, MitigationSettings(sensitive_columns=columns))


@pytest.mark.parametrize(
    "values", [{"sensitive_columns": ()}, {"techniques": ("magic",)}, {"techniques": ()}, {"difference_bound": 0}]
)
def test_invalid_settings_are_named(values):
    with pytest.raises(SettingsError) as caught:
        MitigationSettings(**{"sensitive_columns": ("group",)} | values)
    assert caught.value.hint


@pytest.fixture(scope="module")
def weighted(hiring):
    """The table with weights by which the groups change sizes, and a row without any."""
    random = np.random.default_rng(1)
    weights = random.choice([1.0, 2.0, 3.0], len(hiring)) * np.where(hiring["group"] == "y", 2.0, 1.0)
    weights[:7] = 0.0
    return hiring.assign(weight=weights)


WEIGHTED = SEARCH.model_copy(update={"weight_column": "weight"})


@pytest.mark.parametrize("technique", [UNMITIGATED, TECHNIQUES["reweighing"], TECHNIQUES["correlation_remover"]])
def test_whole_weights_are_as_many_copies_of_a_row(hiring, technique):
    prepared = prepare(hiring.head(600), SEARCH)
    groups = group_rows(hiring["group"].head(600))
    chosen = MitigationSettings(sensitive_columns=("group",))
    setup = training_setup(prepared, groups, LOGISTIC, chosen)
    weights = np.random.default_rng(0).integers(0, 4, len(setup.y))
    weights[:4] = 1  # both labels of both groups
    copies = np.repeat(np.arange(len(setup.y)), weights)
    many = replace(setup, X=setup.X[copies], y=setup.y[copies], group=setup.group[copies])
    once = replace(setup, weights=weights.astype(float))
    answers = technique.train(once)
    assert np.mean(answers == technique.train(many)) > 0.995, "the solver alone may differ at the threshold"
    assert np.mean(answers == technique.train(setup)) < 1


def test_weights_of_rows_count_in_training_and_in_every_metric(weighted):
    settings = MitigationSettings(sensitive_columns=("group",))
    result = mitigate(weighted, WEIGHTED, LOGISTIC, settings)
    table = result.table.set_index("technique")
    prepared = prepare(weighted, WEIGHTED)
    model = build_estimator("linear", {}, "binary", jobs=1, seed=0).fit(
        np.asarray(prepared.data.X, float), prepared.data.y, logisticregression__sample_weight=prepared.data.weights
    )
    predicted, own = model.predict(np.asarray(prepared.X_test, float)), prepared.test_weights
    group = weighted["group"].iloc[prepared.test_rows]
    row = table.loc["unmitigated"]
    assert row["accuracy"] == pytest.approx(accuracy_score(prepared.y_test, predicted, sample_weight=own))
    expected = demographic_parity_difference(prepared.y_test, predicted, sensitive_features=group, sample_weight=own)
    assert row["disparity"] == pytest.approx(expected)
    plain = mitigate(weighted.drop(columns="weight"), SEARCH, LOGISTIC, settings)
    assert plain.table.loc[0, "accuracy"] != pytest.approx(row["accuracy"], abs=1e-6)
    width, unweighted = (float(rows["accuracy_high"] - rows["accuracy_low"]) for rows in (row, plain.table.loc[0]))
    assert width > unweighted, "weights that differ say less"
    assert table.loc["reweighing", "disparity"] < row["disparity"]


def test_techniques_that_take_no_weights_say_so_by_name(weighted):
    result = mitigate(weighted, WEIGHTED, LOGISTIC, MitigationSettings(sensitive_columns=("group",)))
    messages = result.table.set_index("technique")["message"].dropna().to_dict()
    assert list(messages) == ["exponentiated_gradient", "grid_search"]
    assert messages["grid_search"] == "Grid search takes no weights of rows; the search counts them by 'weight'."
