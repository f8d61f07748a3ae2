"""Workspaces, the people in them and invitations, on both databases."""

import contextlib
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from core.access import INSTALLATION, Access, Role
from core.catalog import Invitation, Run, invitations, runs, workspaces
from core.catalog.engine import reading, writing
from core.errors import DeniedError, InputError, NotFoundError

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"


@pytest.fixture
def shared(catalog):
    return workspaces.add(" Sales ", person=ADA)


def joined(shared, person, role):
    return invitations.accept(invitations.add(role, access=shared), person)


def test_everyone_has_one_of_their_own_however_often_they_come(catalog):
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda _: workspaces.personal(ADA), range(4))
    assert others == [first] * 3
    assert (first.role, first.actor) == (Role.ADMIN, ADA)
    assert workspaces.personal(BOB).workspace != first.workspace
    assert [(row.kind, role) for row, role in workspaces.of_person(ADA)] == [("personal", Role.ADMIN)]
    with pytest.raises(InputError, match="needs a person"):
        workspaces.personal("")
    with pytest.raises(InputError, match="personal"):
        invitations.add(Role.VIEWER, access=first)
    with pytest.raises(NotFoundError, match="no such workspace"):
        workspaces.enter(first.workspace, BOB)


def test_an_invitation_gives_its_role_once(shared):
    token = invitations.add(Role.VIEWER, access=shared)
    (offer,) = invitations.find(access=shared)
    assert offer.token_digest == hashlib.sha256(token.encode()).hexdigest(), "the token itself is not kept"
    access = invitations.accept(token, BOB)
    assert (access.workspace, access.role, access.actor) == (shared.workspace, Role.VIEWER, BOB)
    assert invitations.find(access=shared) == []
    refused = []
    for bad in (token, "x" * 43, ""):
        with pytest.raises(NotFoundError) as caught:
            invitations.accept(bad, EVE)
        refused.append(str(caught.value))
    assert len(set(refused)) == 1, "used and unknown ones are told apart"
    with pytest.raises(NotFoundError):
        workspaces.enter(shared.workspace, EVE)


def test_invitations_expire_and_are_withdrawn(shared):
    token = invitations.add(Role.EDITOR, access=shared)
    invitations.withdraw(invitations.find(access=shared)[0].id, access=shared)
    with pytest.raises(NotFoundError):
        invitations.accept(token, BOB)
    late = invitations.add(Role.EDITOR, access=shared)
    with writing(INSTALLATION) as session:
        for offer in session.exec(select(Invitation)):
            offer.expires_at = time.time() - 1
    with pytest.raises(NotFoundError):
        invitations.accept(late, BOB)


def test_two_who_accept_at_once_are_one_member(shared):
    token = invitations.add(Role.EDITOR, access=shared)

    def accept(person):
        try:
            return invitations.accept(token, person).actor
        except NotFoundError:
            return None

    with ThreadPoolExecutor(2) as pool:
        actors = list(pool.map(accept, (BOB, EVE)))
    assert len([actor for actor in actors if actor]) == 1
    assert len(workspaces.members(access=shared)) == 2


def test_a_member_keeps_the_higher_role(shared):
    assert joined(shared, BOB, Role.EDITOR).role is Role.EDITOR
    assert joined(shared, BOB, Role.VIEWER).role is Role.EDITOR
    assert joined(shared, BOB, Role.ADMIN).role is Role.ADMIN


def test_a_member_does_not_use_up_an_invitation(shared):
    """Who made a link tries it, or opens it once more after joining; it stays for whom it was made for."""
    token = invitations.add(Role.EDITOR, access=shared)
    assert invitations.accept(token, ADA) == shared
    assert len(invitations.find(access=shared)) == 1
    assert invitations.accept(token, BOB).role is Role.EDITOR
    assert invitations.accept(token, BOB).role is Role.EDITOR
    assert invitations.find(access=shared) == []
    with pytest.raises(NotFoundError):
        invitations.accept(token, EVE)


def test_a_role_holds_from_the_next_call_on(shared):
    joined(shared, BOB, Role.EDITOR)
    workspaces.change_role(BOB, Role.VIEWER, access=shared)
    viewer = workspaces.enter(shared.workspace, BOB)
    with pytest.raises(DeniedError, match="only editors may change this"):
        runs.add(Run(workspace=shared.workspace, task="count"), access=viewer)
    assert runs.find(access=viewer) == []
    for change in (
        lambda: invitations.add(Role.ADMIN, access=viewer),
        lambda: workspaces.change_role(BOB, Role.ADMIN, access=viewer),
        lambda: workspaces.remove(ADA, access=viewer),
        lambda: invitations.find(access=viewer),
        lambda: workspaces.set_rules(two_people=True, needs_reason=False, access=viewer),
    ):
        with pytest.raises(DeniedError):
            change()
    workspaces.remove(BOB, access=viewer)  # oneself
    with pytest.raises(NotFoundError):
        workspaces.enter(shared.workspace, BOB)


def test_the_last_admin_stays(shared):
    joined(shared, BOB, Role.EDITOR)
    for change in (
        lambda: workspaces.change_role(ADA, Role.EDITOR, access=shared),
        lambda: workspaces.remove(ADA, access=shared),
    ):
        with pytest.raises(InputError, match="left as admin"):
            change()
    workspaces.change_role(BOB, Role.ADMIN, access=shared)
    workspaces.remove(ADA, access=shared)
    assert [member.person for member in workspaces.members(access=workspaces.enter(shared.workspace, BOB))] == [BOB]


def test_two_admins_cannot_remove_each_other_at_once(shared):
    joined(shared, BOB, Role.ADMIN)

    def remove(pair):
        actor, person = pair
        with contextlib.suppress(InputError, NotFoundError):
            workspaces.remove(person, access=Access(shared.workspace, Role.ADMIN, actor))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(remove, ((ADA, BOB), (BOB, ADA))))
    with reading(INSTALLATION):
        assert len(workspaces.members(access=shared)) == 1


@pytest.mark.parametrize("title", ["", "  ", "x" * 201, "a\nb"])
def test_titles_that_cannot_be_used_are_refused(catalog, title):
    with pytest.raises(InputError, match="not a usable name"):
        workspaces.add(title, person=ADA)
