"""Where strangers read, messages do not name the server's folders, hosts and addresses, and logs are not shown."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from core.settings import get_settings
from pages._ui import server_facts

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def strangers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_facts, "shown", lambda: False)


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("The disk is full: /srv/plumbline/artifacts/ab/cd.", "The disk is full: "),
        ("postgresql+psycopg://ann:secret@db.internal:5432/plumbline does not answer.", " does not answer."),
        ("s3://bucket/key cannot be read.", " cannot be read."),
        ("[Errno 13] Permission denied: '/home/ann/.plumbline'", "[Errno 13] Permission denied: '"),
        ("Look in ~/models/base/config.json.", "Look in "),
    ],
)
def test_what_names_the_server_is_replaced(strangers: None, message: str, kept: str) -> None:
    said = server_facts.without(message)
    assert kept in said
    for part in ("/srv", "artifacts", "ann:", "/ann", "secret", "db.internal", "bucket", ".plumbline", "models/base"):
        assert part not in said


def test_the_data_folder_and_the_host_are_replaced(strangers: None) -> None:
    said = server_facts.without(f"{get_settings().home}/catalog.db on {socket.gethostname()}: locked")
    assert str(get_settings().home) not in said
    assert "catalog.db" not in said
    assert not re.search(rf"(?<!\w){re.escape(socket.gethostname())}(?!\w)", said)


@pytest.mark.parametrize("text", ["Men and/or women: 1/2 of 3", "The table has no column 'a/b/c'.", "x" * 100, ""])
def test_other_messages_stay(strangers: None, text: str) -> None:
    assert server_facts.without(text) == text


def test_on_a_machine_of_ones_own_everything_is_shown() -> None:
    assert server_facts.without("The disk is full: /srv/plumbline.") == "The disk is full: /srv/plumbline."


def test_pages_show_logs_and_failures_in_one_place() -> None:
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "pages").rglob("*.py")}
    assert [name for name, text in sources.items() if "jobs.log(" in text] == ["pages/_ui/run_view.py"]
    shown = {name for name, text in sources.items() if re.search(r"plain\([^)]*\berror_(message|hint)", text)}
    assert {name for name in shown if "server_facts.without" not in sources[name]} == set()
