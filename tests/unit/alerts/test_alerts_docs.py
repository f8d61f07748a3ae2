"""What operators and receivers read is so: names of settings, times of attempts, credentials."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.access import LOCAL
from core.alerts import add_channel
from core.alerts.outcome import MAX_ATTEMPTS, retry_delay
from core.credentials import credential
from core.settings import Settings
from tests.unit.alerts.conftest import Use

DOCS = Path(__file__).parents[3] / "docs"
ALERTS = (DOCS / "alerts.md").read_text(encoding="utf-8")
OPERATIONS = (DOCS / "operations.md").read_text(encoding="utf-8")


def test_settings_of_alerts_are_described_and_exist() -> None:
    named = {name.lower() for name in re.findall(r"PLUMBLINE_([A-Z_]+)", ALERTS + OPERATIONS)}
    named -= {name for name in named if name.startswith("secret_")} | {""}
    assert named <= {*Settings.model_fields, "smtp_"}
    own = {name for name in Settings.model_fields if name.startswith("smtp_")} | {
        "secrets_file",
        "outbound_hosts",
        "public_url",
    }
    assert {name for name in own if f"`PLUMBLINE_{name.upper()}`" not in OPERATIONS} == set()


def test_attempts_follow_as_they_are_described() -> None:
    (sentence,) = re.findall(r"seven more attempts follow .*?: after (.*?), each up to a fifth", ALERTS, re.DOTALL)
    units = {"seconds": 1, "minutes": 60, "hour": 3_600, "hours": 3_600}
    parts = re.split(r",\s+| and\s+", " ".join(sentence.split()).replace("half an hour", "0.5 hour"))
    delays = [float(number) * units[unit] for number, unit in (part.split() for part in parts)]
    exact = [retry_delay(number, draw=lambda: 0.5) for number in range(1, MAX_ATTEMPTS)]
    assert delays == pytest.approx(exact, rel=0.15)


def test_the_file_of_secrets_is_read_as_it_is_shown(use: Use, tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.touch(mode=0o600)
    (example,) = re.findall(r"```toml\n(.*?)```", ALERTS, re.DOTALL)
    file.write_text(example)
    use(SECRETS_FILE=file)
    assert credential("SMTP").get_secret_value() == "the password of the mail server"
    channel = add_channel("webhook", "Sales", "http://8.8.8.8/x", credential="WEBHOOK_SALES", access=LOCAL)
    assert channel.credential == "WEBHOOK_SALES"
    assert credential("WEBHOOK_PAYROLL", workspace="1f0c5d2be7a94c36").get_secret_value() == "another one"
