"""Registering runs: what is kept with a version, names, and what an id means."""

import re
from dataclasses import replace

import pytest

from core import models
from core.access import LOCAL
from core.catalog import Run, RunState, runs
from core.errors import NotFoundError, RegistryError
from core.housekeeping import delete_dataset


def test_a_version_knows_where_it_comes_from(credit, credit_result):
    model = models.register(credit.id, notes="first try", access=replace(LOCAL, actor="ann"))
    assert (model.name, model.versions) == ("credit from German credit", 1)
    (version,) = models.versions(model.id, access=LOCAL)
    assert (version.kind, version.run_id, version.notes) == ("table", credit.id, "first try")
    lineage = version.lineage
    assert lineage["dataset"]["fingerprint"] == credit_result.fingerprint
    assert lineage["settings"] == credit_result.settings.model_dump(mode="json")
    assert lineage["packages"] == credit_result.packages
    assert (lineage["target"], lineage["labels"], lineage["task"]) == ("credit", ["bad", "good"], "binary")
    assert re.fullmatch(r"\d+\.\d+\.\d+", lineage["registered_with"]["version"])
    assert re.fullmatch(r"[0-9a-f]{64}", lineage["registered_with"]["source"])
    assert [event.action for event in models.history(model.id, access=LOCAL)] == ["register"]
    assert model.to_dict()["id"] == model.id
    assert version.to_dict()["lineage"]["run"]["id"] == credit.id


def test_a_text_model_registers(reviews):
    model = models.register(reviews.id, name="mood", access=LOCAL)
    (version,) = models.versions(model.id, access=LOCAL)
    assert (version.kind, [column["name"] for column in version.columns]) == ("text", ["text", "length"])
    assert version.lineage["target"] == "sentiment"


def test_the_same_run_is_one_version_and_another_the_next(finish, credit, other_credit, credit_frame):
    first = models.register(credit.id, name="credit", access=LOCAL)
    assert models.register(credit.id, name=" credit ", access=LOCAL) == first
    second = models.register(finish(other_credit, credit_frame).id, name="credit", access=LOCAL)
    assert (second.id, second.versions) == (first.id, 2)
    assert models.find(access=LOCAL) == [second]
    assert models.register(credit.id, name="elsewhere", access=LOCAL).id != first.id


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb"])
def test_names_that_cannot_be_used(credit, name):
    with pytest.raises(RegistryError, match="name"):
        models.register(credit.id, name=name, access=LOCAL)
    assert models.find(access=LOCAL) == []


@pytest.mark.parametrize("task", ["check", "automl"])
def test_runs_without_a_model_are_refused(home, task):
    state = RunState.SUCCEEDED if task == "check" else RunState.FAILED
    run = runs.add(Run(workspace="local", task=task, state=state), access=LOCAL)
    with pytest.raises(
        RegistryError, match="does not make a model" if task == "check" else "has not succeeded"
    ) as caught:
        models.register(run.id, access=LOCAL)
    assert caught.value.hint
    with pytest.raises(NotFoundError):
        models.register("0" * 16, access=LOCAL)


def test_another_workspace_has_neither_run_nor_model(credit):
    with pytest.raises(NotFoundError):
        models.register(credit.id, access=replace(LOCAL, workspace="other"))
    model = models.register(credit.id, access=LOCAL)
    for ask in (models.get, models.versions, models.history, models.resolve):
        with pytest.raises(NotFoundError, match=model.id):
            ask(model.id, access=replace(LOCAL, workspace="other"))


def test_a_table_that_is_gone_and_loaded_again(finish, credit, credit_result, credit_frame):
    delete_dataset(credit.dataset_id, access=LOCAL)
    with pytest.raises(RegistryError, match="was deleted") as caught:
        models.register(credit.id, access=LOCAL)
    assert "Load the same table again" in caught.value.hint
    loaded = finish(credit_result, credit_frame, "again from the same file")
    assert (
        models.versions(models.register(credit.id, access=LOCAL).id, access=LOCAL)[0].lineage["dataset"]["id"]
        == loaded.dataset_id
    )


@pytest.fixture
def two(finish, credit, other_credit, credit_frame):
    models.register(credit.id, name="credit", access=LOCAL)
    return models.register(finish(other_credit, credit_frame).id, name="credit", access=LOCAL)


def test_an_id_means_the_champion_or_else_the_newest_in_use(two):
    newest, oldest = models.versions(two.id, access=LOCAL)
    assert models.resolve(two.id, access=LOCAL) == newest
    assert models.resolve(oldest.id, access=LOCAL) == oldest
    models.promote(two.id, 1, why="it is smaller", access=replace(LOCAL, actor="ann"))
    assert models.resolve(two.id, access=LOCAL) == oldest
    assert models.aliases(oldest, access=LOCAL) == ["champion"]
    models.promote(two.id, 2, access=LOCAL)
    assert models.roll_back(two.id, access=LOCAL) == 1
    models.archive(two.id, 2, access=LOCAL)
    models.remove_alias(two.id, "champion", access=LOCAL)
    assert models.resolve(two.id, access=LOCAL) == oldest
    models.archive(two.id, 1, access=LOCAL)
    with pytest.raises(NotFoundError, match="are archived"):
        models.resolve(two.id, access=LOCAL)
    models.restore(two.id, 2, access=LOCAL)
    assert models.resolve(two.id, access=LOCAL).number == 2


def test_aliases_have_a_form_and_archived_is_a_state(two):
    models.set_alias(two.id, "eu-west-1", 2, access=LOCAL)
    models.set_alias(two.id, "challenger", 2, access=LOCAL)
    assert models.aliases(models.resolve(two.id, access=LOCAL), access=LOCAL) == ["challenger", "eu-west-1"]
    for alias in ("", "Champion", "a b", "-a", "x" * 41, "ü"):
        with pytest.raises(RegistryError, match="not a usable alias"):
            models.set_alias(two.id, alias, 1, access=LOCAL)
    for number in (1, 2):
        models.set_alias(two.id, "archived", number, access=LOCAL)
    assert [models.aliases(version, access=LOCAL) for version in models.versions(two.id, access=LOCAL)] == [
        ["archived"],
        ["archived"],
    ]
