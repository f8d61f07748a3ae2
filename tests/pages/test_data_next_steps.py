"""The next steps on a dataset's page: each leads to the page that does it, with the dataset chosen."""

from __future__ import annotations

from core.catalog import datasets
from tests.pages.conftest import World, labels, query, texts, visit

STEPS = {"Choose the target", "Check decisions for fairness", "Fine-tune on texts"}


def test_steps_follow_the_table_and_its_roles(world: World) -> None:
    datasets.set_roles(world.decisions.id, {"target": None, "sensitive": ["group"], "ignore": []}, "local")
    for dataset, expected in (
        (world.credit, set()),
        (world.reviews, {"Fine-tune on texts"}),
        (world.decisions, {"Check decisions for fairness"}),
    ):
        roles = datasets.get(dataset.id, "local").roles
        shown = STEPS & set(labels(visit("data", dataset=dataset.id)))
        assert shown - {"Choose the target"} == expected, dataset.name
        assert ("Choose the target" in shown) == (roles.get("target") is None)


def test_without_a_target_the_page_asks_for_it(world: World) -> None:
    datasets.set_roles(world.credit.id, {"target": None, "sensitive": [], "ignore": []}, "local")
    test = visit("data", dataset=world.credit.id)
    button = next(button for button in test.button if button.label == "Choose the target")
    assert "'credit'" in button.help.replace("\\", "")
    button.click().run()
    assert not test.exception
    assert (query(test, "tab"), query(test, "dataset")) == ("Roles", world.credit.id)
    assert test.selectbox[0].label == "Target"


def test_a_step_opens_its_page_with_the_dataset(world: World) -> None:
    test = visit("data", dataset=world.reviews.id)
    next(button for button in test.button if button.label == "Fine-tune on texts").click().run()
    assert not test.exception
    assert query(test, "dataset") == world.reviews.id
    assert "Fine-tun" in texts(test)
