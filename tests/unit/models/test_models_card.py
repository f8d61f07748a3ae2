"""Cards say what was measured, nothing more, and ask for the rest."""

import json
from dataclasses import replace

import pytest
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score

from core import models, policies
from core.access import INSTALLATION, LOCAL
from core.catalog import Dataset, Run, RunState, runs
from core.catalog.engine import writing
from core.errors import InputError, RegistryError
from core.fairness import ThresholdPolicy
from core.housekeeping import delete_dataset
from core.models import QUESTIONS
from tests.unit.models.conftest import keep


@pytest.fixture
def version(credit):
    return models.resolve(models.register(credit.id, notes="a first try", access=LOCAL).id, access=LOCAL)


def rows(section, title):
    return next(table.rows for table in section.tables if table.title.startswith(title))


def test_figures_are_those_of_the_result(version, credit_result):
    card = models.card(version.model_id, access=LOCAL)
    shown = {name: figures for name, *figures in rows(card["evaluation"], "On the test rows")}
    estimate = credit_result.test_metrics["roc_auc"]
    assert shown["ROC AUC"] == [estimate.value, estimate.low, estimate.high, estimate.n, 60]
    assert len(shown) == len(credit_result.test_metrics)
    stored = credit_result.test_metrics["log_loss"].to_dict()
    assert stored["rarest"] == 60
    assert card.facts["test_metrics"]["log_loss"] == stored | {"reason": ""}
    assert credit_result.verdict in card.summary
    assert rows(card["evaluation"], "Test rows by true")[0][1:] == tuple(credit_result.confusion[0])
    data = dict(rows(card["data"], ""))
    assert (data["Rows"], data["Fingerprint"]) == (1000, credit_result.fingerprint)
    assert ("good", 700, 0.7) in rows(card["data"], "Values of")
    assert dict(rows(card["lineage"], "Software")) == credit_result.packages
    assert ("Notes", "a first try") in rows(card["details"], "")
    assert rows(card["history"], "What happened")[0][1] == "Version 1 was registered"


def test_groups_are_those_of_fairlearn(version, credit_result, credit_frame):
    figures = models.card(version.id, access=LOCAL).facts["groups"]["sex"]
    test = credit_result.test
    truth, predicted = (test[name] == "good" for name in ("credit", "prediction"))
    metrics = {"selection_rate": selection_rate, "accuracy": accuracy_score, "true_positive_rate": true_positive_rate}
    expected = MetricFrame(metrics=metrics, y_true=truth, y_pred=predicted, sensitive_features=test["sex"]).by_group
    assert set(figures) == set(expected.index)
    for group, row in expected.iterrows():
        assert figures[group]["count"] == (test["sex"] == group).sum()
        for name, value in row.items():
            estimate = figures[group][name]
            assert estimate["value"] == pytest.approx(value)
            assert estimate["low"] <= estimate["value"] <= estimate["high"]
            assert estimate["low"] < estimate["high"]
    assert set(models.card(version.id, access=LOCAL).facts["groups"]) == {"sex", "age"}


def test_dates_of_the_law_and_the_status_of_the_convention_are_stated(version):
    card = models.card(version.id, access=LOCAL)
    dates = ("2 December 2027", "2 August 2028", "Regulation (EU) 2026/1744")
    for text in (card.to_html(), card.to_markdown().replace("\\", ""), card.to_dict()["coverage_note"]):
        assert all(date in text for date in dates)
    said = " ".join(card["groups"].text)
    assert "four-fifths convention (29 CFR 1607.4 D)" in said
    assert "withdrawing the Uniform Guidelines" in said
    assert "EEOC requires" not in card.to_html()


def test_a_table_that_was_deleted_keeps_its_version_and_steps(credit):
    effect = {"rows_before": 9, "rows_after": 9, "renamed": {"a": "b"}}
    recipe = {"recipe": 1, "steps": [{"step": "rename", "column": "a", "to": "b"}]}
    with writing(INSTALLATION) as session:
        dataset = session.get(Dataset, credit.dataset_id)
        dataset.number, dataset.lineage = 3, {"recipe": recipe, "fitted": recipe, "effects": [effect]}
        session.add(dataset)
        session.commit()
    step = (1, "Rename", "Rename 'a' to 'b'", "renames 'a'", "")
    before = models.card_of_run(credit.id, access=LOCAL)["data"]
    assert ("Version of the table", "3 (made by 1 step from the table as it was read)") in rows(before, "")
    assert rows(before, "Preparation") == (step,)
    model = models.register(credit.id, access=LOCAL)
    delete_dataset(credit.dataset_id, access=LOCAL)
    after = models.card(model.id, access=LOCAL)["data"]
    assert ("Version of the table", 3) in rows(after, "")
    assert rows(after, "Preparation") == (step,)
    assert [table.title for table in models.card_of_run(credit.id, access=LOCAL)["data"].tables] == [""]


