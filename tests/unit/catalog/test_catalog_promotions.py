"""Promotions that a second person confirms, with a reason where the workspace wants one, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.access import Access, Role
from core.catalog import Model, ModelVersion, audit, invitations, models, promotions, workspaces
from core.errors import DeniedError, InputError, NotFoundError, PlumblineError, RegistryError

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"


@pytest.fixture
def ada(catalog: str) -> Access:
    access = workspaces.add("Sales", person=ADA)
    workspaces.set_rules(two_people=True, needs_reason=True, access=access)
    return access


@pytest.fixture
def bob(ada: Access) -> Access:
    return invitations.accept(invitations.add(Role.EDITOR, access=ada), BOB)


@pytest.fixture
def model(ada: Access) -> Model:
    for number in (1, 2, 3):
        version = ModelVersion(workspace=ada.workspace, model_id="", run_id=f"r{number}", kind="table", number=0)
        model, _, _ = models.add_version("Churn", version, access=ada)
    return model


def champion(model: Model, access: Access) -> int | None:
    return models.aliases(model.id, access=access).get("champion")


def test_a_second_person_confirms(ada: Access, bob: Access, model: Model) -> None:
    eve = invitations.accept(invitations.add(Role.VIEWER, access=ada), EVE)
    for change in (
        lambda: models.point(model.id, "champion", 1, action="promote", why="x", access=ada),
        lambda: models.roll_back(model.id, why="x", access=ada),
    ):
        with pytest.raises(RegistryError):
            change()
    with pytest.raises(InputError, match="needs a reason"):
        promotions.request(model.id, 1, why="  ", access=ada)
    asked = promotions.request(model.id, 1, why="It is the first.", access=ada)
    with pytest.raises(RegistryError, match="Version 1 of 'Churn' waits"):
        promotions.request(model.id, 2, why="x", access=bob)
    for decide in (promotions.confirm, promotions.decline):
        with pytest.raises(DeniedError, match="yourself"):
            decide(asked.id, access=ada)
    for decide in (promotions.confirm, promotions.decline, promotions.withdraw):
        with pytest.raises(DeniedError, match="only editors"):
            decide(asked.id, access=eve)
        with pytest.raises(NotFoundError):
            decide(asked.id, access=Access("other", Role.ADMIN, BOB))
    with pytest.raises(DeniedError, match="Someone else asked"):
        promotions.withdraw(asked.id, access=bob)
    assert champion(model, ada) is None

    promotions.confirm(asked.id, access=bob)
    assert champion(model, eve) == 1
    assert promotions.waiting(model.id, access=eve) is None
    event = models.history(model.id, access=eve)[0]
    assert (event.action, event.who, event.confirmed_by, event.why) == ("promote", ADA, BOB, "It is the first.")
    record = audit.find(limit=1, access=ada)[0]
    assert (record.action, record.who, record.details["asked_by"]) == ("promote", BOB, ADA)
    with pytest.raises(RegistryError, match=f"was confirmed by {BOB}"):
        promotions.decline(asked.id, access=bob)


def test_what_happened_meanwhile_counts(ada: Access, bob: Access, model: Model) -> None:
    declined = promotions.request(model.id, 1, why="x", access=ada)
    promotions.decline(declined.id, why="Too early.", access=bob)
    withdrawn = promotions.request(model.id, 1, why="x", access=ada)
    promotions.withdraw(withdrawn.id, access=ada)
    archived = promotions.request(model.id, 2, why="x", access=ada)
    models.archive(model.id, 2, access=ada)
    with pytest.raises(RegistryError, match="archived"):
        promotions.confirm(archived.id, access=bob)
    workspaces.set_rules(two_people=False, needs_reason=False, access=ada)
    models.point(model.id, "champion", 3, action="promote", access=bob)
    with pytest.raises(RegistryError, match="overtaken by another one"):
        promotions.confirm(archived.id, access=bob)
    assert champion(model, ada) == 3
    states = [item.state for item in promotions.find(model.id, access=ada)]
    assert states == ["overtaken", "withdrawn", "declined"]
    assert promotions.find(model.id, access=ada)[-1].decided_why == "Too early."


def test_two_decisions_at_once_are_one(ada: Access, bob: Access, model: Model) -> None:
    eve = invitations.accept(invitations.add(Role.EDITOR, access=ada), EVE)
    asked = promotions.request(model.id, 1, why="x", access=ada)

    def decide(access: Access) -> str:
        try:
            return (promotions.confirm if access == bob else promotions.decline)(asked.id, access=access).state
        except PlumblineError as error:
            return type(error).__name__

    def request(number: int) -> bool:
        try:
            return bool(promotions.request(model.id, number, why="x", access=bob))
        except RegistryError:
            return False

    with ThreadPoolExecutor(2) as pool:
        states = list(pool.map(decide, (bob, eve)))
        assert sorted(states) in (["RegistryError", "confirmed"], ["RegistryError", "declined"])
        assert champion(model, ada) == (1 if "confirmed" in states else None)
        assert sum(pool.map(request, (2, 3))) == 1
