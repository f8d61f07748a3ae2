"""A model's card with its questions, and two versions side by side."""

from __future__ import annotations

from dataclasses import replace

from core import models
from core.access import LOCAL
from core.catalog import Model
from tests.pages.conftest import World, query, table_with, texts, visit


def test_questions_are_answered_and_stand_on_the_card(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[1]
    test = visit("models", model=credit_model.id, version="1", tab="Card")
    assert "19 of 19 questions that only people can answer are open" in texts(test)
    test.radio(key="models-card-view").set_value("questions").run()
    assert (query(test, "tab"), query(test, "view")) == ("Card", "questions")
    test.text_area(key=f"models-answer-{version.id}-intended_use").set_value("To look *twice*.")
    test.selectbox(key=f"models-answer-{version.id}-about_people").set_value("yes")
    test.button(key=f"models-save-uses-{version.id}").click().run()
    assert not test.exception
    kept = models.resolve(version.id, access=LOCAL).answers
    assert {key: value["text"] for key, value in kept.items()} == {
        "intended_use": "To look *twice*.",
        "about_people": "yes",
    }
    assert "17 of 19" in texts(test)
    assert "Answered on" in texts(test)

    test.radio(key="models-card-view").set_value("read").run()
    assert "To look *twice*." in [text.value for text in test.text]
    assert "Not answered yet" in texts(test)
    assert "compliant" not in texts(test).lower()
    metrics = table_with(test, "95% from")
    assert metrics["Metric"].tolist()[0] == "ROC AUC"

    test.radio(key="models-card-view").set_value("coverage").run()
    covered = table_with(test, "Missing").set_index("Item")
    assert covered.loc["1(c)", "Status"] == ["evidence present"]
    assert covered.loc["9", "Status"] == ["asked"]
    assert covered.loc["8", ["Status", "Missing"]].tolist() == [["missing"], "This card has nothing about it"]


def test_answers_of_an_earlier_version_are_taken_over_when_asked(credit_model: Model) -> None:
    first, second = models.versions(credit_model.id, access=LOCAL)[::-1]
    models.answer(first, "intended_use", "To look.", access=replace(LOCAL, actor="ann"))
    models.answer(first, "about_people", "yes", access=replace(LOCAL, actor="ann"))
    models.answer(second, "about_people", "no", access=replace(LOCAL, actor="bob"))
    test = visit("models", model=credit_model.id, version="2", tab="Card", view="questions")
    button = test.button(key=f"models-take-over-{second.id}")
    assert button.label == "Copy 1 answer from version 1"
    button.click().run()
    assert not test.exception
    kept = models.resolve(second.id, access=LOCAL).answers
    assert {key: value["text"] for key, value in kept.items()} == {"intended_use": "To look.", "about_people": "no"}
    assert f"take-over-{second.id}" not in {button.key for button in test.button}
    # The field shows what was taken over: saving another one of its section does not take it away.
    test.text_area(key=f"models-answer-{second.id}-out_of_scope").set_value("To decide.")
    test.button(key=f"models-save-uses-{second.id}").click().run()
    assert models.resolve(second.id, access=LOCAL).answers["intended_use"]["text"] == "To look."


def test_answers_of_another_tab_are_neither_lost_nor_replaced_unseen(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[1]
    test = visit("models", model=credit_model.id, version="1", tab="Card", view="questions")
    use = f"models-answer-{version.id}-intended_use"
    models.answer(version, "intended_use", "Theirs.", access=LOCAL)
    models.answer(version, "about_people", "yes", access=LOCAL)
    test.text_area(key=f"models-answer-{version.id}-out_of_scope").set_value("Mine.")
    test.button(key=f"models-save-uses-{version.id}").click().run()

    def kept() -> dict[str, str]:
        return {key: value["text"] for key, value in models.resolve(version.id, access=LOCAL).answers.items()}

    assert kept() == {"intended_use": "Theirs.", "about_people": "yes", "out_of_scope": "Mine."}
    assert test.text_area(key=use).value == "Theirs."

    test.text_area(key=use).set_value("Mine, too.")
    models.answer(version, "intended_use", "Theirs, again.", access=LOCAL)
    test.button(key=f"models-save-uses-{version.id}").click().run()
    assert "was answered elsewhere in the meantime: Theirs, again." in texts(test)
    assert kept()["intended_use"] == "Theirs, again."
    assert test.text_area(key=use).value == "Mine, too."
    test.button(key=f"models-save-uses-{version.id}").click().run()
    assert not test.error
    assert kept()["intended_use"] == "Mine, too."


def test_two_versions_are_compared(credit_model: Model) -> None:
    test = visit("models", model=credit_model.id, version="2", tab="Compare")
    first, second = models.versions(credit_model.id, access=LOCAL)[::-1]
    assert models.compare_versions(first.id, second.id, access=LOCAL).verdict in texts(test)
    assert "Both have the same test rows" in texts(test)
    metric = next(box for box in test.selectbox if box.label == "Difference in")
    metric.set_value("accuracy").run()
    assert models.compare_versions(first.id, second.id, metric="accuracy", access=LOCAL).verdict in texts(test)
    metrics = table_with(test, "Version 2, rows")
    assert metrics["Version 1, rows"].tolist() == [200] * len(metrics)


def test_without_common_rows_there_is_a_reason(credit_model: Model, world: World) -> None:
    models.register(world.number, name=credit_model.name, access=LOCAL)
    test = visit("models", model=credit_model.id, version="3", tab="Compare")
    assert not test.exception
    assert "There is no paired difference: they were tested on different tables." in texts(test)
    assert "they do not show which version is better" in texts(test)
    assert "How version 3 compares with version 1 is not known" in texts(test)
