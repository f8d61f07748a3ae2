"""Credentials: named, looked up where they are used, and never seen."""

from __future__ import annotations

import base64
import json
import logging
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from core.credentials import HIDDEN, check_name, credential, scrubbed
from core.errors import DeniedError, InputError, SettingsError
from core.settings import Settings, get_settings, unknown_variables
from tests.unit.alerts.servers import settings_set

VALUE = 'p"ä/ss word\\#1'


@pytest.fixture
def bare() -> Iterator[None]:
    """No variable and no .env file."""
    with settings_set():
        yield


@pytest.fixture
def file(bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of secrets that the installation names."""
    path = tmp_path / "secrets.toml"
    path.write_text("")
    path.chmod(0o600)
    monkeypatch.setenv("PLUMBLINE_SECRETS_FILE", str(path))
    get_settings.cache_clear()
    return path


def test_the_environment_comes_first_then_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('SMTP = "of the file"\n[WEBHOOK_SALES]\nvalue = "of a table"\n', encoding="utf-8")
    assert credential("SMTP").get_secret_value() == "of the file"
    assert credential("WEBHOOK_SALES").get_secret_value() == "of a table"
    monkeypatch.setenv("PLUMBLINE_SECRET_SMTP", "of the environment")
    assert credential(" SMTP ").get_secret_value() == "of the environment"
    monkeypatch.delenv("PLUMBLINE_SECRET_SMTP")
    file.write_text('SMTP = "another one"')
    assert credential("SMTP").get_secret_value() == "another one", "it is looked up each time"


def test_a_file_of_settings_has_credentials_too(bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".env"
    path.write_text("PLUMBLINE_SECRET_SMTP='a ${HOME} value'\n")
    path.chmod(0o600)
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    assert credential("SMTP").get_secret_value() == "a ${HOME} value"
    path.chmod(0o644)
    with pytest.raises(SettingsError, match=r"\.env next to app.py can be read or changed by other users"):
        credential("SMTP")


def test_a_credential_may_be_kept_for_some_workspaces(file: Path) -> None:
    file.write_text(
        '[WEBHOOK_SALES]\nvalue = "a value"\nworkspaces = ["sales"]\n[OTHER]\nvalue = "x"\nworkspaces = "sales"'
    )
    assert credential("WEBHOOK_SALES", workspace="sales").get_secret_value() == "a value"
    assert credential("WEBHOOK_SALES").get_secret_value() == "a value", "the installation itself"
    for name, workspace in (("WEBHOOK_SALES", "payroll"), ("OTHER", "sales")):
        with pytest.raises(DeniedError, match=f"{name} is not for this workspace"):
            credential(name, workspace=workspace)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o777])
def test_a_file_that_others_can_use_is_refused(file: Path, mode: int) -> None:
    file.write_text(f"SMTP = {json.dumps(VALUE)}")
    file.chmod(mode)
    with pytest.raises(SettingsError, match="by other users of the machine") as caught:
        credential("SMTP")
    assert "chmod 600" in caught.value.hint
    assert str(file) not in str(caught.value), "readers of a page do not learn where it is"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'SMTP = "a value\n', "not TOML .line 1"),
        (b'SMTP = "a value"\nSMTP = "another"\n', "not TOML .line 2"),
        (b"SMTP = 12\n", "SMTP in the file of PLUMBLINE_SECRETS_FILE is not a text"),
        (b"[SMTP]\nvalue = 12\n", "is not a text"),
        (b"[SMTP]\nother = 'x'\n", "The credential SMTP is not set"),
        (b'SMTP = ""\n', "The credential SMTP is not set"),
        (b"SMTP = '\xff'\n", "it is not UTF-8"),
        (b"#" * (1 << 20) + b"#", "longer than 1 MB"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_said_without_its_content(
    file: Path, content: bytes | None, message: str
) -> None:
    file.unlink()
    file.mkdir() if content is None else file.write_bytes(content)
    file.chmod(0o700 if content is None else 0o600)
    with pytest.raises(SettingsError, match=message) as caught:
        credential("SMTP")
    assert "a value" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_is_not_set_is_named_with_what_to_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="The credential SMTP is not set") as caught:
        credential("SMTP")
    assert "PLUMBLINE_SECRET_SMTP" in caught.value.hint
    file.unlink()
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        credential("SMTP")


@pytest.mark.parametrize("name", ["hunter2", "", "smtp", "A B", "A-B", "A" * 65, "1A", "Ä", "A\n", "../A"])
def test_what_is_not_a_name_is_not_repeated(name: str) -> None:
    """It may be the value."""
    if name == "A\n":
        assert check_name(name) == "A"
        return
    for function in (check_name, credential):
        with pytest.raises(InputError) as caught:
            function(name)
        assert not name or name not in f"{caught.value.message} {repr(caught.value.args)[:40]}"


def test_a_value_is_not_shown_by_accident(
    bare: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PLUMBLINE_SECRET_SMTP", VALUE)
    value = credential("SMTP")
    logging.getLogger("test").warning("%s %r", value, value)
    for text in (str(value), repr(value), f"{value}", str([value]), caplog.text, str(vars(get_settings()))):
        assert VALUE not in text
    assert pickle.loads(pickle.dumps(value)) == value


def test_values_are_hidden_in_whatever_a_library_says(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_SECRET_SMTP", VALUE)
    credential("SMTP")
    plain = base64.b64encode(f"\0ada\0{VALUE}".encode()).decode()  # as SMTP sends it
    for form in (VALUE, quote(VALUE), quote(VALUE, safe=""), json.dumps(VALUE), repr(VALUE), repr([VALUE])):
        hidden = scrubbed(f"it is {form}, said the server")
        assert HIDDEN in hidden
        assert not any(part in hidden for part in ("word", "%23"))
    for user in ("a", "ad", "ada", "adam"):
        plain = base64.b64encode(f"\0{user}\0{VALUE}".encode()).decode()
        hidden = scrubbed(f"AUTH PLAIN {plain} failed")
        assert HIDDEN in hidden
        left = hidden.removeprefix("AUTH PLAIN ").removesuffix(" failed").split(HIDDEN)
        assert b"word" not in b"".join(base64.b64decode(part[: len(part) // 4 * 4]) for part in left)
    assert scrubbed(ValueError("other")) == "other"


def test_variables_of_credentials_are_not_settings_that_are_unknown(
    bare: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setenv("PLUMBLINE_SECRET_SMTP", VALUE)
    monkeypatch.setenv("PLUMBLINE_SMTP_PASSWORD", VALUE)
    (sentence,) = unknown_variables()
    assert sentence.startswith("PLUMBLINE_SMTP_PASSWORD is not a setting")
    assert VALUE not in sentence
    assert os.environ["PLUMBLINE_SECRET_SMTP"] == VALUE
