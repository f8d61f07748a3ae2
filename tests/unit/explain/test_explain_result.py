"""`explain` as a whole: real searches of each task, its files, groups, and rows it may not touch."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from core.automl import AutoMLResult, AutoMLSettings
from core.datasets import load_sample
from core.errors import InputError, SettingsError, StorageError
from core.explain import ExplainSettings, Explanation, explain
from tests.golden import golden_files
from tests.unit.explain.explain_models import LEARNERS, function_model, odd_result, result_of

LONG = ExplainSettings(budget_s=200)
PARTS = ["permutation", "shap", "summary", "dependence", "interactions"]


@pytest.fixture(scope="module")
def credit():
    frame = load_sample("german_credit").frame
    result = AutoMLResult.load(golden_files("rival"))
    events = []
    return result, frame, explain(result, frame, LONG, report=events.append), events


def test_a_search_is_explained_on_its_test_rows(credit):
    result, frame, found, events = credit
    assert found.left_out == []
    assert (found.rows_from, found.rows) == ("test", len(result.test))
    assert found.classes == found.shap.classes == [str(result.labels[1])]
    assert set(found.permutation["feature"]) == set(result.features)
    assert "sex" not in set(found.permutation["feature"])
    assert set(found.shap.row_id) <= set(result.test["row_id"])
    row = found.shap.row_id[3]
    assert found.shap.data["credit_amount"].iloc[3] == frame["credit_amount"].iloc[row]
    assert len(found.dependence) == 10
    assert len(found.interactions) == 15
    assert 0 < found.elapsed_s < LONG.budget_s
    assert {event.phase for event in events} == {"explain"}
    assert [event.fraction for event in events] == sorted(event.fraction for event in events)


def test_importance_agrees_across_methods(credit):
    _, _, found, _ = credit
    overall = found.summary[found.summary["group"].isna()].set_index("feature")["importance"]
    permuted = found.permutation.set_index("feature")["importance"]
    assert overall.idxmax() == permuted.idxmax() == "status"
    assert [curve.feature for curve in found.dependence] == list(overall.sort_values(ascending=False).index[:10])


def test_groups_are_those_of_the_sensitive_columns_and_parts_of_the_whole(credit):
    result, _, found, _ = credit
    groups = found.summary.drop_duplicates(["column", "group"])
    assert set(groups["column"].dropna()) == {"sex", "age"}
    assert set(groups.loc[groups["column"] == "sex", "group"]) == {"female", "male"}
    whole = found.summary[found.summary["group"].isna()].set_index("feature")
    for column in ("sex", "age"):
        own = found.summary[found.summary["column"] == column]
        weighed = (own["importance"] * own["n"]).groupby(own["feature"]).sum() / len(found.shap)
        assert weighed.loc[whole.index].tolist() == pytest.approx(whole["importance"].tolist())
    sexes = result.test.set_index("row_id")["sex"].loc[found.shap.row_id]
    women = np.abs(found.shap.values[(sexes == "female").to_numpy(), 0, 0]).mean()
    first = found.summary[(found.summary["group"] == "female") & (found.summary["feature"] == found.shap.features[0])]
    assert first["importance"].item() == pytest.approx(women)
    sure = found.summary[found.summary["group"].isna() | (found.summary["n"] >= 30)]
    assert (sure["low"] <= sure["importance"] + 1e-12).all()
    assert (sure["importance"] <= sure["high"] + 1e-12).all()


def test_a_small_group_has_its_figures_but_no_interval(tmp_path):
    result, frame = odd_result("lgbm", "binary", rows=120)
    team = np.array(["one"] + ["few"] * 29 + ["thirty"] * 30 + ["many"] * 60, dtype=object)
    result.test["team"] = team
    result.settings = result.settings.model_copy(update={"sensitive_columns": ("team",)})
    explain(result, frame.assign(team=team), LONG).save(tmp_path)
    found = Explanation.load(tmp_path)
    sizes = found.summary.drop_duplicates("group").set_index("group")["n"].to_dict()
    assert {name: sizes[name] for name in ("one", "few", "thirty", "many")} == {
        "one": 1,
        "few": 29,
        "thirty": 30,
        "many": 60,
    }
    small = found.summary["group"].isin(["one", "few"])
    assert found.summary.loc[small, ["low", "high"]].isna().all(axis=None)
    assert found.summary.loc[~small, ["low", "high"]].notna().all(axis=None)
    assert found.summary[["importance", "direction"]].notna().all(axis=None)
    lines = json.loads((tmp_path / "explain.json").read_text())["summary"]
    assert {line["group"] for line in lines if line["low"] is None} == {"one", "few"}
    own = found.summary[found.summary["group"] == "one"].set_index("feature")["importance"]
    place = list(found.shap.row_id).index(0)
    assert own[found.shap.features].tolist() == pytest.approx(np.abs(found.shap.values[place, :, 0]).tolist())


def test_few_rows_without_a_group_keep_their_interval():
    frame = pd.DataFrame({"a": np.arange(25.0), "y": np.arange(25.0)})
    result = result_of(function_model(lambda rows: rows["a"]), frame, "y", task="regression", metric="r2")
    assert explain(result, frame, LONG).summary[["low", "high"]].notna().all(axis=None)


def test_files_hold_all_of_it(credit, tmp_path):
    _, _, found, _ = credit
    found.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["explain.json", "explain_shap.parquet"]
    text = (tmp_path / "explain.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(found.to_dict(), allow_nan=False))
    again = Explanation.load(tmp_path)
    assert again.to_dict() == found.to_dict()
    assert np.array_equal(again.shap.values, found.shap.values)
    assert again.shap.data.equals(found.shap.data)
    bare = Explanation.read(tmp_path / "explain.json")
    assert (bare.shap, bare.classes) == (None, found.classes)
    first = {name: value for name, value in json.loads(text).items() if name != "classes"}
    (tmp_path / "explain.json").write_text(json.dumps(first))
    assert Explanation.load(tmp_path).classes == found.classes
    with pytest.raises(StorageError, match="holds no explanation"):
        Explanation.load(tmp_path / "other")


def test_a_result_that_was_saved_is_explained_in_the_same_way(credit, tmp_path):
    result, frame, found, _ = credit
    result.save(tmp_path)
    again = explain(AutoMLResult.load(tmp_path), frame, LONG.model_copy(update={"top": 3}))  # few pairs of columns
    # Threads of boosters and forests end in any order: the last digits may differ.
    assert again.shap.values == pytest.approx(found.shap.values, abs=1e-6)
    drops = [each.permutation.set_index("feature")["importance"].sort_index() for each in (again, found)]
    pd.testing.assert_series_equal(*drops, atol=1e-3)
    assert [curve.feature for curve in again.dependence[:3]] == [curve.feature for curve in found.dependence[:3]]


def test_reading_one_loads_no_library_of_learning(credit, tmp_path):
    credit[2].save(tmp_path)
    code = (
        "import sys; from core.explain import *; found = Explanation.load(sys.argv[1]);"
        "waterfall(found.shap, int(found.shap.row_id[0]));"
        "rows = found.shap.data; score = lambda frame: frame['credit_amount'] / 1e5;"
        "explain_row(score, rows[:1], rows, None);"
        "counterfactuals(score, rows[:1], rows, Goal(low=1.0), ['credit_amount']);"
        "what_if(score, rows[:1], {'credit_amount': 1});"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"sklearn", "scipy", "shap", "numba", "lightgbm", "xgboost", "flaml", "torch"}


@pytest.mark.parametrize("learner", [*LEARNERS, "function"])
@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_each_task_has_all_parts(learner, task, tmp_path):
    if learner == "function":  # as a blend is: nothing is known of it but its answers
        result, frame = odd_result("rf", task, rows=80)
        model = result.model
        answer = model.predict if task == "regression" else model.predict_proba
        result.model = function_model(answer, 0 if task == "regression" else 3)
    else:
        result, frame = odd_result(learner, task, rows=80)
    found = explain(result, frame, ExplainSettings(budget_s=60, top=4))
    if learner == "function":
        assert found.shap.method.startswith("sampled")
    assert [part for part in PARTS if not len(getattr(found, part))] == []
    assert found.shap.error < 1e-3
    assert found.classes == found.shap.classes == (["prediction"] if task == "regression" else ["a", "b", "c"])
    assert found.permutation.iloc[0]["feature"] == found.dependence[0].feature == "a b"
    found.save(tmp_path)
    again = Explanation.load(tmp_path)
    assert again.to_dict() == found.to_dict()
    pd.testing.assert_frame_equal(again.shap.data, found.shap.data)
    for name in ("permutation", "summary", "interactions"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name), check_dtype=False)


def test_a_metric_that_the_rows_do_not_define_is_unknown_and_said_to_be(tmp_path):
    result, frame = odd_result("linear", "binary", rows=60)
    result.test["target"] = frame["target"] = "yes"
    found = explain(result, frame, LONG)
    assert found.left_out == [
        {
            "part": "permutation",
            "what": "the importances",
            "why": "ROC AUC is undefined on these rows (one class only?)",
        }
    ]
    found.save(tmp_path)
    again = Explanation.load(tmp_path).permutation
    assert again["importance"].isna().all()
    assert again["importance"].dtype == float


def test_of_many_classes_the_most_frequent_are_explained():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.random(300), "y": np.repeat([f"c{place:02}" for place in range(25)], 12)})
    frame.loc[frame["y"] < "c05", "y"] = "c24"

    def function(x):
        return np.exp(x["a"].to_numpy()[:, None] * np.arange(20)) / 20

    labels = sorted(frame["y"].unique())
    result = result_of(function_model(function, 20), frame, "y", task="multiclass", metric="accuracy", labels=labels)
    found = explain(result, frame, ExplainSettings(budget_s=10))
    assert len(found.classes) == 10
    assert found.shap.classes == found.classes
    assert "c24" in found.shap.classes
    assert {"part": "classes", "what": "10 of 20", "why": "the most frequent are explained"} in found.left_out


def test_a_sensitive_column_of_many_groups_is_left_out_with_a_reason():
    result, frame = odd_result("linear", "binary", rows=100)
    values = np.array([f"g{place % 50}" for place in range(100)])
    result = SimpleNamespace(**vars(result) | {"test": result.test.assign(place=values)})
    result.settings = AutoMLSettings(target="target", sensitive_columns=("place",))
    found = explain(result, frame.assign(place=values), LONG)
    assert found.left_out == [{"part": "groups", "what": "place", "why": "it has 50 groups, and 20 is the most"}]
    assert found.summary["group"].isna().all()


def test_without_test_rows_the_training_rows_are_named():
    result, frame = odd_result("linear", "binary", rows=60)
    result.oof, result.test = result.test, result.test.iloc[:0]
    assert explain(result, frame, ExplainSettings(top=1)).rows_from == "training"


def test_another_table_is_refused(credit):
    result, frame, _, _ = credit
    with pytest.raises(InputError, match="is not the one that was searched"):
        explain(result, frame.iloc[::-1])
    with pytest.raises(InputError, match="is not the one that was searched"):
        explain(result, frame.head(10))


def test_settings_are_checked():
    with pytest.raises(SettingsError, match="budget_s"):
        ExplainSettings(budget_s=0)
