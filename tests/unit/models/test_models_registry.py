"""Registering runs: what is kept with a version, names, and what an id means."""

import re

import pytest

from core import models
from core.catalog import Run, RunState, runs
from core.errors import NotFoundError, RegistryError
from core.housekeeping import delete_dataset


def test_a_version_knows_where_it_comes_from(credit, credit_result):
    model = models.register(credit.id, notes="first try", who="ann", workspace="local")
    assert (model.name, model.versions) == ("credit from German credit", 1)
    (version,) = models.versions(model.id, workspace="local")
    assert (version.kind, version.run_id, version.notes) == ("table", credit.id, "first try")
    lineage = version.lineage
    assert lineage["dataset"]["fingerprint"] == credit_result.fingerprint
    assert lineage["settings"] == credit_result.settings.model_dump(mode="json")
    assert lineage["packages"] == credit_result.packages
    assert (lineage["target"], lineage["labels"], lineage["task"]) == ("credit", ["bad", "good"], "binary")
    assert re.fullmatch(r"\d+\.\d+\.\d+", lineage["registered_with"]["version"])
    assert re.fullmatch(r"[0-9a-f]{64}", lineage["registered_with"]["source"])
    assert [event.action for event in models.history(model.id, workspace="local")] == ["register"]
    assert model.to_dict()["id"] == model.id
    assert version.to_dict()["lineage"]["run"]["id"] == credit.id


def test_a_text_model_registers(reviews):
    model = models.register(reviews.id, name="mood", workspace="local")
    (version,) = models.versions(model.id, workspace="local")
    assert (version.kind, [column["name"] for column in version.columns]) == ("text", ["text", "length"])
    assert version.lineage["target"] == "sentiment"


def test_the_same_run_is_one_version_and_another_the_next(finish, credit, other_credit, credit_frame):
    first = models.register(credit.id, name="credit", workspace="local")
    assert models.register(credit.id, name=" credit ", workspace="local") == first
    second = models.register(finish(other_credit, credit_frame).id, name="credit", workspace="local")
    assert (second.id, second.versions) == (first.id, 2)
    assert models.find(workspace="local") == [second]
    assert models.register(credit.id, name="elsewhere", workspace="local").id != first.id


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb"])
def test_names_that_cannot_be_used(credit, name):
    with pytest.raises(RegistryError, match="name"):
        models.register(credit.id, name=name, workspace="local")
    assert models.find(workspace="local") == []


@pytest.mark.parametrize("task", ["check", "automl"])
def test_runs_without_a_model_are_refused(home, task):
    state = RunState.SUCCEEDED if task == "check" else RunState.FAILED
    run = runs.add(Run(workspace="local", task=task, state=state))
    with pytest.raises(
        RegistryError, match="does not make a model" if task == "check" else "has not succeeded"
    ) as caught:
        models.register(run.id, workspace="local")
    assert caught.value.hint
    with pytest.raises(NotFoundError):
        models.register("0" * 16, workspace="local")


def test_another_workspace_has_neither_run_nor_model(credit):
    with pytest.raises(NotFoundError):
        models.register(credit.id, workspace="other")
    model = models.register(credit.id, workspace="local")
    for ask in (models.get, models.versions, models.history, models.resolve):
        with pytest.raises(NotFoundError, match=model.id):
            ask(model.id, workspace="other")


def test_a_table_that_is_gone_and_loaded_again(finish, credit, credit_result, credit_frame):
    delete_dataset(credit.dataset_id, workspace="local")
    with pytest.raises(RegistryError, match="was deleted") as caught:
        models.register(credit.id, workspace="local")
    assert "Load the same table again" in caught.value.hint
    loaded = finish(credit_result, credit_frame, "again from the same file")
    assert (
        models.versions(models.register(credit.id, workspace="local").id, workspace="local")[0].lineage["dataset"]["id"]
        == loaded.dataset_id
    )


@pytest.fixture
def two(finish, credit, other_credit, credit_frame):
    models.register(credit.id, name="credit", workspace="local")
    return models.register(finish(other_credit, credit_frame).id, name="credit", workspace="local")


def test_an_id_means_the_champion_or_else_the_newest_in_use(two):
    newest, oldest = models.versions(two.id, workspace="local")
    assert models.resolve(two.id, workspace="local") == newest
    assert models.resolve(oldest.id, workspace="local") == oldest
    models.promote(two.id, 1, who="ann", why="it is smaller", workspace="local")
    assert models.resolve(two.id, workspace="local") == oldest
    assert models.aliases(oldest) == ["champion"]
    models.promote(two.id, 2, workspace="local")
    assert models.roll_back(two.id, workspace="local") == 1
    models.archive(two.id, 2, workspace="local")
    models.remove_alias(two.id, "champion", workspace="local")
    assert models.resolve(two.id, workspace="local") == oldest
    models.archive(two.id, 1, workspace="local")
    with pytest.raises(NotFoundError, match="are archived"):
        models.resolve(two.id, workspace="local")
    models.restore(two.id, 2, workspace="local")
    assert models.resolve(two.id, workspace="local").number == 2


def test_aliases_have_a_form_and_archived_is_a_state(two):
    models.set_alias(two.id, "eu-west-1", 2, workspace="local")
    models.set_alias(two.id, "challenger", 2, workspace="local")
    assert models.aliases(models.resolve(two.id, workspace="local")) == ["challenger", "eu-west-1"]
    for alias in ("", "Champion", "a b", "-a", "x" * 41, "ü"):
        with pytest.raises(RegistryError, match="not a usable alias"):
            models.set_alias(two.id, alias, 1, workspace="local")
    for number in (1, 2):
        models.set_alias(two.id, "archived", number, workspace="local")
    assert [models.aliases(version) for version in models.versions(two.id, workspace="local")] == [
        ["archived"],
        ["archived"],
    ]
