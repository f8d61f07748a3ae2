"""Scores of registered models are those of the models themselves, reported on, decided by policies."""

import numpy as np
import pandas as pd
import pytest

from core import models, policies
from core.access import LOCAL
from core.catalog import Run, RunState, artifacts, runs
from core.edge import export_onnx
from core.errors import InputError, NotFoundError, StorageError
from core.fairness import ThresholdPolicy, as_groups, optimize_thresholds
from core.models._policy_applier import PolicyApplier
from core.rule_choices import RULE_FILE
from tests.unit.models.conftest import keep


@pytest.fixture
def model(credit):
    return models.register(credit.id, access=LOCAL)


def test_a_table_s_rows_are_scored_as_by_the_model(model, credit_result, credit_frame):
    rows = credit_frame.iloc[credit_result.test["row_id"]]
    table = models.score(model.id, rows.sample(frac=1, axis=1, random_state=0), access=LOCAL)
    pd.testing.assert_index_equal(table.index, rows.index)
    assert table["prediction"].tolist() == credit_result.model.predict(rows).tolist()
    expected = credit_result.test[["p(bad)", "p(good)"]]
    np.testing.assert_allclose(table[["p(bad)", "p(good)"]], expected, atol=1e-9)
    findings = {finding["check"]: finding["message"] for finding in table.attrs["findings"]}
    assert findings["ignored"] == "2 columns are not read: 'credit', 'sex'."
    assert "changed_type" not in findings
    one = models.score(model.id, rows.drop(columns="sex"), access=LOCAL).attrs["findings"]
    assert "1 column is not read: 'credit'." in [finding["message"] for finding in one]


def test_numbers_and_texts_too(diabetes, diabetes_result, diabetes_frame, reviews, reviews_result, reviews_frame):
    number = models.score(models.register(diabetes.id, access=LOCAL).id, diabetes_frame, access=LOCAL)
    np.testing.assert_allclose(number["prediction"], diabetes_result.model.predict(diabetes_frame))
    rows = reviews_frame.head(12).copy()
    rows.loc[3, "text"] = None
    rows.loc[5, "text"] = "  "
    scored = models.score_rows(models.register(reviews.id, access=LOCAL).id, rows, access=LOCAL)
    expected = reviews_result.predict(rows["text"].drop([3, 5]).tolist())
    answered = scored.table.drop([3, 5])
    assert answered["prediction"].tolist() == expected["label"].tolist()
    np.testing.assert_allclose(answered.iloc[:, 1:], expected.iloc[:, 1:], atol=1e-6)
    assert scored.table.loc[[3, 5]].isna().all(axis=None)
    assert scored.columns[0].missing == 1


def test_what_differs_is_reported_and_the_rest_is_scored(model, credit_frame):
    rows = credit_frame.head(50).copy()
    rows["age"] = rows["age"].astype(object)
    rows.loc[0, "age"] = "young"
    rows.loc[1, "age"] = 140
    rows.loc[2:4, "purpose"] = "a moon rocket"
    scored = models.score_rows(model.id, rows, access=LOCAL)
    reports = {report.name: report for report in scored.columns}
    assert (reports["age"].unreadable, reports["age"].outside) == (1, 1)
    assert (reports["purpose"].unseen, reports["purpose"].unseen_examples) == (3, ("a moon rocket",))
    assert len(scored.table) == 50
    assert scored.table["prediction"].notna().all()
    assert {"unreadable", "outside", "unseen"} <= {finding.check for finding in scored.findings}
    with pytest.raises(InputError, match="no column 'age'"):
        models.score(model.id, rows.drop(columns="age"), access=LOCAL)
    with pytest.raises(NotFoundError):
        models.score("0" * 16, rows, access=LOCAL)


@pytest.fixture
def fair(credit, credit_result, credit_frame):
    """A policy by sex and binned age, as the Fairness page keeps one."""
    groups = credit_frame[["sex", "age"]].assign(age=as_groups(credit_frame["age"], 3))
    oof = credit_result.oof
    return optimize_thresholds(
        oof["credit"] == "good", oof["p(good)"], groups.iloc[oof["row_id"]].reset_index(drop=True), randomized=False
    ), groups


def test_the_run_s_policy_decides(credit, model, fair, credit_frame):
    policy, groups = fair
    policies.keep(credit, "fair", policy, access=LOCAL)
    scored = models.score_rows(model.id, credit_frame, access=LOCAL)
    assert scored.policy == "policy-fair.json"
    assert scored.table["decision"].tolist() == policy.predict(scored.table["p(good)"], groups).tolist()
    assert scored.unknown_groups == {}
    fields = models.form_fields(models.resolve(model.id, access=LOCAL), access=LOCAL)
    assert [(field.name, field.role) for field in fields][-1] == ("sex", "group")
    with pytest.raises(InputError, match=r"no column 'sex'\. The policy 'policy-fair\.json' decides by this column"):
        models.score(model.id, credit_frame.drop(columns="sex"), access=LOCAL)
    plain = models.score(model.id, credit_frame.drop(columns="sex"), policy="none", access=LOCAL)
    assert "decision" not in plain


def test_groups_that_the_policy_does_not_know_get_no_decision(credit, model, fair, credit_frame):
    policies.keep(credit, "fair", fair[0], access=LOCAL)
    rows = credit_frame.head(30).copy()
    rows.loc[:4, "sex"] = "unknown"
    scored = models.score_rows(model.id, rows, access=LOCAL)
    assert scored.table["decision"].isna().tolist() == [True] * 5 + [False] * 25
    assert sum(scored.unknown_groups.values()) == 5
    assert "5 rows have no decision" in scored.findings[-2].message


