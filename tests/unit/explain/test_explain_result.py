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
def credit(golden):
    frame = load_sample("german_credit").frame
    result = AutoMLResult.load(golden_files("rival"))
    events = []
    return result, frame, explain(result, frame, LONG, report=events.append), events


def test_a_search_is_explained_on_its_test_rows(credit):
    result, frame, made, events = credit
    assert made.left_out == []
    assert (made.rows_from, made.rows) == ("test", len(result.test))
    assert made.classes == made.shap.classes == [str(result.labels[1])]
    assert set(made.permutation["feature"]) == set(result.features)
    assert "sex" not in set(made.permutation["feature"])
    assert set(made.shap.row_id) <= set(result.test["row_id"])
    row = made.shap.row_id[3]
    assert made.shap.data["credit_amount"].iloc[3] == frame["credit_amount"].iloc[row]
    assert len(made.dependence) == 10
    assert len(made.interactions) == 15
    assert 0 < made.elapsed_s < LONG.budget_s
    assert {event.phase for event in events} == {"explain"}
    assert [event.fraction for event in events] == sorted(event.fraction for event in events)


def test_importance_agrees_across_methods(credit):
    _, _, made, _ = credit
    overall = made.summary[made.summary["group"].isna()].set_index("feature")["importance"]
    permuted = made.permutation.set_index("feature")["importance"]
    assert overall.idxmax() == permuted.idxmax() == "status"
    assert [curve.feature for curve in made.dependence] == list(overall.sort_values(ascending=False).index[:10])


def test_groups_are_those_of_the_sensitive_columns_and_parts_of_the_whole(credit):
    result, _, made, _ = credit
    groups = made.summary.drop_duplicates(["column", "group"])
    assert set(groups["column"].dropna()) == {"sex", "age"}
    assert set(groups.loc[groups["column"] == "sex", "group"]) == {"female", "male"}
    whole = made.summary[made.summary["group"].isna()].set_index("feature")
    for column in ("sex", "age"):
        own = made.summary[made.summary["column"] == column]
        weighed = (own["importance"] * own["n"]).groupby(own["feature"]).sum() / len(made.shap)
        assert weighed.loc[whole.index].tolist() == pytest.approx(whole["importance"].tolist())
    sexes = result.test.set_index("row_id")["sex"].loc[made.shap.row_id]
    women = np.abs(made.shap.values[(sexes == "female").to_numpy(), 0, 0]).mean()
    first = made.summary[(made.summary["group"] == "female") & (made.summary["feature"] == made.shap.features[0])]
    assert first["importance"].item() == pytest.approx(women)
    sure = made.summary[made.summary["group"].isna() | (made.summary["n"] >= 30)]
    assert (sure["low"] <= sure["importance"] + 1e-12).all()
    assert (sure["importance"] <= sure["high"] + 1e-12).all()


def test_a_small_group_has_its_figures_but_no_interval(tmp_path):
    result, frame = odd_result("lgbm", "binary", rows=120)
    team = np.array(["one"] + ["few"] * 29 + ["thirty"] * 30 + ["many"] * 60, dtype=object)
    result.test["team"] = team
    result.settings = result.settings.model_copy(update={"sensitive_columns": ("team",)})
    explain(result, frame.assign(team=team), LONG).save(tmp_path)
    made = Explanation.load(tmp_path)
    sizes = made.summary.drop_duplicates("group").set_index("group")["n"].to_dict()
    assert {name: sizes[name] for name in ("one", "few", "thirty", "many")} == {
        "one": 1,
        "few": 29,
        "thirty": 30,
        "many": 60,
    }
    small = made.summary["group"].isin(["one", "few"])
    assert made.summary.loc[small, ["low", "high"]].isna().all(axis=None)
    assert made.summary.loc[~small, ["low", "high"]].notna().all(axis=None)
    assert made.summary[["importance", "direction"]].notna().all(axis=None)
    lines = json.loads((tmp_path / "explain.json").read_text())["summary"]
    assert {line["group"] for line in lines if line["low"] is None} == {"one", "few"}
    own = made.summary[made.summary["group"] == "one"].set_index("feature")["importance"]
    row = list(made.shap.row_id).index(0)
    assert own[made.shap.features].tolist() == pytest.approx(np.abs(made.shap.values[row, :, 0]).tolist())


def test_few_rows_without_a_group_keep_their_interval():
    frame = pd.DataFrame({"a": np.arange(25.0), "y": np.arange(25.0)})
    result = result_of(function_model(lambda rows: rows["a"]), frame, "y", task="regression", metric="r2")
    assert explain(result, frame, LONG).summary[["low", "high"]].notna().all(axis=None)


def test_files_hold_all_of_it(credit, tmp_path):
    _, _, made, _ = credit
    made.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["explain.json", "explain_shap.parquet"]
    text = (tmp_path / "explain.json").read_text()
    assert json.loads(text) == json.loads(json.dumps(made.to_dict(), allow_nan=False))
    again = Explanation.load(tmp_path)
    assert again.to_dict() == made.to_dict()
    assert np.array_equal(again.shap.values, made.shap.values)
    assert again.shap.data.equals(made.shap.data)
    bare = Explanation.read(tmp_path / "explain.json")
    assert (bare.shap, bare.classes) == (None, made.classes)
    first = {name: value for name, value in json.loads(text).items() if name != "classes"}
    (tmp_path / "explain.json").write_text(json.dumps(first))
    assert Explanation.load(tmp_path).classes == made.classes
    with pytest.raises(StorageError, match="does not hold an explanation"):
        Explanation.load(tmp_path / "other")


