"""Registering runs: what is kept with a version, names, and what an id means."""

import re

import pytest

from core import models
from core.catalog import Run, RunState, runs
from core.errors import NotFoundError, RegistryError
from core.housekeeping import delete_dataset


def test_a_version_knows_where_it_comes_from(credit, credit_result):
    model = models.register(credit.id, notes="first try", who="ann")
    assert (model.name, model.versions) == ("credit from German credit", 1)
    (version,) = models.versions(model.id)
    assert (version.kind, version.run_id, version.notes) == ("table", credit.id, "first try")
    lineage = version.lineage
    assert lineage["dataset"]["fingerprint"] == credit_result.fingerprint
    assert lineage["settings"] == credit_result.settings.model_dump(mode="json")
    assert lineage["packages"] == credit_result.packages
    assert (lineage["target"], lineage["labels"], lineage["task"]) == ("credit", ["bad", "good"], "binary")
    assert re.fullmatch(r"\d+\.\d+\.\d+", lineage["registered_with"]["version"])
    assert re.fullmatch(r"[0-9a-f]{64}", lineage["registered_with"]["source"])
    assert [event.action for event in models.history(model.id)] == ["register"]
    assert model.to_dict()["id"] == model.id
    assert version.to_dict()["lineage"]["run"]["id"] == credit.id


def test_a_text_model_registers(reviews):
    model = models.register(reviews.id, name="mood")
    (version,) = models.versions(model.id)
    assert (version.kind, [column["name"] for column in version.columns]) == ("text", ["text"])
    assert version.lineage["target"] == "sentiment"


def test_the_same_run_is_one_version_and_another_the_next(finish, credit, other_credit, credit_frame):
    first = models.register(credit.id, name="credit")
    assert models.register(credit.id, name=" credit ") == first
    second = models.register(finish(other_credit, credit_frame).id, name="credit")
    assert (second.id, second.versions) == (first.id, 2)
    assert models.find() == [second]
    assert models.register(credit.id, name="elsewhere").id != first.id


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb"])
def test_names_that_cannot_be_used(credit, name):
    with pytest.raises(RegistryError, match=r"not a usable name|without a name"):
        models.register(credit.id, name=name)
    assert models.find() == []


@pytest.mark.parametrize("task", ["check", "automl"])
def test_runs_without_a_model_are_refused(home, task):
    state = RunState.SUCCEEDED if task == "check" else RunState.FAILED
    run = runs.add(Run(workspace="local", task=task, state=state))
    with pytest.raises(RegistryError, match="makes no model" if task == "check" else "has not succeeded") as caught:
        models.register(run.id)
    assert caught.value.hint
    with pytest.raises(NotFoundError):
        models.register("0" * 16)


def test_another_workspace_has_neither_run_nor_model(credit):
    with pytest.raises(NotFoundError):
        models.register(credit.id, workspace="other")
    model = models.register(credit.id)
    for ask in (models.get, models.versions, models.history, models.resolve):
        with pytest.raises(NotFoundError, match=model.id):
            ask(model.id, workspace="other")


def test_a_table_that_is_gone_and_loaded_again(finish, credit, credit_result, credit_frame):
    delete_dataset(credit.dataset_id)
    with pytest.raises(RegistryError, match="was deleted") as caught:
        models.register(credit.id)
    assert "Load the same table again" in caught.value.hint
    loaded = finish(credit_result, credit_frame, "again from the same file")
    assert models.versions(models.register(credit.id).id)[0].lineage["dataset"]["id"] == loaded.dataset_id


@pytest.fixture
def two(finish, credit, other_credit, credit_frame):
    models.register(credit.id, name="credit")
    return models.register(finish(other_credit, credit_frame).id, name="credit")


def test_an_id_means_the_champion_or_else_the_newest_in_use(two):
    newest, oldest = models.versions(two.id)
    assert models.resolve(two.id) == newest
    assert models.resolve(oldest.id) == oldest
    models.promote(two.id, 1, who="ann", why="it is smaller")
    assert models.resolve(two.id) == oldest
    assert models.aliases(oldest) == ["champion"]
    models.promote(two.id, 2)
    assert models.roll_back(two.id) == 1
    models.archive(two.id, 2)
    models.remove_alias(two.id, "champion")
    assert models.resolve(two.id) == oldest
    models.archive(two.id, 1)
    with pytest.raises(NotFoundError, match="are archived"):
        models.resolve(two.id)
    models.restore(two.id, 2)
    assert models.resolve(two.id).number == 2


def test_aliases_have_a_form_and_archived_is_a_state(two):
    models.set_alias(two.id, "eu-west-1", 2)
    models.set_alias(two.id, "challenger", 2)
    assert models.aliases(models.resolve(two.id)) == ["challenger", "eu-west-1"]
    for alias in ("", "Champion", "a b", "-a", "x" * 41, "ü"):
        with pytest.raises(RegistryError, match="not a usable alias"):
            models.set_alias(two.id, alias, 1)
    for number in (1, 2):
        models.set_alias(two.id, "archived", number)
    assert [models.aliases(each) for each in models.versions(two.id)] == [["archived"], ["archived"]]
