"""SHAP values: they add up in the space that is named, and agree with other implementations."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shap
from scipy.special import expit, softmax
from sklearn.preprocessing import StandardScaler

from core.automl import BlendClassifier, BlendRegressor
from core.explain import attribution
from core.explain.attribution import attribute
from core.explain.deadline import Deadline
from core.explain.explained_model import bare_estimator
from core.explain.explainers import exact_explainer
from tests.unit.explain.explain_models import LABELS, LEARNERS, model_of, odd_result

SPACES = {"binary": "log-odds", "multiclass": "margin", "regression": "prediction"}


def attributed(result, frame, n=40, seconds=60.0):
    model = model_of(result)
    X = model.encode(frame)
    names = ["x"] if result.task != "multiclass" else list(result.labels)
    attribution = attribute(
        model,
        X[:n],
        frame,
        np.arange(len(frame)),
        names,
        space="probability",
        background=X,
        deadline=Deadline.after(seconds),
        estimator=bare_estimator(result.model),
    )
    assert attribution.why_sampled == ""
    return attribution.shap, X


@pytest.mark.parametrize("task", LABELS)
@pytest.mark.parametrize("learner", LEARNERS)
def test_values_add_up_to_the_prediction(learner, task):
    result, frame = odd_result(learner, task)
    shap, _ = attributed(result, frame)
    as_asked = learner == "mlp" or (learner in ("rf", "extra_tree") and task != "regression")  # sampled, or a forest
    assert shap.space == ("probability" if as_asked else SPACES[task])
    assert shap.values.shape == (40, len(result.features), 3 if task == "multiclass" else 1)
    raw = frame.head(40)
    if task == "regression":
        sums, expected = shap.outputs[:, 0], result.model.predict(raw)
        assert sums == pytest.approx(expected, rel=1e-5, abs=1e-3)
        return
    expected = result.model.predict_proba(raw)
    if as_asked:
        sums = shap.outputs if task == "multiclass" else np.column_stack([1 - shap.outputs, shap.outputs])
    elif task == "binary":
        sums = np.column_stack([1 - expit(shap.outputs), expit(shap.outputs)])
    else:
        sums = softmax(shap.outputs, axis=1)
    assert np.abs(sums - expected).max() < 2e-6
    assert shap.error < 1e-4


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier with TreeExplainer:UserWarning")  # at each use
@pytest.mark.parametrize("learner", ["lgbm", "xgboost", "rf"])
def test_agrees_with_shaps_tree_explainer_summed_to_raw_columns(learner):
    result, frame = odd_result(learner, "binary")
    values, X = attributed(result, frame)
    estimator = bare_estimator(result.model)
    explainer = shap.TreeExplainer(estimator, feature_perturbation="tree_path_dependent")
    encoded = np.asarray(explainer.shap_values(X[:40]))
    encoded = encoded[..., 1] if encoded.ndim == 3 else encoded
    names = result.model.steps[0][1].get_feature_names_out()
    own = [name for name in names if name.startswith(("大小_", "missingindicator_大小"))]
    columns = [list(names).index(name) for name in own]
    assert len(columns) > 3
    assert values.values[:, values.features.index("大小"), 0] == pytest.approx(
        encoded[:, columns].sum(axis=1), abs=1e-5
    )
    dates = [index for index, name in enumerate(names) if name.removeprefix("missingindicator_").startswith("when: ")]
    assert values.values[:, values.features.index("when"), 0] == pytest.approx(encoded[:, dates].sum(axis=1), abs=1e-5)
    assert values.values.sum() == pytest.approx(encoded.sum(), abs=1e-3)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_linear_values_agree_with_shaps_linear_explainer(task):
    result, frame = odd_result("linear", task)
    values, X = attributed(result, frame)
    bare = bare_estimator(result.model)
    unit = bare.scale_ if task == "regression" else 1.0  # of the target
    scaler, model = (step for _, step in (bare.estimator_ if task == "regression" else bare).steps)
    assert isinstance(scaler, StandardScaler)
    prepared = scaler.transform(X).astype(float)
    masker = shap.maskers.Independent(prepared, max_samples=len(prepared))
    encoded = unit * shap.LinearExplainer(model, masker).shap_values(prepared[:40])
    index = values.features.index("a b")
    columns = [i for i, name in enumerate(result.model.steps[0][1].get_feature_names_out()) if name.endswith("a b")]
    assert values.values[:, index, 0] == pytest.approx(encoded[:, columns].sum(axis=1), rel=1e-4, abs=1e-4)
    assert values.values[:, :, 0].sum(axis=1) == pytest.approx(encoded.sum(axis=1), rel=1e-4, abs=1e-3)


def test_a_column_that_no_tree_uses_has_exactly_no_value():
    result, frame = odd_result("lgbm", "binary")
    shap, _ = attributed(result, frame)
    estimator = result.model.steps[-1][1].estimator
    model = model_of(result)
    used = estimator.booster_.feature_importance()
    unused = [i for i, indices in enumerate(model.indices) if not used[indices].any()]
    assert unused
    assert (shap.values[:, unused] == 0).all()
    assert (np.abs(shap.values).max(axis=(0, 2)) > 0).sum() == len(model.indices) - len(unused)


def replaced(monkeypatch, **changes):
    """Explain with an exact method that was changed."""
    result, frame = odd_result("rf", "binary", rows=60)
    model = model_of(result)
    X = model.encode(frame)
    exact = exact_explainer(bare_estimator(result.model), model, X)
    changes = {name: change(exact) for name, change in changes.items()}
    monkeypatch.setattr(attribution, "exact_explainer", lambda *_: replace(exact, **changes))
    explained = attribution.attribute(
        model,
        X[:5],
        frame,
        np.arange(5),
        ["yes"],
        space="probability",
        background=X,
        deadline=Deadline.after(0.9),
        estimator=object(),
    )
    expected = result.model.predict_proba(frame.head(5))[:, 1]
    shap = explained.shap
    assert shap.method.startswith("sampled")
    assert shap.outputs[:, 0] == pytest.approx(expected[: len(shap)])
    return explained.why_sampled


def test_a_slow_exact_method_gives_way_to_sampling_with_its_reason(monkeypatch):
    def slow(exact):
        def values(X):
            time.sleep(0.2 * len(X))
            return exact.values(X)

        return values

    assert "shap.TreeExplainer takes 0.2" in replaced(monkeypatch, values=slow)


def test_a_large_forest_is_not_even_tried(monkeypatch):
    def never(exact):
        def values(X):
            raise AssertionError("it would take minutes")

        return values

    why = replaced(monkeypatch, values=never, seconds_per_row=lambda _: 0.5)
    assert why == "shap.TreeExplainer takes about 0.5 s per row"


def test_what_a_forest_takes_grows_with_its_leaves():
    result, frame = odd_result("rf", "binary", rows=60)
    model = model_of(result)
    forest = bare_estimator(result.model)
    explainer = exact_explainer(forest, model, model.encode(frame))
    assert explainer.seconds_per_row == pytest.approx(1e-6 * sum(tree.get_n_leaves() for tree in forest.estimators_))


def test_an_exact_method_that_does_not_add_up_gives_way_to_sampling(monkeypatch):
    assert "does not add up to the model's output (off by 0.1" in replaced(
        monkeypatch, base=lambda exact: exact.base + 0.1
    )


def test_the_table_of_values_has_all_that_is_needed_to_draw_it():
    result, frame = odd_result("xgboost", "multiclass")
    shap, _ = attributed(result, frame, n=7)
    table = shap.table()
    assert len(table) == 3 * 7
    of_b = table[table["class"] == "b"].reset_index(drop=True)
    sums = shap.base[1] + of_b[[f"shap: {name}" for name in shap.features]].sum(axis=1)
    assert of_b["output"].tolist() == pytest.approx(sums.tolist())
    assert of_b["value: label"].equals(frame["label"].head(7))
    again = type(shap).from_table(shap.to_dict(), table)
    assert np.array_equal(again.values, shap.values)
    pd.testing.assert_frame_equal(again.data, shap.data)


def test_a_mean_of_numbers_is_explained_by_its_members_and_agrees_with_shap():
    """What explains a mean of models is the mean of what explains them, in the target's own unit."""
    results = [odd_result(learner, "regression") for learner in ("lgbm", "xgboost", "rf")]
    members = [bare_estimator(result.model) for result, _ in results]
    blend = BlendRegressor(members, [2, 1, 1])
    blend.estimators_ = members
    result, frame = results[0]
    model = model_of(result)
    X = model.encode(frame)[:40]
    explainer = exact_explainer(blend, model, X)
    values = explainer.values(X)
    np.testing.assert_allclose(values.sum(axis=1)[:, 0] + explainer.base[0], blend.predict(X), rtol=1e-4)
    own = [exact_explainer(member, model, X).values(X) for member in members]
    np.testing.assert_allclose(values, (2 * own[0] + own[1] + own[2]) / 4, rtol=1e-9)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_mean_of_probabilities_is_explained_in_the_space_of_its_members(task):
    results = [odd_result(learner, task) for learner in ("lgbm", "xgboost")]
    result, frame = results[0]
    model = model_of(result)
    X = model.encode(frame)[:40]
    members = [bare_estimator(result.model) for result, _ in results]
    alone = exact_explainer(members[0], model, X)
    for estimators in (members, [members[0]] * 3):
        blend = BlendClassifier(estimators, [1] * len(estimators))
        blend.estimators_ = estimators
        explainer = exact_explainer(blend, model, X)
        probabilities = blend.predict_proba(X)
        logarithms = np.log(probabilities)
        expected = (
            logarithms[:, 1:] - logarithms[:, :1]
            if task == "binary"
            else logarithms - logarithms.mean(axis=1, keepdims=True)
        )
        values = explainer.values(X)
        assert explainer.space == SPACES[task]
        np.testing.assert_allclose(values.sum(axis=1) + explainer.base, expected, atol=1e-6)
    own = alone.values(X)
    own = own if task == "binary" else own - own.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(values, own, atol=1e-4)  # three times the same model is that model
