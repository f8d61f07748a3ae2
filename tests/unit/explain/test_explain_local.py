"""One row: waterfalls, what-if, and rows explained on demand with ONNX Runtime."""

import numpy as np
import pandas as pd
import pytest

from core.edge import TableScorer, export_onnx
from core.errors import InputError
from core.explain import ExplainSettings, explain, explain_row, waterfall, what_if
from tests.unit.edge.edge_models import fitted, odd_table
from tests.unit.explain.explain_models import LABELS, odd_result


@pytest.fixture(scope="module")
def explained():
    result, frame = odd_result("lgbm", "multiclass")
    return explain(result, frame, ExplainSettings(budget_s=100, top=1)).shap, result, frame


def test_a_waterfall_leads_from_the_base_to_the_output(explained):
    shap, _, frame = explained
    row = int(shap.row_id[5])
    row_steps = waterfall(shap, row, "b", top=4)
    code = shap.classes.index("b")
    assert (row_steps.label, row_steps.space, row_steps.row_id) == ("b", "margin", row)
    assert row_steps.base == shap.base[code]
    assert row_steps.output == pytest.approx(shap.outputs[5, code])
    steps = row_steps.steps
    assert steps["start"].iloc[0] == pytest.approx(row_steps.base)
    assert steps["start"].tolist()[1:] == pytest.approx(steps["end"].tolist()[:-1])
    assert steps["end"].iloc[-1] == pytest.approx(row_steps.output)
    assert steps["feature"].tolist()[-1] == "5 others"
    sizes = steps["contribution"].abs().tolist()[:-1]
    assert sizes == sorted(sizes, reverse=True)
    values = dict(zip(steps["feature"], steps["value"], strict=True))
    assert values["a b"] == ("(missing)" if pd.isna(frame["a b"][row]) else f"{frame['a b'][row]:.6g}")


def test_the_likeliest_class_is_the_default(explained):
    shap, result, frame = explained
    row = int(shap.row_id[0])
    assert waterfall(shap, row).label == result.model.predict(frame.iloc[[row]])[0]


def test_unknown_rows_and_classes_are_named(explained):
    shap, _, _ = explained
    with pytest.raises(InputError, match="no SHAP values of row 10000"):
        waterfall(shap, 10_000)
    with pytest.raises(InputError, match="class 'z'"):
        waterfall(shap, int(shap.row_id[0]), "z")


@pytest.mark.parametrize("task", LABELS)
def test_any_row_is_explained_with_onnx_runtime_alone(task, tmp_path):
    train, others = odd_table(), odd_table(50, seed=3)
    model = fitted("xgboost", task, train, LABELS[task])
    scorer = TableScorer(export_onnx(model, tmp_path / "m.onnx", train=train, held_out=others).path)
    shap = explain_row(scorer.outputs, others.iloc[[7]], train, scorer.labels, row_id=7)
    expected = scorer.outputs(others.iloc[[7]])[:, 1:] if task == "binary" else scorer.outputs(others.iloc[[7]])
    assert shap.outputs == pytest.approx(expected.astype(float), rel=1e-6)
    assert shap.space == ("prediction" if task == "regression" else "probability")
    assert waterfall(shap, 7).output == pytest.approx(expected.max(), rel=1e-6)
    biggest = shap.features[int(np.abs(shap.values[0]).sum(axis=1).argmax())]
    assert biggest in ("a b", "大小", "größe (m²)")


def test_what_if_is_what_the_model_says_of_the_edited_row():
    result, frame = odd_result("rf", "binary")
    edits = {"a b": 49, "大小": "red", "when": "2001-02-03", 'say "hi"; drop': True, "größe (m²)": None}
    edited = what_if(result.model.predict_proba, frame.iloc[[4]], edits)
    assert edited.before == pytest.approx(result.model.predict_proba(frame.iloc[[4]])[0])
    by_hand = frame.iloc[[4]].assign(
        **{"a b": 49.0, "大小": "red", "when": pd.Timestamp("2001-02-03"), "größe (m²)": np.nan}
    )
    by_hand['say "hi"; drop'] = pd.Series([True], index=by_hand.index, dtype="boolean")
    assert edited.after == pytest.approx(result.model.predict_proba(by_hand)[0])
    assert edited.after[1] != edited.before[1]
    assert set(edited.changed) <= set(edits)
    assert edited.row["label"].equals(frame.iloc[[4]]["label"])


@pytest.mark.parametrize("learner", ["lgbm", "linear"])
def test_what_if_with_onnx_runtime_agrees_with_the_model(learner, tmp_path):
    train = odd_table()
    model = fitted(learner, "binary", train, ("no", "yes"))
    scorer = TableScorer(export_onnx(model, tmp_path / "m.onnx", train=train, held_out=odd_table(80, seed=3)).path)
    row = train.iloc[[3]]
    tried = {"a b": 12.5, "label": "a town that nobody knows", "zoned": "2030-01-01T12:00+02:00", "a-b": None}
    for edits in ({name: value} for name, value in tried.items()):
        result = what_if(scorer.outputs, row, edits)
        assert result.after == pytest.approx(model.predict_proba(result.row)[0], abs=1e-5)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        ({"nothing": 1}, "no column 'nothing'"),
        ({"a b": "many"}, "'a b' cannot be 'many'"),
        ({"when": "soon"}, "'when' cannot be 'soon'"),
        ({'say "hi"; drop': "perhaps"}, "cannot be 'perhaps'"),
    ],
)
def test_an_edit_that_the_column_does_not_take_is_refused(edits, said):
    result, frame = odd_result("linear", "binary", rows=60)
    with pytest.raises(InputError, match=said):
        what_if(result.model.predict_proba, frame.iloc[[0]], edits)


def test_an_edit_to_what_it_was_changes_nothing():
    result = what_if(lambda rows: rows["a"], pd.DataFrame({"a": [1.0], "t": ["x"]}), {"a": 1, "t": "x"})
    assert result.changed == ()
    assert result.before.tolist() == result.after.tolist()


def test_a_whole_number_may_become_a_fraction():
    result = what_if(lambda rows: rows["a"], pd.DataFrame({"a": [1]}), {"a": 2.5})
    assert result.after.tolist() == [2.5]


def test_several_rows_are_refused():
    rows = pd.DataFrame({"a": [1.0, 2.0]})
    with pytest.raises(InputError, match="The table has 2 rows"):
        what_if(lambda frame: frame["a"], rows, {})
    with pytest.raises(InputError, match="The table has 2 rows"):
        explain_row(lambda frame: frame["a"], rows, rows, None)
