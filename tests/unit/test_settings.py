"""Settings: defaults, environment, bounds."""

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings, get_settings, unknown_variables

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
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert settings.runs_dir == tmp_path / "relative" / "runs"
    assert settings.database_url == "postgresql+psycopg://host/name"
    assert settings.storage_url == "s3://bucket/folder"
    assert settings.task_packages == ("a", "b.c")


INVALID = [
    ("MAX_RUNNING", "0", "a whole number of at least 1"),
    ("MAX_RUNNING_SHORT", "-1", "a whole number of at least 1 (by default 2)"),
    ("MAX_RUNNING_PIPELINES", "1.5", "a whole number of at least 1 (by default 4)"),
    ("LEASE_S", "0", "a number above 0 (by default 15.0)"),
    ("LEASE_S", "nan", "a number above 0 (by default 15.0)"),
    ("GRACE_S", "-1", "a number of at least 0 (by default 5.0)"),
    ("TICK_EVERY_S", "inf", "a number of at least 0 (by default 10.0)"),
    ("MEMORY_LIMIT_MB", "1", "a whole number of at least 64"),
    ("RUN_TIMEOUT_S", "0", "a number above 0"),
    ("MAX_ATTEMPTS", "0x3", "a whole number of at least 1 (by default 3)"),
    ("MAX_ROWS", "many", "a whole number of at least 1 (by default 20,000,000)"),
    ("PIPELINE_COMMANDS", "some", "one of: all, shipped (by default all)"),
    ("EXTENSIONS", "my module!", "names of modules, separated by commas"),
    ("EXTENSIONS", '["a"', "names of modules, separated by commas"),
    ("TASK_PACKAGES", "[1]", "names of modules, separated by commas (by default core.tasks)"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), INVALID)
def test_an_invalid_value_is_named_with_what_is_allowed(bare, monkeypatch, name, value, allowed):
    monkeypatch.setenv(f"PLUMBLINE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Settings()
    assert caught.value.message == f"PLUMBLINE_{name} is '{value}', and has to be {allowed}."
    assert ".env" in caught.value.hint


def test_all_mistakes_are_said_at_once(bare, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_MAX_ROWS", "many")
    monkeypatch.setenv("plumbline_lease_s", "")  # as if it were not set
    monkeypatch.setenv("PLUMBLINE_GRACE_S", "soon")
    with pytest.raises(SettingsError, match=r"GRACE_S is 'soon'.*MAX_ROWS is 'many'"):
        Settings()


def test_every_setting_says_what_it_takes(bare):
    from core.setting_errors import describe_field

    values = {name: describe_field(field) for name, field in Settings.model_fields.items()}
    assert values["home"] == "a folder"
    assert values["database"] == "a text"
    assert all(values.values())


@pytest.mark.parametrize("value", ["a,b.c", "a, b.c", "a b.c", '["a", "b.c"]'])
def test_modules_are_listed_in_any_of_the_usual_ways(bare, monkeypatch, value):
    monkeypatch.setenv("PLUMBLINE_EXTENSIONS", value)
    assert Settings().extensions == ("a", "b.c")


def test_empty_variables_and_the_home_of_a_user(bare, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_MAX_RUNNING", "")
    monkeypatch.setenv("PLUMBLINE_HOME", "~/models")
    assert Settings().home == Path.home() / "models"
    monkeypatch.setenv("PLUMBLINE_HOME", "")
    assert Settings().home == ROOT / ".plumbline"  # not the folder that the process happens to be in


def test_runs_have_the_same_catalog_and_storage_in_whatever_folder_they_work(bare, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLUMBLINE_DATABASE", "sqlite:///data/catalog.db")
    monkeypatch.setenv("PLUMBLINE_STORAGE", "files")
    assert Settings().database_url == f"sqlite:///{tmp_path}/data/catalog.db"
    assert Settings().storage_url == f"{tmp_path}/files"
    for url in (f"sqlite:///{tmp_path}/x.db", "sqlite://", "sqlite:///:memory:", "postgresql+psycopg://h/sqlite:///x"):
        monkeypatch.setenv("PLUMBLINE_DATABASE", url)
        assert Settings().database_url == url
    for url in ("s3://bucket/folder", "memory://x", "file:///x", str(tmp_path)):
        monkeypatch.setenv("PLUMBLINE_STORAGE", url)
        assert Settings().storage_url == url


def test_variables_that_are_not_settings_are_reported(bare, monkeypatch, tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("PLUMBLINE_MAX_UPLAOD_MB=3\nOTHER=1\nPLUMBLINE_HOME=x\n")
    monkeypatch.setitem(Settings.model_config, "env_file", env_file)
    monkeypatch.setenv("PLUMBLINE_HOMEDIR", "secret")
    monkeypatch.setenv("PLUMBLINE_QQQ", "1")
    monkeypatch.setenv("PLUMBLINE_RUN_ID", "0" * 16)
    monkeypatch.setenv("plumbline_max_rows", "5")
    sentences = unknown_variables()
    assert [sentence.split()[0] for sentence in sentences] == [
        "PLUMBLINE_HOMEDIR",
        "PLUMBLINE_MAX_UPLAOD_MB",
        "PLUMBLINE_QQQ",
    ]
    assert "Did you mean PLUMBLINE_HOME?" in sentences[0]
    assert "Did you mean PLUMBLINE_MAX_UPLOAD_MB?" in sentences[1]
    assert "README.md" in sentences[2]
    assert not any("secret" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# fine\n\nPLUMBLINE_MAX_ROWS=5\nPLUMBLINE_HOME\n", "Line 4 of .*env is not an assignment"),
        (b"PLUMBLINE_MAX_ROWS 5\n", "Line 1 of .*env is not an assignment"),
        (b"A=1\nPLUMBLINE_HOME='unclosed\n", "Line 2 of .*env is not an assignment"),
        (b"PLUMBLINE_HOME=\xff\xfe\n", "env cannot be read: it is not UTF-8"),
        (b"PLUMBLINE_MAX_ROWS=many\n", "PLUMBLINE_MAX_ROWS is 'many', and has to be a whole number"),
        (None, "env cannot be read: Is a directory"),
    ],
)
def test_a_bad_file_of_settings_is_said(bare, monkeypatch, tmp_path, content, message):
    env_file = tmp_path / ".env"
    env_file.mkdir() if content is None else env_file.write_bytes(content)
    monkeypatch.setitem(Settings.model_config, "env_file", env_file)
    with pytest.raises(SettingsError, match=message):
        Settings()


def test_a_good_file_of_settings_is_read(bare, monkeypatch, tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("# comment\nexport PLUMBLINE_MAX_ROWS=5\n\nPLUMBLINE_HOME='a b'\nPLUMBLINE_MAX_COLUMNS=\n")
    monkeypatch.setitem(Settings.model_config, "env_file", env_file)
    assert (Settings().max_rows, Settings().home, Settings().max_columns) == (5, Path("a b"), 2_000)


def test_read_once_a_process(installation, tmp_path):
    with installation(tmp_path, MAX_RUNNING="7"):
        assert get_settings() is get_settings()
        assert get_settings().max_running == 7
    assert get_settings().most_running == 1


def test_every_setting_says_what_it_is_for():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