def test_groups_say_which_class_is_selected_and_why(version, finish, credit_result, credit_frame):
    text = models.card(version.id, access=LOCAL)["groups"].text
    assert text[0] == "Selected means that the model names 'good'. 'good' names an outcome that is good for the person."
    words = {"bad": "lilac", "good": "mauve"}
    test = credit_result.test.replace({"credit": words, "prediction": words})
    result = replace(credit_result, labels=list(words.values()), test=test.rename(columns={"p(good)": "p(mauve)"}))

    def first_sentence(settings) -> str:
        run = finish(replace(result, settings=settings), credit_frame, f"colors from Colors {settings.seed}")
        return models.card_of_run(run.id, access=LOCAL)["groups"].text[0]

    by_order = "'mauve' is the last class in order: nobody chose one, and no word tells which outcome is good."
    assert first_sentence(result.settings) == f"Selected means that the model names 'mauve'. {by_order}"
    asked = result.settings.model_copy(update={"positive_label": "mauve", "seed": 1})
    assert first_sentence(asked).endswith("'mauve' was chosen in the settings.")


def test_columns_that_a_policy_decides_by_are_looked_at_too(finish, other_credit, credit_frame):
    run = finish(other_credit, credit_frame)
    assert not models.card_of_run(run.id, access=LOCAL)["groups"].measured
    policies.keep(run, "by job", ThresholdPolicy({"skilled": ((0.5, 1.0),)}, ("job",)), access=LOCAL)
    card = models.card_of_run(run.id, access=LOCAL)
    counts = credit_frame["job"].iloc[other_credit.test["row_id"]].value_counts()
    assert {group: values["count"] for group, values in card.facts["groups"]["job"].items()} == counts.to_dict()
    assert rows(card["groups"], "Policy") == (("skilled", 0.5, 1.0),)


def test_questions_stay_open_until_they_are_answered(version):
    card = models.card(version.id, access=LOCAL)
    assert card.gaps == tuple(QUESTIONS.values()) == models.questions()
    assert card.to_markdown().count("*Not answered yet*") == len(QUESTIONS)
    models.answer(version, "intended_use", " To advise clerks.\nNever alone. ", access=replace(LOCAL, actor="ann"))
    models.answer(version, "about_people", "yes", access=LOCAL)
    card = models.card(version.id, access=LOCAL)
    assert len(card.gaps) == len(QUESTIONS) - 2
    answers = {question.key: answer for question, answer in card["uses"].questions}
    assert answers["intended_use"] == "To advise clerks.\nNever alone."
    models.answer(version, "about_people", "", access=LOCAL)
    assert len(models.card(version.id, access=LOCAL).gaps) == len(QUESTIONS) - 1
    for key, text, message in (
        ("about_people", "maybe", "'maybe' is not an answer"),
        ("what", "x", "no question 'what'"),
        ("risks", "x" * 10_001, "the maximum is 10,000"),
    ):
        with pytest.raises(InputError, match=message):
            models.answer(version, key, text, access=LOCAL)


def test_coverage_follows_evidence_and_answers(version, credit):
    def status(item):
        return {row.item: row.status for row in models.card(version.id, access=LOCAL).coverage}[item]

    assert [status(item) for item in ("1(c)", "1(f)", "2(e)", "5", "MEASURE 2.11")] == [
        "evidence present",
        "missing",
        "missing",
        "asked",
        "asked",
    ]
    explained = {
        "task": "binary",
        "metric": "roc_auc",
        "target": "credit",
        "classes": ["good"],
        "rows_from": "test",
        "rows": 200,
        "interaction_space": "log-odds",
        "left_out": [],
        "elapsed_s": 1.0,
        "permutation": [
            {"feature": "age", "importance": 0.01, "low": -0.01, "high": 0.03, "n": 200},
            {"feature": "status", "importance": 0.1, "low": 0.05, "high": 0.15, "n": 200},
        ],
        "summary": [],
        "interactions": [],
        "settings": {},
        "shap": None,
        "dependence": [],
    }
    keep(credit, "explain.json", json.dumps(explained).encode())
    assert [status(item) for item in ("2(e)", "MEASURE 2.9")] == ["asked", "evidence present"]
    models.answer(version, "oversight", "The head of the branch.", access=LOCAL)
    assert status("2(e)") == "evidence present"
    importance = rows(models.card(version.id, access=LOCAL)["explanation"], "Permutation")
    assert [row[0] for row in importance] == ["status", "age"]


