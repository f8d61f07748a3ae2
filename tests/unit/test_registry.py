"""Registries: order, lookups, hints for an unknown name, and extensions that add records."""

from dataclasses import dataclass

import pytest

from core.errors import SettingsError
from core.registry import Registry, load_extensions, unknown_name
from core.settings import get_settings


@dataclass(frozen=True)
class Fruit:
    name: str
    title: str = ""


@pytest.fixture
def fruits():
    return Registry("fruit", [Fruit("pear"), Fruit("apple"), Fruit("plum")])


def test_it_is_a_mapping_in_the_order_of_its_records(fruits):
    assert list(fruits) == ["pear", "apple", "plum"]
    assert (len(fruits), "plum" in fruits, "fig" in fruits) == (3, True, False)
    assert [fruit.name for fruit in fruits.values()] == list(fruits)
    with pytest.raises(KeyError):
        fruits["fig"]


def test_a_name_is_taken_once(fruits):
    with pytest.raises(ValueError, match="The fruit 'plum' exists already"):
        fruits.add(Fruit("plum", "Another"))
    fruits.remove("plum")
    assert fruits.add(Fruit("plum", "Another")) is fruits["plum"]


def test_an_unknown_name_is_named_with_the_nearest(fruits):
    with pytest.raises(SettingsError) as caught:
        fruits.require("aple")
    assert caught.value.message == "Unknown fruit 'aple'."
    assert caught.value.hint == "Did you mean 'apple'? Choose one of: pear, apple, plum."
    assert fruits.require("apple").name == "apple"


def test_of_many_names_only_some_are_listed():
    assert unknown_name("x", [f"column {number}" for number in range(100)], most=2) == (
        "Choose one of: column 0, column 1 and 98 more."
    )
    assert unknown_name("x", []) == "There is nothing to choose from."


def test_an_extension_that_does_not_exist_is_named(home, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_EXTENSIONS", '["no_such_module.metrics"]')
    get_settings.cache_clear()
    load_extensions.cache_clear()
    with pytest.raises(SettingsError, match=r"The extension 'no_such_module\.metrics' does not exist"):
        load_extensions()
    load_extensions.cache_clear()
    get_settings.cache_clear()
