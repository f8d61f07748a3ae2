"""A dataset in two tabs: nothing is lost, nothing is replaced or undone unseen, and what is gone is said to be."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core import housekeeping, jobs
from core.access import LOCAL
from core.catalog import datasets, runs, versions
from core.jsonable import JsonObject
from tests.pages.conftest import World, texts, visit


def stored(world: World) -> JsonObject:
    return datasets.get(world.credit.id, access=LOCAL).roles


def set_roles(world: World, **roles: object) -> None:
    values = {"target": "credit", "sensitive": [], "ignore": []} | roles
    versions.set_roles(datasets.get(world.credit.id, access=LOCAL), values, "In another tab", access=LOCAL)


def test_a_form_that_another_tab_has_overtaken_is_not_saved(world: World) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id, tab="Roles")
    set_roles(world, sensitive=["age"])
    test.multiselect(key=f"data-role-ignore-{world.credit.id}").set_value(["purpose"])
    test.button(key="data-roles-save").click().run()
    assert not test.exception
    assert "The roles were changed meanwhile" in texts(test)
    assert stored(world) == {"target": "credit", "sensitive": ["age"], "ignore": []}
    assert test.multiselect(key=f"data-role-sensitive-{world.credit.id}").value == ["age"]  # what is stored now
    test.multiselect(key=f"data-role-ignore-{world.credit.id}").set_value(["purpose"])
    test.button(key="data-roles-save").click().run()
    assert stored(world) == {"target": "credit", "sensitive": ["age"], "ignore": ["purpose"]}


def test_roles_that_another_tab_stores_are_followed(world: World) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id, tab="Roles")
    set_roles(world, target="housing", sensitive=["sex"])
    test.run()
    assert test.selectbox(key=f"data-role-target-{world.credit.id}").value == "housing"
    assert test.multiselect(key=f"data-role-sensitive-{world.credit.id}").value == ["sex"]


def test_the_page_of_a_column_changes_that_column_alone(world: World) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id, column="purpose")
    set_roles(world, target="housing", sensitive=["age"])
    test.multiselect[0].set_value(["ignore"]).run()
    assert not test.exception
    assert stored(world) == {"target": "housing", "sensitive": ["age"], "ignore": ["purpose"]}


def test_target_and_ignored_exclude_each_other_and_nothing_typed_is_lost(world: World) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id, tab="Roles")
    test.multiselect(key=f"data-role-ignore-{world.credit.id}").set_value(["credit", "age"])
    test.button(key="data-roles-save").click().run()
    assert "'credit' cannot be both the target and ignored." in texts(test)
    assert test.multiselect(key=f"data-role-ignore-{world.credit.id}").value == ["credit", "age"]
    assert stored(world)["ignore"] == []


def test_columns_that_look_like_attributes_of_people_are_named(world: World) -> None:
    set_roles(world, sensitive=["age"])
    said = texts(visit("data", dataset=world.credit.id, tab="Roles"))
    assert "May be attributes of people, by their names:" in said
    assert "'sex'" in said
    assert "'age'" not in said.split("by their names:")[1].split("\n")[0]


def test_another_tab_s_change_is_not_undone_unseen(world: World) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id)
    set_roles(world, sensitive=["age"])
    test.button(key="data-undo").click().run()
    assert not test.exception
    assert "is no longer the last change" in texts(test)
    assert stored(world)["sensitive"] == ["age"]
    versions.undo(datasets.get(world.credit.id, access=LOCAL), access=LOCAL)
    test.run()
    versions.undo(datasets.get(world.credit.id, access=LOCAL), access=LOCAL)  # the one that this tab shows
    test.button(key="data-undo").click().run()
    assert "is no longer the last change" in texts(test)


@pytest.mark.parametrize(
    ("tab", "press"),
    [
        ("Columns", "data-undo"),
        ("Columns", "data-rename"),
        ("Columns", "data-delete"),
        ("Columns", "data-to-automl"),
        ("Prepare", "data-prepare-add"),
        ("Roles", "data-roles-save"),
    ],
)
def test_a_dataset_that_another_tab_has_deleted_is_said_to_be_gone(world: World, tab: str, press: str) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id, tab=tab)
    if tab == "Prepare":
        test.selectbox(key="data-prepare-kind").set_value("remove_duplicates").run()
    housekeeping.delete_dataset(world.credit.id, access=LOCAL)
    test.button(key=press).click().run()
    gone(world, test)


def test_a_role_of_a_dataset_that_was_deleted_cannot_be_stored(world: World) -> None:
    set_roles(world)
    test = visit("data", dataset=world.credit.id, column="purpose")
    (run,) = runs.find(task="relations", access=LOCAL)
    jobs.cancel(run.id, access=LOCAL)
    jobs.wait(run.id, 30, access=LOCAL)
    housekeeping.delete_dataset(world.credit.id, access=LOCAL)
    test.multiselect[0].set_value(["ignore"]).run()
    gone(world, test)


def gone(world: World, test: AppTest) -> None:
    assert not test.exception
    assert [title.value for title in test.title] == ["Dataset not found"]
    assert f"There is no dataset '{world.credit.id}'." in texts(test)
    assert "Something went wrong" not in texts(test)