def test_latency_of_an_export_of_this_run(version, credit):
    def finished(task, settings, result=None):
        return runs.add(
            Run(workspace="local", task=task, settings=settings, state=RunState.SUCCEEDED, result=result), access=LOCAL
        )

    parity = {"held_out": {"rows": 200, "largest_difference": 1e-7, "label_flips": 0}}
    exported = finished("export", {"source": credit.id, "modes": []})
    keep(exported, "edge.json", json.dumps({"model": {"parity": parity}, "variants": []}).encode())
    percentile = {"value": 1.5, "low": 1.4, "high": 1.6, "n": 700, "needed": 662, "enough": True}
    unsure = percentile | {"enough": False}
    report = {
        "percentiles": {"50": percentile, "99.9": unsure},
        "throughput": 650.0,
        "requests": 700,
        "settings": {"scenario": "single_stream", "batch_size": 1},
        "machine": {"cpu": "a CPU"},
    }
    measured = finished("latency", {"export": exported.id})
    keep(measured, "latency.json", json.dumps({"reports": {"fp32": report}}).encode())
    keep(finished("latency", {"export": "0" * 16}), "latency.json", json.dumps(report | {"name": "foreign"}).encode())
    card = models.card(version.id, access=LOCAL)
    (table,) = card["latency"].tables
    assert table.rows[:2] == (("p50, ms", 1.5, 1.4, 1.6, 700), ("p99.9, ms", None, None, None, 700))
    assert "single_stream, batch size 1, on a CPU" in table.title
    assert card["export"].tables[0].rows == (("held out", 200, 1e-7, 0),)


def test_numbers_and_texts_have_cards(diabetes, diabetes_result, reviews, reviews_result):
    number = models.card_of_run(diabetes.id, access=LOCAL)
    assert "RMSE" in {row[0] for row in rows(number["evaluation"], "On the test rows")}
    assert {"mean_error", "count"} <= set(next(iter(number.facts["groups"]["sex"].values())))
    text = models.card_of_run(reviews.id, access=LOCAL)
    assert text.title == "sentiment from Reviews"
    assert reviews_result.verdict in text.summary
    assert "first 32 tokens" in " ".join(text["limits"].text)
    assert "fine-tuned" in dict(rows(text["details"], ""))["Model"]
    assert dict(rows(text["training"], "Settings"))["base_model"] == "tiny-bert", "not where it lies on this machine"


def test_members_of_a_blend_are_listed(finish, credit_result, credit_frame):
    members = [
        {"trial": 3, "learner": "lgbm", "weight": 0.75, "config": {"n_estimators": 4}},
        {"trial": 1, "learner": "rf", "weight": 0.25, "config": {}},
    ]
    winner = credit_result.winner | {"learner": "blend", "config": {"members": members}}
    card = models.card_of_run(finish(replace(credit_result, winner=winner), credit_frame).id, access=LOCAL)
    assert rows(card["training"], "Members") == (("LightGBM", 3, 0.75), ("Random forest", 1, 0.25))
    assert dict(rows(card["details"], ""))["Model"] == "Blend of several models"


def test_a_card_without_its_table(credit):
    version = models.resolve(models.register(credit.id, access=LOCAL).id, access=LOCAL)
    delete_dataset(credit.dataset_id, access=LOCAL)
    card = models.card(version.id, access=LOCAL)
    assert "was deleted" in card["data"].text[0]
    assert card["groups"].measured, "sensitive columns are stored with the predictions"


def test_a_metric_without_an_interval_has_its_reason(finish, credit_result, credit_frame, with_model):
    few = with_model(credit_result, credit_result.model)
    reason = "no interval: the test has only 3 rows of 'bad'"
    bare = replace(credit_result.test_metrics["roc_auc"], low=None, high=None, rarest=3, reason=reason)
    object.__setattr__(few, "test_metrics", credit_result.test_metrics | {"roc_auc": bare})
    version = models.resolve(models.register(finish(few, credit_frame).id, access=LOCAL).id, access=LOCAL)
    card = models.card(version.id, access=LOCAL)
    assert "No interval for ROC AUC: the test has only 3 rows of 'bad'." in card["evaluation"].text
    shown = {name: figures for name, *figures in rows(card["evaluation"], "On the test rows")}
    assert shown["ROC AUC"] == [bare.value, None, None, bare.n, 3]


def test_a_run_without_a_model_has_none(home):
    run = runs.add(Run(workspace="local", task="check", state=RunState.SUCCEEDED), access=LOCAL)
    with pytest.raises(RegistryError, match="does not make a model"):
        models.card_of_run(run.id, access=LOCAL)


def test_a_card_says_that_groups_were_resampled(finish, credit_result, credit_frame, with_model):
    grouped = with_model(credit_result, credit_result.model)
    object.__setattr__(grouped, "rows", {**credit_result.rows, "test_groups": 12})
    run = finish(grouped, credit_frame)
    card = models.card(models.register(run.id, name="grouped", access=LOCAL).id, access=LOCAL)
    said = [text for text in card["evaluation"].text if "groups" in text]
    assert said == [
        "The test rows come from 12 groups; rows of a group depend on each other, so the intervals of the metrics are "
        "those of whole groups."
    ]
