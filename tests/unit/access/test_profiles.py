"""The table of profiles, as the README shows it."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from core.access import (
    FEATURES,
    LIMIT_TITLES,
    PROFILES,
    Access,
    Role,
    WorkspaceLimits,
    has_feature,
    limits,
    profile,
    require_feature,
)
from core.errors import DeniedError, SettingsError
from core.settings import Settings

README = (Path(__file__).parents[3] / "README.md").read_text()


def rows() -> list[list[str]]:
    """The table of profiles, as it has to be in the README."""
    profiles = PROFILES.values()
    facts = [
        ["", *(f"`{record.name}`" for record in profiles)],
        ["---"] * (1 + len(profiles)),
        ["for", *(record.people for record in profiles)],
        ["workspaces", *(record.workspaces for record in profiles)],
        ["sign-in", *("yes" if record.signs_in else "no" for record in profiles)],
    ]
    values = [
        [
            title,
            *("no limit" if (value := getattr(record.limits, name)) is None else f"{value:,}" for record in profiles),
        ]
        for name, title in LIMIT_TITLES.items()
    ]
    features = [
        [feature.title, *("no" if feature.name in record.off else "yes" for record in profiles)]
        for feature in FEATURES.values()
    ]
    return facts + values + features


def test_readme_shows_what_each_profile_allows():
    first = README.index("| | `local`")
    shown = README[first:].split("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown]
    assert cells == rows()


def test_readme_names_the_settings_of_limits():
    assert [name for name in LIMIT_TITLES if f"_{name.upper()}`" not in README] == []
    assert set(LIMIT_TITLES) == {field.name for field in fields(WorkspaceLimits)}
    assert {f"workspace_{name}" for name in LIMIT_TITLES} == {
        name for name in Settings.model_fields if name.startswith("workspace_")
    }


def test_limits_are_those_of_the_profile_unless_settings_change_them(installation, tmp_path):
    with installation(tmp_path / "local", WORKSPACE_RUNNING="3"):
        assert limits() == WorkspaceLimits(running=3)
    with installation(tmp_path / "demo", PROFILE="demo", WORKSPACE_ROWS="7", WORKSPACE_QUEUED="0"):
        assert limits() == replace(PROFILES["demo"].limits, rows=7, queued=None)


def test_features_that_a_profile_lacks_are_refused_by_name_with_the_reason(installation, tmp_path):
    for name, record in PROFILES.items():
        with installation(tmp_path / name, PROFILE=name):
            assert {feature for feature in FEATURES if not has_feature(feature)} == record.off
            for feature in FEATURES.values():
                if feature.name in record.off:
                    with pytest.raises(DeniedError, match=re.escape(f"{feature.title}: not available in this {name}.")):
                        require_feature(feature.name)
                else:
                    require_feature(feature.name)


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
