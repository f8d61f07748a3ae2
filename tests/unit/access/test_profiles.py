"""The table of profiles, as the README shows it."""

from pathlib import Path

import pytest

from core.access import PROFILES, Access, Role, profile
from core.errors import DeniedError, SettingsError
from core.settings import Settings

README = (Path(__file__).parents[3] / "README.md").read_text()


def test_readme_shows_what_each_profile_allows():
    for record in PROFILES.values():
        cells = (
            f"`{record.name}`",
            record.people,
            record.workspaces,
            "yes" if record.signs_in else "no",
            "yes" if record.shows_server else "no",
        )
        assert f"| {' | '.join(cells)} |" in README


def test_every_profile_is_a_value_of_the_setting(installation, tmp_path):
    for name in PROFILES:
        with installation(tmp_path / name, PROFILE=name):
            assert profile().name == name
    with pytest.raises(SettingsError, match="PLUMBLINE_PROFILE"):
        Settings(profile="hotel")


@pytest.mark.parametrize(("role", "may"), [("viewer", 1), ("editor", 2), ("admin", 3)])
def test_each_role_may_what_those_before_it_may(role, may):
    access = Access("sales", role, "ada")
    assert [access.may(other) for other in Role] == [True] * may + [False] * (3 - may)
    for number, other in enumerate(Role):
        if number < may:
            access.require(other)
        else:
            with pytest.raises(DeniedError, match=f"only {other}s"):
                access.require(other)


@pytest.mark.parametrize("values", [("sales", "owner", ""), ("", "viewer", "")])
def test_an_access_names_a_role_and_a_workspace(values):
    with pytest.raises(SettingsError):
        Access(*values)