@pytest.mark.nightly
def test_a_result_that_was_saved_is_explained_in_the_same_way(credit, tmp_path):
    result, frame, made, _ = credit
    result.save(tmp_path)
    again = explain(AutoMLResult.load(tmp_path), frame, LONG.model_copy(update={"top": 3}))  # few pairs of columns
    # Threads of boosters and forests end in any order: the last digits may differ.
    assert again.shap.values == pytest.approx(made.shap.values, abs=1e-6)
    drops = [other.permutation.set_index("feature")["importance"].sort_index() for other in (again, made)]
    pd.testing.assert_series_equal(*drops, atol=1e-3)
    assert [curve.feature for curve in again.dependence[:3]] == [curve.feature for curve in made.dependence[:3]]


def test_reading_one_loads_no_library_of_learning(credit, tmp_path):
    credit[2].save(tmp_path)
    code = (
        "import sys; from core.explain import *; made = Explanation.load(sys.argv[1]);"
        "waterfall(made.shap, int(made.shap.row_id[0]));"
        "rows = made.shap.data; score = lambda frame: frame['credit_amount'] / 1e5;"
        "explain_row(score, rows[:1], rows, None);"
        "counterfactuals(score, rows[:1], rows, Goal(low=1.0), ['credit_amount']);"
        "what_if(score, rows[:1], {'credit_amount': 1});"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    heavy = {"sklearn", "scipy", "shap", "numba", "lightgbm", "catboost", "xgboost", "flaml", "torch"}
    assert not set(done.stdout.split()) & heavy


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
    made = explain(result, frame, ExplainSettings(budget_s=60, top=4))
    if learner == "function":
        assert made.shap.method.startswith("sampled")
    assert [part for part in PARTS if not len(getattr(made, part))] == []
    assert made.shap.error < 1e-3
    assert made.classes == made.shap.classes == (["prediction"] if task == "regression" else ["a", "b", "c"])
    assert made.permutation.iloc[0]["feature"] == made.dependence[0].feature == "a b"
    made.save(tmp_path)
    again = Explanation.load(tmp_path)
    assert again.to_dict() == made.to_dict()
    pd.testing.assert_frame_equal(again.shap.data, made.shap.data)
    for name in ("permutation", "summary", "interactions"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name), check_dtype=False)


def test_a_metric_that_the_rows_do_not_define_is_unknown_and_said_to_be(tmp_path):
    result, frame = odd_result("linear", "binary", rows=60)
    result.test["target"] = frame["target"] = "yes"
    made = explain(result, frame, LONG)
    assert made.left_out == [
        {
            "part": "permutation",
            "what": "the importances",
            "why": "ROC AUC is undefined on these rows (one class only?)",
        }
    ]
    made.save(tmp_path)
    again = Explanation.load(tmp_path).permutation
    assert again["importance"].isna().all()
    assert again["importance"].dtype == float


def test_of_many_classes_the_most_frequent_are_explained():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.random(300), "y": np.repeat([f"c{index:02}" for index in range(25)], 12)})
    frame.loc[frame["y"] < "c05", "y"] = "c24"

    def function(x):
        return np.exp(x["a"].to_numpy()[:, None] * np.arange(20)) / 20

    labels = sorted(frame["y"].unique())
    result = result_of(function_model(function, 20), frame, "y", task="multiclass", metric="accuracy", labels=labels)
    made = explain(result, frame, ExplainSettings(budget_s=10))
    assert len(made.classes) == 10
    assert made.shap.classes == made.classes
    assert "c24" in made.shap.classes
    assert {"part": "classes", "what": "10 of 20", "why": "the most frequent are explained"} in made.left_out


def test_a_sensitive_column_of_many_groups_is_left_out_with_a_reason():
    result, frame = odd_result("linear", "binary", rows=100)
    values = np.array([f"g{index % 50}" for index in range(100)])
    result = SimpleNamespace(**vars(result) | {"test": result.test.assign(city=values)})
    result.settings = AutoMLSettings(target="target", sensitive_columns=("city",))
    made = explain(result, frame.assign(city=values), LONG)
    assert made.left_out == [{"part": "groups", "what": "city", "why": "it has 50 groups, more than 20"}]
    assert made.summary["group"].isna().all()


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


def test_some_rows_are_summarized_as_if_they_were_all() -> None:
    explained = Explanation.load(golden_files("binary"))
    shap = explained.shap
    assert shap is not None
    chosen = shap.row_id[::2]
    groups = {"half": pd.Series(np.where(chosen % 3 == 0, "a", "b"), index=chosen)}
    part = explained.of_rows(np.append(chosen, 10**6), groups)
    assert part.shap is not None
    assert part.shap.row_id.tolist() == chosen.tolist()
    assert part.shap.data.equals(shap.data.iloc[::2].reset_index(drop=True))
    overall = part.summary[part.summary["group"].isna()].set_index("feature")
    expected = dict(zip(shap.features, np.abs(shap.values[::2, :, 0]).mean(axis=0), strict=True))
    assert overall["importance"].to_dict() == pytest.approx(expected)
    own = part.summary[part.summary["group"] == "a"].set_index("feature")["importance"]
    inside = np.isin(shap.row_id, chosen[chosen % 3 == 0])
    assert own.to_dict() == pytest.approx(
        dict(zip(shap.features, np.abs(shap.values[inside, :, 0]).mean(axis=0), strict=True))
    )
    assert part.permutation.empty
    assert part.dependence == []
    nothing = explained.of_rows(np.array([10**6]))
    assert nothing.summary.empty
