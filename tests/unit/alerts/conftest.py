"""What the tests of alerts share: an installation, servers on loopback, and a model to raise alerts about."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.access import LOCAL, Access
from core.alerts import raise_alert
from core.catalog import Alert, Model, ModelVersion, models
from tests.unit.alerts.servers import Hooks, Mails

SECRET = "k7/Zq+w93-a long random text"
"""Value of the credential WEBHOOK_TEST."""

Use = Callable[..., Path]


@pytest.fixture
def use(installation: Any, tmp_path: Path) -> Iterator[Use]:
    """``use(PROFILE="team")`` uses an installation with these settings, and returns its folder."""
    with contextlib.ExitStack() as stack:

        def begin(**settings: object) -> Path:
            values = {"SECRET_WEBHOOK_TEST": SECRET} | {name: str(value) for name, value in settings.items()}
            home: Path = stack.enter_context(installation(tmp_path / "home", **values))
            return home

        yield begin


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """A server of webhooks."""
    with Hooks() as server:
        yield server


@pytest.fixture
def mails() -> Iterator[Mails]:
    """A mail server that nobody signs in to."""
    with Mails() as server:
        yield server


def add_model(name: str = "Churn", *, access: Access = LOCAL) -> Model:
    """Register a version of a model, whose run is not there."""
    version = ModelVersion(workspace=access.workspace, model_id="", run_id=f"run of {name}"[:16], kind="table")
    model, _, _ = models.add_version(name, version, access=access)
    return model


def raised(model: Model, event: str = "drift/1", *, access: Access = LOCAL, **values: Any) -> Alert:
    """Raise an alert about a model, and return it."""
    alert, _ = raise_alert(model.id, event, "Half of the columns have drifted", access=access, **values)
    return alert


def mail_settings(server: Mails, **settings: object) -> dict[str, object]:
    """Return the settings of an installation that sends through a server."""
    own = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": server.port,
        "SMTP_SECURITY": "none",
        "SMTP_SENDER": "a@plumbline.test",
    }
    return own | settings
