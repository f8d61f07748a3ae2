"""The next steps on a dataset's page: each leads to the page that does it, with the dataset chosen."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.catalog import Dataset, datasets
from core.datasets import Recipe
from core.tasks import prepare
from pages._ui import suggestions
from tests.pages.conftest import World, labels, query, texts, visit

STEPS = {"Choose the target", "Check decisions for fairness", "Fine-tune on texts"}
FORM = ("label", "prediction", "score")


def test_steps_follow_the_table_and_its_roles(world: World) -> None:
    datasets.set_roles(world.decisions.id, {"target": None, "sensitive": ["group"], "ignore": []}, access=LOCAL)
    for dataset, expected in (
        (world.credit, set()),
        (world.reviews, {"Fine-tune on texts"}),
        (world.decisions, {"Check decisions for fairness"}),
    ):
        roles = datasets.get(dataset.id, access=LOCAL).roles
        shown = STEPS & set(labels(visit("data", dataset=dataset.id)))
        assert shown - {"Choose the target"} == expected, dataset.name
        assert ("Choose the target" in shown) == (roles.get("target") is None)


def press(test: AppTest, label: str) -> AppTest:
    next(button for button in test.button if button.label == label).click().run()
    assert not test.exception
    return test


def led_to(test: AppTest, page: str) -> AppTest:
    """Open the page at the address that a press has led to, as a reload does."""
    return visit(page, **{name: query(test, name) for name in test.query_params})


def without_target(dataset: Dataset, **roles: list[str]) -> None:
    datasets.set_roles(dataset.id, {"target": None, "sensitive": [], "ignore": []} | roles, access=LOCAL)


def test_without_a_target_the_page_asks_for_it(world: World) -> None:
    without_target(world.credit)
    test = visit("data", dataset=world.credit.id)
    button = next(button for button in test.button if button.label == "Choose the target")
    assert "'credit'" in button.help.replace("\\", "")
    press(test, "Choose the target")
    assert (query(test, "tab"), query(test, "dataset")) == ("Roles", world.credit.id)
    assert (test.selectbox[0].label, test.selectbox[0].value) == ("Target", "credit")
    assert "Suggested: The name of 'credit'" in texts(test)
    assert datasets.get(world.credit.id, access=LOCAL).roles["target"] is None  # nothing is stored before it is saved
    press(test, "Save roles")
    assert datasets.get(world.credit.id, access=LOCAL).roles["target"] == "credit"
    assert "target" not in test.query_params
    assert "Suggested:" not in texts(test)


def test_the_form_of_a_search_opens_with_the_suggested_target(world: World) -> None:
    without_target(world.credit)
    test = press(visit("data", dataset=world.credit.id), "Search for a model")
    assert (query(test, "dataset"), query(test, "target")) == (world.credit.id, "credit")
    test = led_to(test, "automl")
    target = test.selectbox(key=f"automl-target-{world.credit.id}")
    assert target.value == "credit"
    assert "Suggested: The name of 'credit' is one that targets often have." in texts(test)
    target.set_value("housing").run()
    assert query(test, "target") == "housing"
    assert "Suggested:" not in texts(test)
    again = visit("automl", dataset=world.credit.id, target="housing")  # a reload
    assert again.selectbox(key=f"automl-target-{world.credit.id}").value == "housing"
    again.selectbox(key=f"automl-target-{world.credit.id}").set_value(None).run()
    assert "Choose the column to predict." in texts(again)
    assert again.selectbox(key=f"automl-target-{world.credit.id}").value is None


def test_a_target_of_the_dataset_is_not_called_a_suggestion(world: World) -> None:
    test = press(visit("data", dataset=world.credit.id), "Search for a model")
    assert test.selectbox(key=f"automl-target-{world.credit.id}").value == world.credit.roles["target"]
    assert "Suggested:" not in texts(test)


def test_fairness_opens_with_label_decision_and_group(world: World) -> None:
    without_target(world.decisions, sensitive=["group"])
    step = next(
        step for step in suggestions.steps(datasets.get(world.decisions.id, access=LOCAL)) if step.name == "fairness"
    )
    test = press(visit("data", dataset=world.decisions.id), "Check decisions for fairness")
    test = led_to(test, "fairness")
    values = {name: test.selectbox(key=f"fairness-{name}-{world.decisions.id}").value for name in FORM}
    assert {name: value for name, value in values.items() if value} == {
        name: column for name, column in step.columns.items() if name != "groups"
    }
    assert test.multiselect(key=f"fairness-columns-{world.decisions.id}").value == ["group"]
    assert f"Suggested: {step.reason}" in texts(test)
    assert test.subheader  # there is a verdict at once
    test.multiselect(key=f"fairness-columns-{world.decisions.id}").set_value([]).run()
    assert "Suggested:" not in texts(test)
    assert "Choose at least one sensitive column." in texts(test)
    assert test.multiselect(key=f"fairness-columns-{world.decisions.id}").value == []


def test_fine_tuning_opens_with_texts_and_labels(world: World) -> None:
    without_target(world.reviews)
    test = press(visit("data", dataset=world.reviews.id), "Fine-tune on texts")
    assert (query(test, "dataset"), query(test, "text"), query(test, "label")) == (
        world.reviews.id,
        "text",
        "sentiment",
    )
    test = led_to(test, "finetune")
    assert test.selectbox(key=f"finetune-label-{world.reviews.id}").value == "sentiment"
    assert "Suggested: 'text' has texts, and 'sentiment' has" in texts(test)
    test.selectbox(key=f"finetune-label-{world.reviews.id}").set_value(None).run()
    assert "Choose the column with the texts" in texts(test)


def test_columns_of_an_address_that_are_not_there_are_not_chosen(world: World) -> None:
    test = visit("automl", dataset=world.credit.id, target="nothing")
    assert test.selectbox(key=f"automl-target-{world.credit.id}").value == world.credit.roles["target"]
    test = visit("fairness", dataset=world.decisions.id, label="nothing", groups="nowhere")
    assert not test.exception
    test = visit("finetune", dataset=world.reviews.id, text="sentiment", label="sentiment")
    assert not test.exception
    assert test.selectbox(key=f"finetune-label-{world.reviews.id}").value != "sentiment"


def test_another_dataset_does_not_keep_the_columns_of_the_address(world: World) -> None:
    test = visit("automl", dataset=world.credit.id, target="housing")
    test.selectbox(key="automl-dataset").set_value(world.diabetes.id).run()
    assert not test.exception
    assert "target" not in test.query_params
    assert test.selectbox(key=f"automl-target-{world.diabetes.id}").value == world.diabetes.roles["target"]


def test_an_earlier_version_is_what_its_address_says(world: World) -> None:
    run_id = prepare.submit(world.credit, Recipe([{"step": "drop", "columns": ["purpose"]}]), "Drop", access=LOCAL)
    run = jobs.wait(run_id, 60, access=LOCAL)
    assert run.result is not None
    current = run.result["dataset_id"]
    for page, key in (("automl", "automl-dataset"), ("finetune", "finetune-dataset"), ("fairness", "fairness-source")):
        test = visit(page, dataset=world.credit.id)
        assert not test.exception
        assert test.selectbox(key=key).value.split(":")[-1] == world.credit.id
        assert query(test, "dataset") == world.credit.id
        options = test.selectbox(key=key).options
        assert any("German credit risk, version 1 (1,000 rows)" in option for option in options)
        assert any("German credit risk, version 2 (1,000 rows)" in option for option in options)
        others = visit(page, dataset=current).selectbox(key=key).options
        assert not any("version 1" in option for option in others)
