"""Roles that are edited in two tabs: nothing is lost, nothing is replaced unseen."""

from __future__ import annotations

from core.catalog import datasets, versions
from core.jsonable import JsonObject
from tests.pages.conftest import World, texts, visit


def stored(world: World) -> JsonObject:
    return datasets.get(world.credit.id, "local").roles


def set_roles(world: World, **roles: object) -> None:
    values = {"target": "credit", "sensitive": [], "ignore": []} | roles
    versions.set_roles(datasets.get(world.credit.id, "local"), values, "In another tab")


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
