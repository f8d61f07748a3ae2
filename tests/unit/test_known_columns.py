"""Answers to whether a column is known in time: kept with the search, and told beside its verdict."""

import json

import pandas as pd
import pytest

from core import known_columns
from core.access import LOCAL
from core.catalog import Run, RunArtifact, RunState, artifacts, events, runs
from core.errors import InputError
from core.explain import Carrier, ExplainSettings, Explanation
from core.storage import get_store

COLUMNS = ["feature", "importance", "low", "high", "n", "repeats"]


@pytest.fixture
def run(home) -> Run:
    run = runs.add(
        Run(workspace="local", task="automl", title="a search", dataset_id="d", state=RunState.SUCCEEDED), access=LOCAL
    )
    _keep(run, "result.json", {"differences": {"prior": {"value": 0.45, "low": 0.43, "high": 0.46, "n": 900}}})
    return run


def _keep(run: Run, name: str, content: dict) -> None:
    digest = get_store().put_bytes(json.dumps(content).encode())
    artifacts.add(RunArtifact(workspace="local", run_id=run.id, name=name, digest=digest, size_bytes=1), access=LOCAL)


def _explanation(importance: float) -> dict:
    table = pd.DataFrame([("offer", importance, importance - 0.03, importance + 0.03, 900, 5)], columns=COLUMNS)
    made = Explanation(
        settings=ExplainSettings(),
        task="binary",
        metric="roc_auc",
        target="left",
        classes=["yes"],
        rows_from="test",
        rows=900,
        permutation=table,
        shap=None,
        summary=Explanation.no_table("summary"),
        dependence=[],
        interactions=Explanation.no_table("interactions"),
        interaction_space="probability",
        left_out=[],
        elapsed_s=1.0,
    )
    return made.to_dict()


def test_the_newest_explanation_names_the_columns(run):
    assert known_columns.carriers(run, access=LOCAL) == []
    _keep(run, "explain.json", _explanation(0.27))
    (carrier,) = known_columns.carriers(run, access=LOCAL)
    assert (carrier.columns, carrier.loss, carrier.gain) == (("offer",), 0.27, 0.45)
    later = runs.add(
        Run(workspace="local", task="explain", title="later", dataset_id="d", settings={"source": run.id}), access=LOCAL
    )
    assert known_columns.carriers(run, access=LOCAL) == [carrier]
    _keep(later, "explain.json", _explanation(0.05))
    assert known_columns.carriers(run, access=LOCAL) == []


@pytest.mark.parametrize(
    "prior", [None, {"value": 0.45, "low": -0.1, "high": 0.9}, {"value": 0.45, "low": None, "high": None}]
)
def test_without_a_certain_gain_no_column_is_named(home, prior):
    run = runs.add(Run(workspace="local", task="automl", title="a search"), access=LOCAL)
    _keep(run, "result.json", {"differences": {} if prior is None else {"prior": prior}})
    _keep(run, "explain.json", _explanation(0.27))
    assert known_columns.carriers(run, access=LOCAL) == []


def test_answers_are_kept_and_the_last_one_counts(run):
    other = runs.add(Run(workspace="local", task="automl", title="another"), access=LOCAL)
    for known in ("yes", "yes", "unknown", "no"):
        known_columns.answer(run, "offer", known, access=LOCAL)
    known_columns.answer(run, "code's", "no", access=LOCAL)
    assert known_columns.answers(runs.get(run.id, access=LOCAL), access=LOCAL) == {"offer": "no", "code's": "no"}
    assert known_columns.answers(other, access=LOCAL) == {}
    assert len(events.read(run.id, access=LOCAL)) == 4  # the same answer again says nothing new
    with pytest.raises(InputError, match="'maybe' is not an answer") as refused:
        known_columns.answer(run, "offer", "maybe", access=LOCAL)
    assert refused.value.hint == "Choose one of yes, no, unknown."


def test_the_caveat_follows_the_answers(run):
    assert known_columns.caveat(run, access=LOCAL) == ""
    known_columns.answer(run, "age", "yes", access=LOCAL)
    assert known_columns.caveat(run, access=LOCAL) == ""
    known_columns.answer(run, "code", "unknown", access=LOCAL)
    assert known_columns.caveat(run, access=LOCAL).startswith(
        "It is open whether 'code' is known when a prediction is made;"
    )
    known_columns.answer(run, "offer", "no", access=LOCAL)
    assert known_columns.caveat(run, access=LOCAL) == (
        "'offer' is not known when a prediction is made, so the model will be worse in use than these metrics say."
    )
    known_columns.answer(run, "code", "no", access=LOCAL)
    assert known_columns.caveat(run, access=LOCAL).startswith("'code' and 'offer' are not known")


def test_the_verdict_is_qualified_until_the_question_is_answered(run):
    run.result = {"verdict": "It is good."}
    assert known_columns.qualified_verdict(run, access=LOCAL) == "It is good."
    _keep(run, "explain.json", _explanation(0.27))
    open_question = "It is open whether 'offer' is known when a prediction is made;"
    assert known_columns.qualified_verdict(run, access=LOCAL).startswith(f"It is good. {open_question}")
    assert known_columns.caveat(run, unanswered=False, access=LOCAL) == ""
    known_columns.answer(run, "offer", "yes", access=LOCAL)
    assert known_columns.qualified_verdict(run, access=LOCAL) == "It is good."
    known_columns.answer(run, "offer", "no", access=LOCAL)
    assert "It is good. 'offer' is not known when" in known_columns.qualified_verdict(run, access=LOCAL)
    assert known_columns.qualified_verdict(Run(workspace="local", task="automl", title="failed"), access=LOCAL) == ""


@pytest.mark.parametrize(
    ("carrier", "metric", "sentence"),
    [
        (
            Carrier(("price",), 12.2, 9.8, 14.6, 40.0, 300),
            "rmse",
            "'price' carries 12 [10, 15] of the gain of 40 RMSE over guessing.",
        ),
        (
            Carrier(("offer",), 0.0041, 0.0035, 0.0052, 0.0082, 300),
            "r2",
            "'offer' carries 0.0041 [0.0035, 0.0052] of the gain of 0.0082 R² over guessing.",
        ),
    ],
)
def test_a_carrier_is_told_with_the_digits_of_the_gain(carrier, metric, sentence):
    assert known_columns.describe_carrier(carrier, metric) == sentence