def test_a_policy_that_draws_needs_ids(credit, model, credit_frame):
    drawn = ThresholdPolicy({"male": ((0.5, 0.5), (0.8, 0.5)), "female": ((0.6, 1.0),)}, ("sex",))
    policies.keep(credit, "drawn", drawn, access=LOCAL)
    rows = credit_frame.assign(key=[f"k{n}" for n in range(len(credit_frame))])
    with pytest.raises(InputError, match="draws some decisions"):
        models.score(model.id, rows, access=LOCAL)
    table = models.score(model.id, rows, row_id="key", access=LOCAL)
    again = models.score(model.id, rows.iloc[::-1], row_id="key", access=LOCAL)
    assert table["decision"].equals(again["decision"].iloc[::-1])
    expected = drawn.predict(table["p(good)"], rows["sex"], row_ids=rows["key"])
    assert table["decision"].tolist() == expected.tolist()
    with pytest.raises(InputError, match="no column 'id'"):
        models.score(model.id, rows, row_id="id", access=LOCAL)


def test_the_policy_that_was_chosen_last_decides(credit, model, fair, credit_frame):
    kept = policies.keep(credit, "fair", fair[0], access=LOCAL)
    named = ThresholdPolicy({"male": ((0.5, 1.0),), "female": ((0.5, 1.0),)}, ("sex",), {"positive": "bad"})
    policies.keep(credit, "bad", named, access=LOCAL)
    table = models.score(model.id, credit_frame, access=LOCAL)
    assert (table["decision"] == (table["p(bad)"] >= 0.5)).all(), "about the label that the policy names"
    policies.choose(credit, kept, access=LOCAL)
    assert models.score_rows(model.id, credit_frame, access=LOCAL).policy == kept
    event = models.history(model.id, access=LOCAL)[0]
    assert (event.action, event.number, event.why) == ("rule", 1, kept)
    artifacts.remove(credit.id, RULE_FILE, access=LOCAL)  # as an earlier version left it
    with pytest.raises(InputError, match="has 2 policies") as caught:
        models.score(model.id, credit_frame, access=LOCAL)
    assert "policy-bad.json, policy-fair.json" in caught.value.hint
    with pytest.raises(InputError, match="no policy 'x'"):
        models.score(model.id, credit_frame, policy="x", access=LOCAL)


def exported(run, model, train, held_out, folder, **values):
    """Store an export as its task does."""
    export_onnx(model, folder / "m.onnx", train=train, held_out=held_out, **values)
    made = runs.add(
        Run(workspace="local", task="export", settings={"source": run.id}, state=RunState.SUCCEEDED), access=LOCAL
    )
    keep(made, "model.onnx", (folder / "m.onnx").read_bytes())


def test_an_exported_table_model_scores_the_same(credit, model, credit_result, credit_frame, tmp_path):
    version = models.resolve(model.id, access=LOCAL)
    assert models.exported_model(version, access=LOCAL) is None
    features = credit_frame.drop(columns="credit")
    exported(credit, credit_result.model, features.head(500), features.tail(200), tmp_path)
    own = models.score(model.id, credit_frame, access=LOCAL)
    other = models.score_rows(
        model.id, credit_frame, onnx=models.exported_model(version, access=LOCAL), access=LOCAL
    ).table
    assert own["prediction"].tolist() == other["prediction"].tolist()
    np.testing.assert_allclose(own.iloc[:, 1:], other.iloc[:, 1:], atol=1e-5)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own future
def test_an_exported_text_model_scores_the_same(reviews, reviews_result, reviews_frame, tmp_path):
    version = models.resolve(models.register(reviews.id, access=LOCAL).id, access=LOCAL)
    texts = reviews_frame["text"].tolist()
    exported(reviews, reviews_result.model_dir, texts[:30], texts[30:60], tmp_path, max_length=32)
    rows = reviews_frame.head(25).assign(text=[None, *texts[1:25]])
    own = models.score(version.id, rows, access=LOCAL)
    other = models.score_rows(version.id, rows, onnx=models.exported_model(version, access=LOCAL), access=LOCAL).table
    assert own["prediction"].fillna("").tolist() == other["prediction"].fillna("").tolist()
    np.testing.assert_allclose(own.iloc[:, 1:], other.iloc[:, 1:], atol=1e-5)


def test_a_model_that_was_swapped_is_not_run(credit, model, credit_frame):
    from sklearn.preprocessing import FunctionTransformer
    from skops import io

    keep(credit, "model.skops", io.dumps(FunctionTransformer(print)))
    with pytest.raises(StorageError, match="not trusted"):
        models.score(model.id, credit_frame, access=LOCAL)


def test_groups_of_several_columns_read_as_the_rules_name_them():
    frame = pd.DataFrame({"a": [1.0, None, 2.0], "b": ["x", "y", None], "c": [19, 40, 80]})
    rules = {"1, x, below 25": ((0.5, 1.0),), "(missing), y, 25 to 60": ((0.9, 1.0),)}
    applier = PolicyApplier("p", ThresholdPolicy(rules, ("a", "b", "c")), ["no", "yes"])
    outputs = np.array([[0.4, 0.6], [0.2, 0.8], [0.1, 0.9]])
    decisions, unknown = applier.decide(outputs, frame, None)
    assert decisions.tolist() == [1, 0, pd.NA]
    assert unknown == {"2, (missing), 60 and above": 1}
