"""Settings: defaults, environment, bounds."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.settings import Settings, get_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bare(monkeypatch):
    """No variable and no .env file."""
    import os

    for name in [name for name in os.environ if name.startswith("PLUMBLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


def test_defaults_keep_everything_beside_the_app(bare):
    settings = Settings()
    assert settings.home == ROOT / ".plumbline"
    assert settings.database_url == f"sqlite:///{ROOT}/.plumbline/catalog.db"
    assert settings.storage_url == str(ROOT / ".plumbline" / "artifacts")
    assert settings.runs_dir == ROOT / ".plumbline" / "runs"


def test_environment_wins(bare, monkeypatch, tmp_path):
    monkeypatch.setenv("PLUMBLINE_HOME", "relative")
    monkeypatch.setenv("PLUMBLINE_DATABASE", "postgresql+psycopg://host/name")
    monkeypatch.setenv("PLUMBLINE_STORAGE", "s3://bucket/folder")
    monkeypatch.setenv("PLUMBLINE_TASK_PACKAGES", '["a", "b.c"]')
    monkeypatch.setenv("PLUMBLINE_UNKNOWN", "is left alone")
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.runs_dir == tmp_path / "relative" / "runs"
    assert settings.database_url == "postgresql+psycopg://host/name"
    assert settings.storage_url == "s3://bucket/folder"
    assert settings.task_packages == ("a", "b.c")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_RUNNING", "0"),
        ("MAX_RUNNING_SHORT", "-1"),
        ("MAX_RUNNING_PIPELINES", "0"),
        ("LEASE_S", "0"),
        ("GRACE_S", "-1"),
        ("TICK_EVERY_S", "-1"),
        ("MEMORY_LIMIT_MB", "1"),
        ("RUN_TIMEOUT_S", "0"),
        ("MAX_ATTEMPTS", "0"),
        ("MAX_ROWS", "many"),
    ],
)
def test_value_out_of_bounds_is_named(bare, monkeypatch, name, value):
    monkeypatch.setenv(f"PLUMBLINE_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_read_once_a_process(installation, tmp_path):
    with installation(tmp_path, MAX_RUNNING="7"):
        assert get_settings() is get_settings()
        assert get_settings().max_running == 7
    assert get_settings().max_running == 1


def test_every_setting_says_what_it_is_for():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
