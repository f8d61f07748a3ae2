"""Queries over models: numbers, aliases and history stay whole, whoever changes them at the same moment."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from core.access import LOCAL
from core.catalog import ModelVersion, models
from core.errors import NotFoundError, RegistryError

ROOT = Path(__file__).parents[3]


def add(name="credit", run="r1", workspace="local", **fields):
    return models.add_version(
        name,
        ModelVersion(workspace=workspace, model_id="", run_id=run, kind="table", **fields),
        access=replace(LOCAL, actor="ann"),
    )


@pytest.fixture
def model(catalog):
    """A model of three versions."""
    for number in (1, 2, 3):
        model, _, _ = add(run=f"r{number}")
    return model


def changes(model_id, alias=None):
    """Return the history, oldest first, as (action, alias, number, previous)."""
    events = reversed(models.history(model_id, access=LOCAL))
    return [(e.action, e.alias, e.number, e.previous) for e in events if alias in (None, e.alias)]


def test_versions_are_numbered_and_come_back(catalog):
    first, one, new = add(lineage={"nested": [1, None]}, columns=[{"name": "ü"}], notes="as it was")
    again, two, _ = add(run="r2")
    assert new
    assert (one.number, two.number, again.id, again.versions) == (1, 2, first.id, 2)
    assert models.versions(first.id, access=LOCAL) == [two, one]
    assert models.version(first.id, 1, access=LOCAL) == one == models.version_by_id(one.id, access=LOCAL)
    assert models.get(first.id, access=LOCAL) == again
    assert models.of_run("r2", access=LOCAL) == [two]
    assert changes(first.id) == [("register", None, 1, None), ("register", None, 2, None)]
    assert models.history(first.id, access=LOCAL)[0].who == "ann"


def test_a_run_is_one_version_of_a_name_and_stays_as_it_is(model):
    again, version, new = add(run="r2", notes="other")
    assert (new, version.number, version.notes, again.versions) == (False, 2, "", 3)
    other, version, new = add(name="another", run="r2")
    assert new
    assert other.id != model.id
    assert [item.name for item in models.find(access=LOCAL)] == ["another", "credit"]
    assert len(models.of_run("r2", access=LOCAL)) == 2


def test_registered_at_the_same_moment_under_a_new_name(catalog):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: add(run=f"r{n % 4}"), range(8)))
    assert sum(new for _, _, new in made) == 4
    (model,) = models.find(access=LOCAL)
    assert model.versions == 4
    assert sorted(item.number for item in models.versions(model.id, access=LOCAL)) == [1, 2, 3, 4]


def test_an_alias_points_to_one_version(model):
    assert models.point(model.id, "champion", 1, action="promote", access=LOCAL) is None
    assert models.point(model.id, "challenger", 3, access=LOCAL) is None
    assert (
        models.point(model.id, "champion", 2, action="promote", why="better", access=replace(LOCAL, actor="bob")) == 1
    )
    assert models.point(model.id, "champion", 2, action="promote", access=LOCAL) == 2
    assert models.aliases(model.id, access=LOCAL) == {"champion": 2, "challenger": 3}
    assert changes(model.id, "champion") == [("promote", "champion", 1, None), ("promote", "champion", 2, 1)]
    event = models.history(model.id, access=LOCAL)[0]
    assert (event.who, event.why) == ("bob", "better")
    assert models.point(model.id, "challenger", None, access=LOCAL) == 3
    assert models.aliases(model.id, access=LOCAL) == {"champion": 2}


def test_roll_back_goes_step_by_step_and_a_promotion_begins_anew(model):
    for number in (1, 2, 3):
        models.point(model.id, "champion", number, action="promote", access=LOCAL)
    assert models.roll_back(model.id, why="it drifts", access=LOCAL) == (2, 3)
    assert models.roll_back(model.id, access=LOCAL) == (1, 2)
    with pytest.raises(RegistryError, match="no champion before"):
        models.roll_back(model.id, access=LOCAL)
    models.point(model.id, "champion", 3, action="promote", access=LOCAL)
    assert models.roll_back(model.id, access=LOCAL) == (1, 3)
    assert models.aliases(model.id, access=LOCAL)["champion"] == 1
    assert changes(model.id, "champion")[-1] == ("roll_back", "champion", 1, 3)


def test_a_champion_that_was_taken_off_is_none_to_roll_back_to(model):
    models.point(model.id, "champion", 1, action="promote", access=LOCAL)
    models.point(model.id, "champion", None, access=LOCAL)
    models.point(model.id, "champion", 1, action="promote", access=LOCAL)
    with pytest.raises(RegistryError, match="no champion before"):
        models.roll_back(model.id, access=LOCAL)


def test_archive_takes_aliases_off_and_refuses_the_champion(model):
    models.point(model.id, "champion", 1, action="promote", access=LOCAL)
    models.point(model.id, "champion", 2, action="promote", access=LOCAL)
    models.point(model.id, "challenger", 1, access=LOCAL)
    with pytest.raises(RegistryError, match="is the champion"):
        models.archive(model.id, 2, access=LOCAL)
    models.archive(model.id, 1, why="old", access=LOCAL)
    models.archive(model.id, 1, access=LOCAL)
    assert models.aliases(model.id, access=LOCAL) == {"champion": 2}
    assert changes(model.id)[-2:] == [("alias", "challenger", None, 1), ("archive", "archived", 1, None)]
    for use in (
        lambda: models.point(model.id, "challenger", 1, access=LOCAL),
        lambda: models.roll_back(model.id, access=LOCAL),
    ):
        with pytest.raises(RegistryError, match="Version 1 of 'credit' is archived"):
            use()
    models.restore(model.id, 1, access=LOCAL)
    assert models.version(model.id, 1, access=LOCAL).archived_at is None
    assert models.roll_back(model.id, access=LOCAL) == (1, 2)


def test_notes_and_answers(model):
    models.set_notes(model.id, 1, "for ✓ tests", access=replace(LOCAL, actor="bob"))
    models.set_notes(model.id, 1, "for ✓ tests", access=replace(LOCAL, actor="carol"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: models.set_answer(model.id, 1, key, {"text": key}, access=LOCAL), "abcd"))
    models.set_answer(model.id, 1, "b", None, access=LOCAL)
    version = models.version(model.id, 1, access=LOCAL)
    assert version.notes == "for ✓ tests"
    assert version.answers == {key: {"text": key} for key in "acd"}
    assert [event.who for event in models.history(model.id, access=LOCAL) if event.action == "notes"] == ["bob"]


def test_other_workspaces_and_numbers_find_nothing(model):
    for ask in (
        lambda access, number: models.point(model.id, "champion", number, access=access),
        lambda access, number: models.archive(model.id, number, access=access),
        lambda access, number: models.set_notes(model.id, number, "mine", access=access),
        lambda access, number: models.version(model.id, number, access=access),
    ):
        with pytest.raises(NotFoundError, match=model.id):
            ask(replace(LOCAL, workspace="other"), 1)
        with pytest.raises(NotFoundError, match="no version 9"):
            ask(LOCAL, 9)
    assert models.versions(model.id, access=replace(LOCAL, workspace="other")) == []
    assert models.history(model.id, access=replace(LOCAL, workspace="other")) == []
    assert models.find(access=replace(LOCAL, workspace="other")) == []


def test_processes_that_promote_at_the_same_moment_leave_one_unbroken_history(model):
    code = (
        "import sys; from core.access import Access; from core.catalog import models\n"
        f"for turn in range(15): models.point({model.id!r}, 'champion', int(sys.argv[1]) if turn % 2 else 3,"
        " action='promote', access=Access('local', 'editor', sys.argv[1]))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, number], cwd=ROOT, stderr=subprocess.PIPE) for number in "12"
    ]
    assert [(process.communicate()[1], process.returncode) for process in started] == [(b"", 0)] * 2
    events = changes(model.id, "champion")
    numbers = [number for _, _, number, _ in events]
    assert [previous for *_, previous in events] == [None, *numbers[:-1]], "each change knows the one before"
    assert all(a != b for a, b in pairwise(numbers))
    assert models.aliases(model.id, access=LOCAL) == {"champion": numbers[-1]}
