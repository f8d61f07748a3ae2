"""The Models page: registering, what a model leads with, versions and what is done with them, where it comes from."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, models
from core.access import LOCAL
from core.catalog import Model, runs
from core.catalog import models as rows
from tests.pages.conftest import World, labels, query, repeated, table_with, texts, visit


def field(test: AppTest, label: str) -> Any:
    return next(widget for widget in test.text_input if widget.label == label)


def tab(test: AppTest, name: str) -> AppTest:
    test.session_state["models-tabs"] = name
    test.run()
    assert not test.exception, name
    assert not test.error, name
    return test


def test_a_run_is_registered_where_a_link_leads(world: World) -> None:
    run = repeated(world.number)
    test = visit("models", register=run)
    assert test.text_input[0].value in (
        jobs.get(run, access=LOCAL).title,
        *(model.name for model in models.find(access=LOCAL)),
    )
    test.text_input[0].set_value("Progression").run()
    assert "A new model." in texts(test)
    test.text_area[0].set_value("With *stars*.")
    test.button(key="models-register-start").click().run()
    assert not test.exception
    assert not test.error
    model = models.get(query(test, "model"), access=LOCAL)
    assert (model.name, query(test, "version")) == ("Progression", "1")
    assert models.versions(model.id, access=LOCAL)[0].notes == "With *stars*."
    assert "No version is champion yet; version 1 has R²" in texts(test)

    again = visit("models", register=run)
    assert "It is already registered: version 1 of Progression." in texts(again)
    again.button(key=f"models-open-{models.versions(model.id, access=LOCAL)[0].id}").click().run()
    assert query(again, "model") == model.id

    listed = visit("models")
    row = table_with(listed, "Model").set_index("Model").loc["Progression"]
    assert (row["Metric of"], row["Metric"], row["Versions"], row["Type"]) == ("Version 1", "R²", 1, "Table")
    assert row["Value"].endswith("]")
    assert pd.isna(row["Champion"])


def test_a_run_of_the_same_target_is_offered_as_the_next_version(credit_model: Model, world: World) -> None:
    run = repeated(world.binary)
    newest = max(
        (
            version
            for model in models.find(access=LOCAL)
            for version in models.versions(model.id, access=LOCAL)
            if version.lineage["target"] == "credit"
        ),
        key=lambda version: version.created_at,
    )
    test = visit("models", register=run)
    assert test.text_input[0].value == models.get(newest.model_id, access=LOCAL).name
    assert f"It becomes version {models.get(newest.model_id, access=LOCAL).versions + 1} of this model." in texts(test)
    test.text_input[0].set_value(" ").run()
    assert "A model needs a name." in texts(test)
    test.button(key="models-register-start").click().run()
    assert "A model needs a name." in texts(test)
    assert rows.of_run(run, access=LOCAL) == []


def test_what_cannot_be_registered_says_so(world: World) -> None:
    for run in (world.failed, world.exported):
        test = visit("models", register=run)
        assert not test.exception
        assert f"Run '{run}' did not make a model to register." in texts(test)
    assert "There is no such run." in texts(visit("models", register="nothing"))
    assert "There is no such model." in texts(visit("models", model="nothing"))
    assert f"Run '{world.binary}' is not a scored file." in texts(visit("models", run=world.binary))


def test_a_model_leads_with_its_champion_and_what_is_better(credit_model: Model) -> None:
    said = texts(visit("models", model=credit_model.id))
    compared = models.compare_versions(
        *(version.id for version in models.versions(credit_model.id, access=LOCAL)[::-1]), access=LOCAL
    )
    assert "Version 1 is champion, and there is a newer one. " + compared.verdict in said
    assert "Champion: version 1" in said
    models.promote(credit_model.id, 2, access=LOCAL)
    joined = compared.verdict.removeprefix("Version 2 is ")
    assert f"Version 2 is champion, and {joined}" in texts(visit("models", model=credit_model.id))


def test_promote_name_archive_restore_and_roll_back(credit_model: Model) -> None:
    test = visit("models", model=credit_model.id, version="2")
    version = models.versions(credit_model.id, access=LOCAL)[0]
    assert "Roll back" not in labels(test)
    field(test, "Why").set_value("It saw more.").run()
    test.button(key=f"models-promote-{version.id}").click().run()
    assert models.resolve(credit_model.id, access=LOCAL).number == 2
    assert field(test, "Why").value == ""
    event = models.history(credit_model.id, access=LOCAL)[0]
    assert (event.action, event.number, event.previous, event.who, event.why) == ("promote", 2, 1, "", "It saw more.")
    assert {"Promote to champion", "Archive"}.isdisjoint(labels(test))

    field(test, "Alias").set_value("Not usable").run()
    test.button(key=f"models-set-alias-{version.id}").click().run()
    assert "'Not usable' is not a usable alias." in texts(test)
    field(test, "Alias").set_value("night").run()
    test.button(key=f"models-set-alias-{version.id}").click().run()
    assert models.aliases(version, access=LOCAL) == ["champion", "night"]
    test.button(key=f"models-remove-night-{version.id}").click().run()
    assert models.aliases(version, access=LOCAL) == ["champion"]

    test.button(key="models-roll-back").click().run()
    assert models.resolve(credit_model.id, access=LOCAL).number == 1
    test.button(key=f"models-archive-{version.id}").click().run()
    assert table_with(test, "Aliases").set_index("Version").loc[2, "Aliases"] == ["archived"]
    assert f"promote-{version.id}" not in {button.key for button in test.button}
    test.button(key=f"models-restore-{version.id}").click().run()
    test.text_area(key=f"models-notes-{version.id}").set_value("Watch it.")
    test.button(key=f"models-save-notes-{version.id}").click().run()
    assert not test.exception
    assert not test.error
    assert models.versions(credit_model.id, access=LOCAL)[0].notes == "Watch it."
    events = table_with(tab(test, "History"), "Event")
    assert events["Event"].tolist()[:2] == ["The notes of version 2 were changed", "Version 2 was restored"]
    assert events["Event"].tolist()[-1] == "Version 1 was registered"
    assert "ann" in events["Who"].tolist()
    assert "recorded only where users sign in" in texts(test)


def test_a_change_does_not_lead_to_another_version(credit_model: Model, world: World) -> None:
    # A browser tells a choice by its label: the choice must not be the same widget once the label is another.
    models.register(repeated(world.binary), name=credit_model.name, access=LOCAL)
    second = models.versions(credit_model.id, access=LOCAL)[1]
    test = visit("models", model=credit_model.id, version="2")
    before = next(box for box in test.selectbox if box.label == "Version")
    field(test, "Alias").set_value("night").run()
    test.button(key=f"models-set-alias-{second.id}").click().run()
    after = next(box for box in test.selectbox if box.label == "Version")
    assert "Version 2 · night" in after.options
    assert "Version 2 · night" not in before.options
    assert after.key != before.key
    assert (after.value, query(test, "version")) == (2, "2")

    # What others change does not take the reason away, nor the version that was the first to show.
    test = visit("models", model=credit_model.id)
    field(test, "Why").set_value("It errs.").run()
    models.set_alias(credit_model.id, "day", 3, access=LOCAL)
    field(test, "Alias").set_value("old").run()
    assert field(test, "Why").value == "It errs."
    first = models.versions(credit_model.id, access=LOCAL)[2]
    test.button(key=f"models-set-alias-{first.id}").click().run()
    assert models.history(credit_model.id, access=LOCAL)[0].why == "It errs."
    assert query(test, "version") == "1"
    models.promote(credit_model.id, 3, access=LOCAL)
    assert next(box for box in test.run().selectbox if box.label == "Version").value == 1


def test_notes_of_another_tab_are_not_replaced_unseen(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[0]
    test = visit("models", model=credit_model.id, version="2")
    models.set_notes(credit_model.id, 2, "Theirs.", access=LOCAL)
    test.text_area(key=f"models-notes-{version.id}").set_value("Mine.")
    test.button(key=f"models-save-notes-{version.id}").click().run()
    assert "The notes were changed elsewhere in the meantime: Theirs." in texts(test)
    assert models.versions(credit_model.id, access=LOCAL)[0].notes == "Theirs."
    assert test.text_area(key=f"models-notes-{version.id}").value == "Mine."
    test.button(key=f"models-save-notes-{version.id}").click().run()
    assert models.versions(credit_model.id, access=LOCAL)[0].notes == "Mine."

    models.set_notes(credit_model.id, 2, "Theirs again.", access=LOCAL)
    assert test.run().text_area(key=f"models-notes-{version.id}").value == "Theirs again."


def test_who_is_signed_in_is_kept(credit_model: Model) -> None:
    test = visit("models", model=credit_model.id, version="2")
    test.user = {"is_logged_in": True, "email": "bob@example.org"}
    test.run()
    version = models.versions(credit_model.id, access=LOCAL)[0]
    test.button(key=f"models-promote-{version.id}").click().run()
    assert models.history(credit_model.id, access=LOCAL)[0].who == "bob@example.org"


def test_lineage_and_what_is_handed_on(credit_model: Model, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[0]
    test = visit("models", model=credit_model.id, version="2", tab="Lineage")
    assert not test.error
    assert version.lineage["dataset"]["fingerprint"] in [code.value for code in test.code]
    assert {"Open the run", "Open the table", "Edge"} <= set(labels(test))
    test.session_state["models-download"] = True
    test.run()
    assert "Push to MLflow" not in labels(test)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///nowhere/at/all.db")
    test.session_state["models-download"] = True
    test.run()
    test.button(key="models-push-mlflow").click().run()
    assert not test.exception
    pushed = runs.find(task="push", access=LOCAL)[0]
    assert pushed.settings == {"subject": version.id}
    jobs.cancel(pushed.id, access=LOCAL)
    jobs.wait(pushed.id, 30, access=LOCAL)


def test_a_version_that_is_not_there_is_said(credit_model: Model) -> None:
    test = visit("models", model=credit_model.id, version="9")
    assert not test.exception
    assert [warning.value for warning in test.warning] == ["There is no version 9 of this model; version 1 is shown."]
    assert not visit("models", model=credit_model.id, version="2").warning
