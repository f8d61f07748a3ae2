"""Tokens of visitors: nobody makes one without the secret, and each leads to one workspace."""

import re

import pytest

from core.access import TOKEN_S, check_secret, new_token, renewed_token, visits, workspace_of
from core.errors import SettingsError
from core.settings import Settings

SECRET = "0123456789abcdef" * 2


@pytest.fixture
def secret(monkeypatch):
    """Sets the secret of the installation."""

    def use(value):
        settings = Settings(visitor_secret=value)
        monkeypatch.setattr(visits, "get_settings", lambda: settings)

    use(SECRET)
    return use


def test_each_visitor_has_one_workspace(secret):
    first, second = new_token(), new_token()
    assert workspace_of(first) == workspace_of(renewed_token(first)) != workspace_of(second)
    assert re.fullmatch("v-[0-9a-f]{32}", workspace_of(first))
    assert not any(part in workspace_of(first) for part in first.split("."))


def test_a_forged_or_changed_token_leads_nowhere(secret):
    token = new_token()
    visitor, issued_at, signature = token.split(".")
    other = new_token().split(".")[0]
    changed = [
        f"{other}.{issued_at}.{signature}",
        f"{visitor}.{int(issued_at) + 1}.{signature}",
        f"{visitor}.{issued_at}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"{visitor}.{issued_at}.",
        f"{visitor}.{issued_at}",
        f"{visitor}.{issued_at}.{signature}.",
        f"{visitor}{issued_at}..{signature}",
        f".{token}",
        f"{token} ",
        f"{visitor}.{issued_at}.ü",
        f"{visitor}.{issued_at}.{signature}\ud800",
        workspace_of(token),
        "",
        ".",
        "..",
        "x" * 100_000,
    ]
    assert [value[:80] for value in changed if workspace_of(value) or renewed_token(value)] == []
    assert workspace_of(None) is None
    assert workspace_of(token)


def test_a_new_secret_ends_all_tokens(secret):
    token = new_token()
    secret(SECRET.upper())
    assert workspace_of(token) is None
    assert renewed_token(token) is None


def test_an_old_token_is_not_accepted_and_a_renewed_one_is(secret, monkeypatch):
    token = new_token()
    issued_at = int(token.split(".")[1])
    monkeypatch.setattr("time.time", lambda: issued_at + TOKEN_S - 1.0)
    renewed = renewed_token(token)
    assert renewed != token
    monkeypatch.setattr("time.time", lambda: issued_at + TOKEN_S + 1.0)
    assert workspace_of(token) is None
    assert renewed_token(token) is None
    assert workspace_of(renewed)


@pytest.mark.parametrize(("value", "said"), [(None, "is not set"), ("short", "has 5 characters")])
def test_a_secret_that_is_none_is_named_and_not_shown(secret, value, said):
    secret(value)
    with pytest.raises(SettingsError, match=f"PLUMBLINE_VISITOR_SECRET {said}") as caught:
        check_secret()
    assert "'short'" not in str(caught.value)
    assert SECRET not in repr(Settings(visitor_secret=SECRET))
